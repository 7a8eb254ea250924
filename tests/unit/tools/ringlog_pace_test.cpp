// SPDX-License-Identifier: Apache-2.0
//
// Pace: a publisher waits for writers that are behind, but not for ever.
#include <catch2/catch.hpp>

#include "tools/ringlog-publish/pace.hpp"
#include "tools/ringlog/progress.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;
using namespace std::chrono_literals;

namespace {

Position at(std::uint64_t seq, std::uint64_t ring = 1) {
  return Position{ConfigurationId{ring, "a", 1}, seq, 0};
}

const Pace::Instant start{};

}  // namespace

TEST_CASE("without a word from any writer there is one pause", "[ringlog]") {
  Pace pace(100, 5s);
  pace.on_ordered(at(1), 100);
  CHECK(pace.may_send(start));
  pace.on_ordered(at(2), 1);
  CHECK_FALSE(pace.may_send(start + 1s));
  CHECK(pace.wake_up() == start + 3s);
  for (std::uint64_t seq = 3; seq <= 1000; ++seq) {
    pace.on_ordered(at(seq), 1000);
  }
  CHECK(pace.may_send(start + 3s));
  CHECK_FALSE(pace.wake_up());
  pace.on_ordered(at(1001), 1000);
  CHECK(pace.may_send(start + 3s));
}

TEST_CASE("the first word of a writer ends the pause before it", "[ringlog]") {
  Pace pace(100, 5s);
  pace.on_ordered(at(1), 101);
  CHECK_FALSE(pace.may_send(start));
  pace.on_progress("one", at(1), start);
  CHECK(pace.may_send(start));
}

TEST_CASE("sending pauses while the slowest writer is too far behind", "[ringlog]") {
  Pace pace(100, 5s);
  pace.on_ordered(at(1), 60);
  pace.on_progress("one", at(1), start);
  pace.on_progress("two", at(1), start);
  pace.on_ordered(at(2), 60);
  CHECK(pace.may_send(start));
  pace.on_ordered(at(3), 60);
  CHECK_FALSE(pace.may_send(start));
  pace.on_progress("one", at(3), start + 1s);
  CHECK_FALSE(pace.may_send(start + 1s));
  CHECK(pace.wake_up() == start + 5s);
  pace.on_progress("two", at(2), start + 1s);
  CHECK(pace.may_send(start + 1s));
  CHECK_FALSE(pace.wake_up());
}

TEST_CASE("a writer ahead of what was confirmed to us is not behind", "[ringlog]") {
  Pace pace(100, 5s);
  pace.on_progress("one", at(9), start);
  for (std::uint64_t seq = 1; seq <= 9; ++seq) {
    pace.on_ordered(at(seq), 60);
  }
  CHECK(pace.may_send(start));
  pace.on_ordered(at(1, 2), 101);
  CHECK_FALSE(pace.may_send(start));
}

TEST_CASE("a writer that stays silent is given up and may come back", "[ringlog]") {
  Pace pace(100, 5s);
  pace.on_ordered(at(1), 10);
  pace.on_progress("one", at(1), start);
  pace.on_ordered(at(2), 500);
  CHECK_FALSE(pace.may_send(start + 4999ms));
  CHECK(pace.may_send(start + 5s));
  CHECK(pace.given_up() == std::vector<std::string>{"one"});
  CHECK(pace.given_up().empty());
  pace.on_progress("one", at(1), start + 6s);
  CHECK_FALSE(pace.may_send(start + 6s));
  pace.on_session_end();
  CHECK(pace.may_send(start + 6s));
}

TEST_CASE("progress reads back as it was written and no truncation passes", "[ringlog]") {
  const Progress progress{at(70, 17), at(77, 17)};
  const auto bytes = encode(progress);
  const auto decoded = decode_progress(bytes);
  REQUIRE(decoded);
  CHECK(*decoded == progress);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CHECK_FALSE(decode_progress(std::span(bytes).first(length)));
  }
  CHECK_FALSE(decode_progress(encode(Progress{at(2), at(1)})));
}

TEST_CASE("progress does not reach across configurations", "[ringlog]") {
  Progress progress;
  extend(progress, {at(5), at(6)});
  CHECK(progress == Progress{at(5), at(6)});
  extend(progress, {at(9), at(9)});
  CHECK(progress == Progress{at(5), at(9)});
  extend(progress, {at(2, 2), at(3, 2)});
  CHECK(progress == Progress{at(2, 2), at(3, 2)});
}
