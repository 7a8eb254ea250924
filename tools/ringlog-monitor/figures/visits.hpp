// SPDX-License-Identifier: Apache-2.0
//
// Visits: who is here now, and how long they stay. A visitor is a client address with a user
// agent; a visit goes on until nothing came for `timeout`. When `visits_max` are open, the one
// idle for longest is ended early, and counted as that. Of `clicks_max` requests of those online
// it is known which way they went; beyond, those idle for longest lose their trail.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tools/ringlog-monitor/figures/histogram.hpp"
#include "tools/ringlog-monitor/figures/instant.hpp"
#include "tools/ringlog-monitor/figures/top.hpp"
#include "tools/ringlog-monitor/figures/trail.hpp"

namespace ringcast::monitor {

struct Visit {
  std::string id;      ///< of the visitor, 32 hex digits; the same at every visit
  std::string client;  ///< cut at 64 bytes, as `server`
  std::string server;  ///< of the last request
  std::string page;    ///< of the last request; cut at 128 bytes
  Instant first{};
  Instant last{};
  std::uint64_t requests{0};
};

/// One request, as visits see it.
struct Hit {
  std::string_view client;
  std::string_view agent;
  std::string_view server;
  std::string_view page;
  std::uint16_t status{0};
};

class Visits {
 public:
  /// With no clicks at all nobody has a trail.
  Visits(std::size_t visits_max, std::chrono::milliseconds timeout, std::size_t clicks_max = 0);
  Visits(Visits&&) = default;
  Visits& operator=(Visits&&) = default;
  Visits(const Visits&) = delete;
  Visits& operator=(const Visits&) = delete;
  ~Visits() = default;

  void add(const Hit& hit, Instant now);
  /// Ends what has been idle for too long.
  void expire(Instant now);

  [[nodiscard]] std::size_t online() const { return open_.size(); }
  [[nodiscard]] std::uint64_t ended() const { return seconds_.count(); }
  /// Of those: ended for want of room.
  [[nodiscard]] std::uint64_t ended_early() const { return ended_early_; }
  /// Of visits that have ended, from the first request to the last.
  [[nodiscard]] const Histogram& seconds() const { return seconds_; }
  [[nodiscard]] const Histogram& requests() const { return requests_; }

  /// Those online, the last active first.
  [[nodiscard]] std::vector<Visit> recent(std::size_t count) const;
  /// What the visitor with that id did, if online and if trails are kept. Valid until the next
  /// change.
  [[nodiscard]] const Trail* trail(std::string_view id) const;
  /// Clicks in all trails together.
  [[nodiscard]] std::size_t clicks() const { return clicks_; }
  /// Pages by the number of visitors who are there, the most visited first.
  [[nodiscard]] std::vector<Top::Entry> pages(std::size_t count) const;

 private:
  struct Key {
    std::uint64_t high{0};
    std::uint64_t low{0};
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return key.low; }
  };
  struct Open {
    Key key;
    Visit visit;
    Trail trail;
  };

  using Place = std::list<Open>::iterator;

  static Key key_of(const Hit& hit);
  /// The visit goes to the end of the list, where the last active ones are.
  void move_to_end(Place visit);
  void follow(Place visit, const Hit& hit, Instant now);
  void cut_trails();
  /// Whose is behind that one in the list, if anyone's.
  std::optional<Place> after(Place visit);
  void end_first();

  std::size_t visits_max_;
  std::chrono::milliseconds timeout_;
  std::size_t clicks_max_;
  std::size_t clicks_{0};
  std::list<Open> open_;              // the longest idle first
  std::optional<Place> first_trail_;  // whoever is before it has none; without it nobody has
  std::unordered_map<Key, Place, KeyHash> index_;
  std::uint64_t ended_early_{0};
  Histogram seconds_;
  Histogram requests_;
};

}  // namespace ringcast::monitor
