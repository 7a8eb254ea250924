// SPDX-License-Identifier: Apache-2.0
//
// The JSON of every event, letter by letter: scripts rely on it.
#include "tools/common/json_events.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "tools/common/utf8.hpp"

using namespace ringcast;
using namespace std::string_view_literals;
using nlohmann::json;

namespace {

template <class T>
std::string line_of(const T& value) {
  std::string out;
  tools::append_json(out, value);
  return out;
}

ConfigurationId sample_configuration() { return {17, "web1", 0x5f0c9a31}; }

Message sample_message(std::string_view payload) {
  Message message;
  message.position = {sample_configuration(), 4211, 3};
  message.sender = {"pub", "web1"};
  message.groups = {"weblogs"};
  const auto bytes = tools::as_bytes(payload);
  message.payload.assign(bytes.begin(), bytes.end());
  return message;
}

NodeStatus sample_status() {
  NodeStatus status;
  status.daemon = "web1";
  status.cluster = "demo";
  status.version = "0.1.0";
  status.state = "operational";
  status.configuration = {sample_configuration(), {"web2", "web1"}, {"web1", "web2", "web3"}};
  status.uptime_s = 12.5;
  status.groups = 2;
  status.sessions = 5;
  status.daemons = {{"web1", "127.0.0.1:4913", true}, {"web3", "127.0.0.3:4913", false}};
  status.warnings = {"the ring is \"unprotected\""};
  status.counters = {{"messages_delivered", 7}, {"tokens", 18446744073709551615U}};
  return status;
}

}  // namespace

TEST_CASE("JSON events: a message") {
  CHECK(
      line_of(sample_message("text")) ==
      R"({"event":"message","groups":["weblogs"],"sender":"#pub#web1","service":"agreed","configuration":"17.web1.5f0c9a31","seq":4211,"index":3,"type":0,"payload":"text"})"
      "\n");
}

TEST_CASE("JSON events: a message delivered transitionally says so, and only then") {
  auto message = sample_message("text");
  CHECK_FALSE(json::parse(line_of(message)).contains("transitional"));
  message.transitional = true;
  message.type = -7;
  message.groups = {"a", "#log1#web2"};
  message.service = Service::safe;
  CHECK(
      line_of(message) ==
      R"({"event":"message","groups":["a","#log1#web2"],"sender":"#pub#web1","service":"safe","configuration":"17.web1.5f0c9a31","seq":4211,"index":3,"type":-7,"transitional":true,"payload":"text"})"
      "\n");
}

TEST_CASE("JSON events: a payload that is not UTF-8 stands in base64") {
  CHECK(
      line_of(sample_message("\xff\x00x"sv)) ==
      R"({"event":"message","groups":["weblogs"],"sender":"#pub#web1","service":"agreed","configuration":"17.web1.5f0c9a31","seq":4211,"index":3,"type":0,"payload_base64":"/wB4"})"
      "\n");
}

TEST_CASE("JSON events: any valid text survives JSON") {
  std::string text;
  for (char character = 0; character < 0x7f; ++character) {
    text += character;
  }
  text += "\x7fgr\xc3\xbc\xc3\x9f\x65 \xe2\x82\xac \xf0\x9f\x98\x80 \xe2\x80\xa8";
  const auto line = line_of(sample_message(text));
  CHECK(line.find('\n') == line.size() - 1);
  CHECK(json::parse(line).at("payload").get<std::string>() == text);
  CHECK(json::parse(line_of(sample_message(""))).at("payload").get<std::string>().empty());
}

TEST_CASE("JSON events: a view") {
  const View view{
      "weblogs",
      "17.web1.5f0c9a31/3",
      Cause::join,
      {{"w", "log2"}},
      {{"pub", "web1"}, {"w", "log1"}, {"w", "log2"}},
      {{"pub", "web1"}, {"w", "log1"}}};
  CHECK(
      line_of(view) ==
      R"({"event":"view","group":"weblogs","id":"17.web1.5f0c9a31/3","cause":"join","who":["#w#log2"],"members":["#pub#web1","#w#log1","#w#log2"],"with_me":["#pub#web1","#w#log1"]})"
      "\n");
}

