// SPDX-License-Identifier: Apache-2.0
#include "daemon/logging.hpp"

#include <catch2/catch.hpp>

namespace ringcast {

TEST_CASE("repeated warnings are held back and counted", "[logging]") {
  RateLimit limit(2, std::chrono::seconds(10));
  const RateLimit::Clock::time_point start{std::chrono::hours(1)};
  CHECK(limit.admit("a", start) == 0);
  CHECK(limit.admit("a", start) == 0);
  CHECK_FALSE(limit.admit("a", start));
  CHECK_FALSE(limit.admit("a", start + std::chrono::seconds(9)));
  CHECK(limit.admit("b", start) == 0);
  CHECK(limit.admit("a", start + std::chrono::seconds(10)) == 2);
  CHECK(limit.admit("a", start + std::chrono::seconds(10)) == 0);
  CHECK_FALSE(limit.admit("a", start + std::chrono::seconds(10)));
}

TEST_CASE("a trace event is one line of sentence and pairs", "[logging]") {
  TraceEvent event;
  event.kind = TraceKind::token_lost;
  event.text = "no token for 400ms -> gather";
  CHECK(trace_line(event) == "no token for 400ms -> gather event=token_lost");
  event.ring = RingId{.seq = 7, .representative = NodeId{1}, .boot = BootId{2}};
  event.seq = Seq{12};
  event.count = 3;
  CHECK(
      trace_line(event) ==
      "no token for 400ms -> gather event=token_lost ring=7.00000001.00000002 seq=12 count=3");
}

TEST_CASE("log levels have names", "[logging]") {
  CHECK(parse_trace_level("warn") == TraceLevel::warn);
  CHECK(parse_trace_level("trace") == TraceLevel::trace);
  CHECK_FALSE(parse_trace_level("warning"));
  CHECK_FALSE(parse_trace_level(""));
}

}  // namespace ringcast
