// SPDX-License-Identifier: Apache-2.0
//
// The input is a configuration file. Whatever it says: every problem has its place and a
// remedy, reading twice says the same, and what has no problem runs a node.
#include <algorithm>
#include <string>
#include <string_view>

#include "daemon/config.hpp"
#include "daemon/options.hpp"
#include "fuzz/check.hpp"
#include "fuzz/heap.hpp"
#include "fuzz/targets.hpp"
#include "protocol/node.hpp"

namespace ringcast::fuzz {
namespace {

constexpr std::size_t text_bytes_max = 16384;

std::string describe_all(const ReadConfig& read) {
  std::string text;
  for (const auto& problem : read.problems) {
    text += describe("file", problem) + '\n';
  }
  return text;
}

void check_problems(const ReadConfig& read, std::string_view text) {
  const auto lines = static_cast<unsigned>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const auto& problem : read.problems) {
    check(!problem.problem.empty(), "a problem is named");
    check(!problem.remedy.empty(), "a problem has a remedy");
    check(problem.at.line <= lines, "a problem is in the file");
  }
}

/// As the daemon would start with it, on each of the hosts it is for.
void check_runs(const DaemonConfig& config) {
  NodeConfig node;
  node.cluster = config.cluster;
  node.ring = config.ring;
  node.session = config.session;
  for (const auto& daemon : config.daemons) {
    node.daemons.push_back(DaemonEntry{.name = daemon.name, .address = daemon.address_text});
  }
  check(!node.daemons.empty(), "a sound configuration has a daemon");
  check(node.ring.validate().ok(), "a sound configuration keeps the ring's relations");
  check(
      node.session.validate(node.ring.message_bytes_max).ok(),
      "a sound configuration keeps the sessions' relations");
  node.name = node.daemons.front().name;
  Node running(node, nullptr);
  Effects effects;
  StartFacts facts;
  facts.boot_id = 1;
  running.on_start(Instant{}, StoredState{}, facts, effects);
  const auto asked = effects.persist;
  check(asked.has_value(), "a node begins with its reserve");
  effects.clear();
  running.on_persisted(Instant{}, *asked, effects);
  check(!running.status(Instant{}).state.empty(), "a node has a state");
}

void check_numbers(std::string_view text) {
  if (const auto bytes = parse_bytes(text)) {
    check(parse_bytes(show_value(OptionKind::bytes, *bytes)) == bytes, "a size reads as shown");
  }
  if (const auto time = parse_duration(text)) {
    check(
        parse_duration(show_value(OptionKind::duration, *time)) == time,
        "a duration reads as shown");
  }
}

}  // namespace

void configuration(Bytes input) {
  if (input.size() > text_bytes_max) return;
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  check_numbers(text);
  const HeapMeter heap;
  const ReadConfig read = read_config("file", text);
  heap.check_peak(4096 * input.size() + (std::size_t{1} << 20U), "reading a configuration");
  check_problems(read, text);
  check(describe_all(read) == describe_all(read_config("file", text)), "it reads as it did");
  if (read.problems.empty()) check_runs(read.config);
}

}  // namespace ringcast::fuzz
