// SPDX-License-Identifier: Apache-2.0
//
// Alerts: rates that are not as usual. Every ten seconds the requests and the errors of each
// server, and of all together, are compared with their exponentially weighted mean (half of it
// is of the last five minutes). An alert begins when a rate is `factor` times the mean, or that
// part of it, and the difference is more than four times what chance explains: the greater of
// the weighted standard deviation and the square root of the expected number, and at least
// `difference_min`. It is over when
// the rate is within the square root of `factor`. The mean goes on learning, so what lasts
// becomes usual. Few errors are no alert. Two minutes pass before a server is judged.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/ringlog-monitor/figures/figures.hpp"
#include "tools/ringlog-monitor/figures/instant.hpp"

namespace ringcast::monitor {

enum class Signal { requests, errors };
enum class Change { high, low, over };
std::string_view to_string(Signal signal);
std::string_view to_string(Change change);

struct Alert {
  Instant at{};
  std::string server;  ///< empty: all together
  Signal signal{Signal::requests};
  Change change{Change::high};
  double rate{0};  ///< per second, in the last ten
  double mean{0};  ///< the usual one
};

class Alerts {
 public:
  static constexpr std::chrono::seconds step{10};

  struct Options {
    double factor{3};          ///< more than 1
    double difference_min{1};  ///< per second
  };

  explicit Alerts(const Options& options) : options_(options) {}

  /// To be called before anything of `now` is added to the figures, and while nothing comes.
  std::vector<Alert> advance(Instant now, const Figures& figures);
  /// Those that have begun and are not over, as they were when they began.
  [[nodiscard]] std::vector<Alert> current() const;

 private:
  struct Watch {
    std::uint64_t total{0};  // at the end of the last step
    double mean{0};
    double variance{0};
    int steps{0};
    std::optional<Alert> alert;
  };
  using Key = std::pair<std::string, Signal>;

  void look(const Key& key, std::uint64_t total, Instant at, std::vector<Alert>& out);
  [[nodiscard]] std::optional<Change> judge(const Watch& watch, Signal signal, double rate) const;
  void forget(const Figures& figures);

  Options options_;
  std::optional<Instant> next_;
  std::map<Key, Watch> watches_;
};

}  // namespace ringcast::monitor
