// SPDX-License-Identifier: Apache-2.0
//
// Follower: a publisher's stand-in around a TailSet. Real files, an invented clock, no waiting.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/unit/temporary_directory.hpp"
#include "tools/ringlog-publish/tail_set.hpp"

namespace ringcast::ringlog {

inline constexpr std::chrono::sys_seconds today{std::chrono::hours(24 * 20000)};

// Remembers each line by producer and sequence.
struct Follower {
  std::string directory;
  TailSet set;
  TailSet::Instant now{};
  std::vector<std::string> lines;
  std::map<std::pair<ProducerId, std::uint64_t>, std::string> by_seq;
  std::vector<Origin> origins;

  explicit Follower(
      const TemporaryDirectory& where,
      const std::string& pattern = "access.log",
      std::chrono::sys_seconds date = today)
      : directory(where.path()), set(options(where, pattern)) {
    REQUIRE(set.start(now, date));
  }

  Follower(const TemporaryDirectory& where, TailSet::Options options)
      : directory(where.path()), set(std::move(options)) {
    REQUIRE(set.start(now, today));
  }

  static TailSet::Options options(const TemporaryDirectory& where, const std::string& pattern) {
    TailSet::Options made;
    made.patterns = {where / pattern};
    made.checkpoint = where / "tail.json";
    made.name = "web1";
    made.limits.line_bytes_max = 100;
    return made;
  }

  RecordSink sink() {
    return [this](const OutgoingRecord& outgoing) {
      const auto record = decode_record(outgoing.payload);
      REQUIRE(record);
      take_record(*record, outgoing.origin);
    };
  }
  void take_record(const Record& record, Origin origin) {
    origins.push_back(origin);
    const auto* body = std::get_if<Lines>(&record.body);
    if (body == nullptr) {
      lines.push_back("<" + std::to_string(std::get<TooLong>(record.body).bytes) + ">");
      return;
    }
    auto seq = record.first_seq;
    for (const auto& line : body->lines) {
      lines.push_back(line);
      const auto [it, fresh] = by_seq.emplace(std::pair(record.producer.id, seq++), line);
      CHECK((fresh || it->second == line));
    }
  }
  void poll(std::size_t bytes_max = 1 << 20) { (void)set.poll(bytes_max, now, sink()); }
  void finish() { set.finish(sink()); }
  void settle_all() {
    for (const auto& origin : origins) {
      set.on_settled(origin);
    }
    origins.clear();
    REQUIRE(set.save());
  }
  std::vector<std::string> take() { return std::exchange(lines, {}); }
};

using Words = std::vector<std::string>;

}  // namespace ringcast::ringlog