TEST_CASE("JSON events: a network view names nobody as its cause") {
  const auto line = json::parse(line_of(View{"g", "1.a.00000001/1", Cause::network, {}, {}, {}}));
  CHECK(line.at("cause") == "network");
  CHECK(line.at("who") == json::array());
}

TEST_CASE("JSON events: the small events") {
  CHECK(
      line_of(Transitional{"weblogs"}) == R"({"event":"transitional","group":"weblogs"})"
                                          "\n");
  CHECK(
      line_of(Left{"weblogs"}) == R"({"event":"left","group":"weblogs"})"
                                  "\n");
  CHECK(
      line_of(Configuration{sample_configuration(), {"web2", "web1"}, {"web1", "web2"}}) ==
      R"({"event":"configuration","configuration":"17.web1.5f0c9a31","daemons":["web2","web1"]})"
      "\n");
  CHECK(
      line_of(Closed{"daemon stopped", false}) == R"({"event":"closed","reason":"daemon stopped"})"
                                                  "\n");
  CHECK(
      line_of(Closed{"daemon \xff", true}) ==
      "{\"event\":\"closed\",\"reason\":\"daemon \xef\xbf\xbd\",\"reconnecting\":true}\n");
  CHECK(
      line_of(Reconnected{{"me", "web1"}, {"a", "b"}, {4, 5}}) ==
      R"({"event":"reconnected","name":"#me#web1","groups":["a","b"],"unconfirmed":[4,5]})"
      "\n");
  CHECK(
      line_of(Refused{0, "weblogs", {Errc::limit_exceeded, "too many"}}) ==
      R"({"event":"refused","group":"weblogs","error":"limit_exceeded","reason":"too many"})"
      "\n");
  CHECK(
      line_of(Refused{9, "", {Errc::too_large, "too long"}}) ==
      R"({"event":"refused","ticket":9,"error":"too_large","reason":"too long"})"
      "\n");
}

TEST_CASE("JSON events: a confirmation") {
  const Confirmation confirmation{12, {sample_configuration(), 4211, 3}, true, false};
  CHECK(
      line_of(confirmation) ==
      R"({"event":"confirmation","configuration":"17.web1.5f0c9a31","seq":4211,"index":3,"stable":true,"transitional":false,"ticket":12})"
      "\n");
}

TEST_CASE("JSON events: any event is written as what it is") {
  CHECK(line_of(Event{Left{"g"}}) == line_of(Left{"g"}));
  CHECK(line_of(Event{Closed{"x", false}}) == line_of(Closed{"x", false}));
  CHECK(line_of(Event{sample_message("m")}) == line_of(sample_message("m")));
  CHECK(line_of(Event{Refused{1, "", {}}}) == line_of(Refused{1, "", {}}));
}

TEST_CASE("JSON events: the status") {
  CHECK(
      line_of(sample_status()) ==
      R"({"event":"status","daemon":"web1","cluster":"demo","version":"0.1.0","state":"operational",)"
      R"("configuration":{"id":"17.web1.5f0c9a31","members":["web2","web1"]},"uptime_s":12.5,"groups":2,"sessions":5,)"
      R"("daemons":[{"name":"web1","address":"127.0.0.1:4913","member":true},{"name":"web3","address":"127.0.0.3:4913","member":false}],)"
      R"("warnings":["the ring is \"unprotected\""],"counters":{"messages_delivered":7,"tokens":18446744073709551615}})"
      "\n");
}

TEST_CASE("JSON events: before the first configuration its id is null") {
  const auto line = json::parse(line_of(NodeStatus{}));
  CHECK(line.at("configuration").at("id").is_null());
  CHECK(line.at("configuration").at("members") == json::array());
  CHECK(line.at("counters") == json::object());
}

TEST_CASE("JSON events: the members and the groups") {
  std::string members;
  tools::append_json_members(members, sample_status());
  CHECK(
      members ==
      R"({"event":"members","configuration":"17.web1.5f0c9a31","members":["web2","web1"],)"
      R"("daemons":[{"name":"web1","address":"127.0.0.1:4913","member":true},{"name":"web3","address":"127.0.0.3:4913","member":false}]})"
      "\n");
  CHECK(
      line_of(GroupInfo{"weblogs", {{"w", "log1"}}}) ==
      R"({"event":"group","group":"weblogs","members":["#w#log1"]})"
      "\n");
}
