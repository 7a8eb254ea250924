// SPDX-License-Identifier: Apache-2.0
//
// Events for people: one line each, whatever is in them.
#include "tools/common/text_events.hpp"

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "tools/common/utf8.hpp"

using namespace ringcast;

namespace {

std::string line_of(const Event& event) {
  std::string out;
  tools::append_text(out, event);
  return out;
}

Message message_of(std::string_view payload) {
  Message message;
  message.sender = {"pub", "web1"};
  message.groups = {"weblogs", "all"};
  const auto bytes = tools::as_bytes(payload);
  message.payload.assign(bytes.begin(), bytes.end());
  return message;
}

}  // namespace

TEST_CASE("text events: a message shows where it came from and its text") {
  CHECK(line_of(message_of("hello")) == "[weblogs,all] #pub#web1: hello\n");
  CHECK(line_of(message_of("hello\n")) == "[weblogs,all] #pub#web1: hello\n");
  CHECK(line_of(message_of("a\nb\n\n")) == "[weblogs,all] #pub#web1: a\\nb\\n\n");
  auto message = message_of("");
  message.type = 4;
  message.transitional = true;
  CHECK(line_of(message) == "[weblogs,all] #pub#web1 type 4 (transitional): \n");
}

TEST_CASE("text events: every event is one line") {
  const Event events[] = {
      message_of("x\r\ny"),
      View{"g", "1.a.00000001/1", Cause::network, {}, {{"m", "a"}}, {{"m", "a"}}},
      View{"g", "1.a.00000001/2", Cause::leave, {{"m", "a"}}, {{"n", "a"}}, {{"n", "a"}}},
      Transitional{"g"},
      Left{"g"},
      Configuration{{1, "a", 1}, {"a"}, {"a", "b"}},
      Confirmation{1, {{1, "a", 1}, 2, 3}, true, true},
      Reconnected{{"m", "a"}, {"g"}, {1}},
      Closed{"line\nline", true},
      Refused{1, "g", {Errc::io, "no\nspace"}}};
  for (const auto& event : events) {
    const auto line = line_of(event);
    INFO(line);
    CHECK(std::count(line.begin(), line.end(), '\n') == 1);
    CHECK(line.back() == '\n');
  }
}

TEST_CASE("text events: a network view shows who came along") {
  CHECK(
      line_of(View{
          "g", "1.a.00000001/1", Cause::network, {}, {{"m", "a"}, {"n", "b"}}, {{"m", "a"}}}) ==
      "-- g: network; members #m#a #n#b; with me #m#a; view 1.a.00000001/1\n");
}

TEST_CASE("text events: members are listed with those that are away") {
  NodeStatus status;
  status.daemons = {{"web1", "127.0.0.1:4913", true}, {"longer", "[::1]:4913", false}};
  std::string out;
  tools::append_text_members(out, status);
  CHECK(out == "web1    127.0.0.1:4913  member\nlonger  [::1]:4913      away\n");
}
