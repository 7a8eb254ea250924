// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "sim/faults.hpp"

namespace ringcast::sim {

namespace {

constexpr std::array<std::string_view, 38> names = {
    "loss",         "burst",       "selective",   "duplication", "reorder",       "delay",
    "delay_step",   "corruption",  "partition",   "one_way",     "nontransitive", "flap",
    "bandwidth",    "black_hole",  "strangers",   "replay",      "pause",         "crash",
    "storage_loss", "clock",       "slow_node",   "overflow",    "send_errors",   "limits",
    "disk",         "leave",       "rolling",     "reload",      "recovery",      "skew",
    "timing",       "counters",    "slow_client", "cut_frame",   "storm",         "client_churn",
    "hostile",      "client_burst"};
static_assert(static_cast<std::size_t>(Fault::client_burst) + 1 == names.size());

}  // namespace

const std::vector<Fault>& all_faults() {
  static const std::vector<Fault> all = [] {
    std::vector<Fault> faults;
    for (std::size_t i = 0; i < names.size(); ++i) {
      faults.push_back(static_cast<Fault>(i));
    }
    return faults;
  }();
  return all;
}

std::string_view to_string(Fault fault) { return names[static_cast<std::size_t>(fault)]; }

}  // namespace ringcast::sim
