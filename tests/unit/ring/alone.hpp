// SPDX-License-Identifier: Apache-2.0
//
// Alone: one Ring, the driver's side of it, and whatever the test says the others send.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/ring/ring.hpp"
#include "protocol/wire/codec.hpp"

namespace ringcast::ring_test {

inline constexpr NodeId self{10};
inline constexpr NodeKey me{self, BootId{1}};
inline constexpr NodeKey other{NodeId{20}, BootId{2}};

/// One Ring and the driver's side of it.
class Alone {
 public:
  explicit Alone(std::vector<NodeId> configured, std::uint64_t stored = 0)
      : ring_(RingConfig{}, self, std::move(configured), nullptr), reserved_(stored) {
    input([&] { ring_.start(StoredState{stored}, me.boot, 42); });
  }

  template <class Work>
  void input(Work work) {
    effects_.clear();
    ring_.begin(now_, effects_);
    work();
    ring_.finish();
    for (const auto& transmit : effects_.transmits) {
      const auto packet = decode(transmit.packet);
      REQUIRE(packet);
      // [MBR-3] Neither a commit token nor a join shows a number that is not on the disk.
      const auto* const commit = std::get_if<CommitToken>(&packet->body);
      if (commit != nullptr) REQUIRE(commit->ring.seq <= reserved_);
      const auto* const join = std::get_if<Join>(&packet->body);
      if (join != nullptr) REQUIRE(join->ring_seq <= reserved_);
      sent_.push_back(transmit.packet);
    }
    if (effects_.persist) asked_ = effects_.persist;
    ring_.take_ordered(events_);
  }

  void persist() {
    REQUIRE(asked_.has_value());
    const StoredState stored = *std::exchange(asked_, std::nullopt);
    reserved_ = stored.ring_seq_reserved;
    input([&] { ring_.on_persisted(stored); });
  }

  /// Ready to order client messages.
  void open() {
    persist();
    input([&] { ring_.open_gate(ring_.ring()); });
    events_.clear();
  }

  void submit(BufferRef message, Service service) {
    input([&] { ring_.submit_client(std::move(message), service); });
  }

  /// A join whose sender says nothing of links hears all it considers; a probe that says nothing
  /// of its ring comes from one that is alone and hears us.
  template <class Body>
  void receive(Body body, NodeKey sender = other) {
    if constexpr (std::is_same_v<Body, Join>) {
      if (body.hears.empty()) body.hears = body.proc;
      if (body.mutual.empty()) body.mutual = body.proc;
    }
    if constexpr (std::is_same_v<Body, Probe>) {
      if (body.members.empty()) body.members = {sender.node};
      if (body.mutual.empty()) body.mutual = {self};
    }
    std::vector<Packet> packets(1);
    packets[0].header.sender = sender;
    packets[0].header.counter = ++counter_;
    packets[0].body = std::move(body);
    input([&] { ring_.on_packets(packets); });
  }

  void pass(Duration time) {
    const Instant end = now_ + time;
    while (ring_.next_deadline() && *ring_.next_deadline() <= end) {
      now_ = std::max(now_, *ring_.next_deadline());
      input([&] { ring_.on_timers(); });
    }
    now_ = end;
  }

  /// What was sent since the last call, decoded.
  std::vector<Packet> sent() {
    std::vector<Packet> packets;
    for (const auto& datagram : std::exchange(sent_, {})) {
      auto packet = decode(datagram);
      REQUIRE(packet);
      packets.push_back(std::move(*packet));
    }
    return packets;
  }

  std::vector<OrderedEvent> events() { return std::exchange(events_, {}); }
  [[nodiscard]] bool waits_for_persist() const { return asked_.has_value(); }
  [[nodiscard]] std::uint64_t asked() const { return asked_->ring_seq_reserved; }
  Ring& ring() { return ring_; }

 private:
  Ring ring_;
  Instant now_{std::chrono::seconds{1}};
  Effects effects_;
  std::vector<BufferRef> sent_;
  std::vector<OrderedEvent> events_;
  std::optional<StoredState> asked_;
  std::uint64_t reserved_;
  std::uint64_t counter_{0};
};

}  // namespace ringcast::ring_test
