// SPDX-License-Identifier: Apache-2.0
//
// GROUP[,GROUP...] on the command line, and errors as exit codes.
#include "tools/common/destinations.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tools/common/exit_codes.hpp"

using namespace ringcast;
using tools::ExitCode;
using tools::parse_destinations;

TEST_CASE("destinations are split at commas and checked one by one") {
  CHECK(parse_destinations("weblogs").value() == std::vector<std::string>{"weblogs"});
  CHECK(
      parse_destinations("a,#log1#web2,b").value() ==
      std::vector<std::string>{"a", "#log1#web2", "b"});
  for (const auto* text : {"", ",", "a,", ",a", "a,,b", "a b", "#x", "a;b"}) {
    INFO('"' << text << '"');
    CHECK_FALSE(parse_destinations(text).ok());
  }
}

TEST_CASE("a message goes to 64 groups at most") {
  std::string text = "g0";
  for (int i = 1; i < 64; ++i)
    text += ",g" + std::to_string(i);
  CHECK(parse_destinations(text).value().size() == 64);
  const auto parsed = parse_destinations(text + ",one-more");
  REQUIRE_FALSE(parsed.ok());
  CHECK(parsed.error().message.find("64 groups at most, not 65") != std::string::npos);
}

TEST_CASE("exit codes tell scripts what happened") {
  CHECK(tools::exit_code_of({Errc::unreachable, ""}) == ExitCode::unreachable);
  CHECK(tools::exit_code_of({Errc::timed_out, ""}) == ExitCode::timed_out);
  CHECK(tools::exit_code_of({Errc::invalid_argument, ""}) == ExitCode::usage);
  CHECK(tools::exit_code_of({Errc::too_large, ""}) == ExitCode::failed);
  CHECK(tools::exit_code_of({Errc::closed, ""}) == ExitCode::failed);
  CHECK(tools::exit_code_of_connect({Errc::timed_out, ""}) == ExitCode::unreachable);
  CHECK(tools::exit_code_of_connect({Errc::name_in_use, ""}) == ExitCode::failed);
}
