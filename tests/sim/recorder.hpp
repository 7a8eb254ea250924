// SPDX-License-Identifier: Apache-2.0
//
// Recorder: the harness's eye on a cluster. Turns what processes do into the History, counts
// what happened, keeps a hash of everything (the same seed must give the same hash), and can
// print the story as it unfolds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/cluster.hpp"
#include "sim/history.hpp"
#include "sim/oracle/oracle.hpp"

namespace ringcast::sim {

class Recorder final : public ClusterObserver {
 public:
  using TraceListener = std::function<void(std::size_t host, const TraceEvent& event)>;
  using OrderListener = std::function<void(std::size_t host, const OrderedEvent& event)>;
  /// Which trace events are wanted as sentences besides those the checkers need.
  using Wanted = std::function<bool(TraceKind kind, TraceLevel level)>;

  explicit Recorder(std::vector<std::string> names);
  /// Must be called before anything else: the clock is the cluster's.
  void attach(Cluster& cluster);

  History history;
  bool verbose{false};

  void set_trace_listener(Wanted wanted, TraceListener listener);
  /// Sees all that the recorder sees; may be null.
  void set_oracle(Oracle* oracle) { oracle_ = oracle; }
  void set_order_listener(OrderListener listener) { order_listener_ = std::move(listener); }
  /// For a client that connects now.
  [[nodiscard]] std::optional<ProcessIndex> process_of(std::size_t host) const;
  /// Virtual time of the last configuration change anywhere.
  [[nodiscard]] Instant last_change() const { return last_change_; }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  void mix(std::uint64_t value);
  void mix(std::string_view text);
  /// Trace events by kind, deliveries, configuration changes.
  void add_to(std::map<std::string, std::uint64_t>& counts) const;

  void on_started(std::size_t host, BootId boot, Storage storage) override;
  void on_ended(std::size_t host, Ending ending) override;
  void on_ordered(std::size_t host, const OrderedEvent& event) override;
  void on_trace(std::size_t host, const TraceEvent& event) override;
  void on_input(std::size_t host) override;
  [[nodiscard]] bool listens(TraceKind kind, TraceLevel level) const override;

  /// The same text with daemons' names for their 8-digit ids.
  [[nodiscard]] std::string with_names(std::string text) const;

 private:
  enum class Count : std::uint8_t {
    delivery,
    delivery_transitional,
    safe_transitional,
    safe_regular,
    install_transitional,
    install_regular,
    end
  };
  void count(Count what) { ++counts_[static_cast<std::size_t>(what)]; }

  void note_session(std::size_t host, const TraceEvent& event);
  void say(std::size_t host, const std::string& text) const;

  Cluster* cluster_{nullptr};
  std::vector<std::string> names_;
  std::vector<std::optional<ProcessIndex>> processes_;
  std::vector<std::uint32_t> incarnations_;
  Wanted wanted_;
  TraceListener trace_listener_;
  OrderListener order_listener_;
  Oracle* oracle_{nullptr};
  Instant last_change_;
  std::array<std::uint64_t, static_cast<std::size_t>(Count::end)> counts_{};
  std::array<std::uint64_t, trace_kinds> traces_{};
  std::uint64_t hash_{0x9e3779b97f4a7c15ULL};
};

}  // namespace ringcast::sim
