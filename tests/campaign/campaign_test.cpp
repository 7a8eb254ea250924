// SPDX-License-Identifier: Apache-2.0
//
// That a record says what it says: a story of two daemons, cut off from each other and joined
// again, is judged right; the same story with one line taken out, moved or changed is not. And
// the switch's links, whose damage must be the damage that was asked for.
#include <fstream>
#include <functional>

#include <catch2/catch.hpp>

#include "campaign/figures.hpp"
#include "campaign/judge.hpp"
#include "campaign/knobs.hpp"
#include "campaign/record.hpp"
#include "unit/temporary_directory.hpp"

using namespace ringcast;
using namespace ringcast::campaign;

namespace {

using Lines = std::vector<std::string>;

/// The files of a campaign of two daemons, a and b, each with a witness in the group g.
struct Story {
  Lines log;
  Lines a;
  Lines b;
};

Story story() {
  Story story;
  story.log = {"D 100 a 11", "D 110 b 12", "B 2000 1 cut a", "Z 3000 1", "H 9000"};
  // Configuration 5 of both; 6 of a, 7 of b alone; 9 of both again.
  const auto message = [](const std::string& place,
                          const std::string& sender,
                          const char* flags,
                          const std::string& identity) {
    return "M 1500 " + place + " #w#" + sender + " agreed " + flags + " g " + identity + " ab";
  };
  const auto own = [](int number, int ticket, const std::string& place, const char* flags) {
    return Lines{
        "p 1400 " + std::to_string(number) + " agreed ec 40 g",
        "k 1401 " + std::to_string(number) + " " + std::to_string(ticket),
        "C 1700 " + std::to_string(ticket) + " " + place + " " + flags};
  };
  const auto append = [](Lines& lines, const Lines& more) {
    lines.insert(lines.end(), more.begin(), more.end());
  };
  story.a = {
      "S 200 100001 a 11 w",
      "G 201 1.a.00000001 a",
      "j 202 g",
      "V 203 g 1.a.00000001/1 join #w#a #w#a #w#a",
      "G 500 5.a.00000001 a,b",
      "T 501 g",
      "V 501 g 5.a.00000001/1 network - #w#a,#w#b #w#a",
      message("5.a.00000001 1 0", "b", "-", "200001.1.1")};
  append(story.a, own(1, 2, "5.a.00000001 2 0", "-"));
  append(
      story.a,
      {message("5.a.00000001 2 0", "a", "-", "100001.1.1"),
       message("5.a.00000001 3 0", "b", "-", "200001.2.1"),
       "T 2100 g",
       "G 2200 6.a.00000001 a",
       "V 2201 g 6.a.00000001/1 network - #w#a #w#a",
       "G 3500 9.a.00000001 a,b",
       "T 3501 g",
       "V 3501 g 9.a.00000001/1 network - #w#a,#w#b #w#a",
       message("9.a.00000001 1 0", "b", "-", "200001.3.1"),
       "F 9001"});
  story.b = {
      "S 300 200001 b 12 w",
      "G 301 1.b.00000002 b",
      "j 302 g",
      "V 303 g 1.b.00000002/1 join #w#b #w#b #w#b",
      "G 500 5.a.00000001 a,b",
      "T 501 g",
      "V 501 g 5.a.00000001/1 network - #w#a,#w#b #w#b"};
  append(story.b, own(1, 2, "5.a.00000001 1 0", "-"));
  append(story.b, own(2, 3, "5.a.00000001 3 0", "-"));
  append(
      story.b,
      {message("5.a.00000001 1 0", "b", "-", "200001.1.1"),
       message("5.a.00000001 2 0", "a", "-", "100001.1.1"),
       message("5.a.00000001 3 0", "b", "-", "200001.2.1"),
       "T 2100 g",
       "G 2300 7.b.00000002 b",
       "V 2301 g 7.b.00000002/1 network - #w#b #w#b",
       "G 3500 9.a.00000001 a,b",
       "T 3501 g",
       "V 3501 g 9.a.00000001/1 network - #w#a,#w#b #w#b"});
  append(story.b, own(3, 4, "9.a.00000001 1 0", "-"));
  append(story.b, {message("9.a.00000001 1 0", "b", "-", "200001.3.1"), "F 9001"});
  return story;
}

void write(const std::string& path, const Lines& lines, const std::string& end = {}) {
  std::ofstream file(path);
  for (const std::string& line : lines) {
    file << line << '\n';
  }
  file << end;
}

Recording read(const Story& story, const std::string& cut_line = {}) {
  const TemporaryDirectory folder;
  const std::vector<std::string> paths{
      folder.path() + "/log", folder.path() + "/a", folder.path() + "/b"};
  write(paths[0], story.log);
  write(paths[1], story.a, cut_line);
  write(paths[2], story.b);
  return load(paths);
}

std::map<std::string, std::size_t> violations(const Story& story) {
  Recording recording = read(story);
  REQUIRE(recording.problems.empty());
  return judge(std::move(recording)).violations;
}

/// The line of `lines` that holds `text`; it must be there.
Lines::iterator find(Lines& lines, const std::string& text) {
  const auto found = std::find_if(lines.begin(), lines.end(), [&](const std::string& line) {
    return line.find(text) != std::string::npos;
  });
  REQUIRE(found != lines.end());
  return found;
}

}  // namespace

TEST_CASE("a campaign's records that keep every promise are found to") {
  Recording recording = read(story(), "M 9002 9.a.0000");  // the writer was killed here
  CHECK(recording.problems.empty());
  CHECK(recording.settled);
  const Figures figures = measure(recording);
  CHECK(figures.published == 4);
  CHECK(figures.received == 8);
  CHECK(figures.configurations == 6);
  const Verdict verdict = judge(std::move(recording));
  for (const sim::Violation& violation : verdict.told) {
    UNSCOPED_INFO(violation.invariant << " " << violation.what);
  }
  CHECK(verdict.violations.empty());
  CHECK(verdict.witnessed_configurations == 6);
  CHECK(verdict.witnessed_deliveries == 8);
}

TEST_CASE("a message that one of the records lacks is missed") {
  Story changed = story();
  changed.a.erase(find(changed.a, "M 1500 5.a.00000001 2 0"));
  CHECK(violations(changed).contains("E15"));
}

TEST_CASE("two messages in another order than elsewhere are a cycle") {
  Story changed = story();
  std::swap(
      *find(changed.a, "M 1500 5.a.00000001 2 0"), *find(changed.a, "M 1500 5.a.00000001 3 0"));
  const auto found = violations(changed);
  CHECK(found.contains("E9"));
  CHECK(found.contains("E14"));
}

TEST_CASE("a changed record breaks the promise that it denies") {
  struct Case {
    std::string invariant;
    std::function<void(Story&)> change;
  };
  const auto replace = [](Lines& lines, const std::string& text, const std::string& with) {
    std::string& line = *find(lines, text);
    line.replace(line.find(text), text.size(), with);
  };
  const std::vector<Case> cases{
      {"E1", [&](Story& s) { replace(s.a, "200001.2.1", "200001.9.1"); }},
      {"E1", [&](Story& s) { replace(s.a, "200001.2.1 ab", "200001.2.1 cd"); }},
      {"E2", [&](Story& s) { replace(s.a, "9.a.00000001 1 0", "6.a.00000001 1 0"); }},
      {"E25", [&](Story& s) { replace(s.a, "200001.2.1", "200001.2.0"); }},
      {"G8",
       [&](Story& s) {
         const std::string line = *find(s.a, "M 1500 5.a.00000001 3 0");
         s.a.insert(find(s.a, "M 1500 5.a.00000001 3 0"), line);
       }},
      {"G1",
       [&](Story& s) {
         replace(s.a, "5.a.00000001/1 network - #w#a,#w#b", "5.a.00000001/1 network - #w#a");
       }},
      {"G6", [&](Story& s) { s.a.erase(find(s.a, "T 2100 g")); }},
      {"E18",
       [&](Story& s) {
         // Safe and stable at b, and a goes on to the next configuration without it.
         replace(s.b, "p 1400 2 agreed", "p 1400 2 safe");
         replace(s.b, "C 1700 3 5.a.00000001 3 0 -", "C 1700 3 5.a.00000001 3 0 s");
         replace(s.b, "5.a.00000001 3 0 #w#b agreed", "5.a.00000001 3 0 #w#b safe");
         s.a.erase(find(s.a, "M 1500 5.a.00000001 3 0"));
       }},
      {"E18",
       [&](Story& s) {
         // The same, told by the confirmation alone: b was killed before it read the message.
         replace(s.b, "p 1400 2 agreed", "p 1400 2 safe");
         replace(s.b, "C 1700 3 5.a.00000001 3 0 -", "C 1700 3 5.a.00000001 3 0 s");
         s.a.erase(find(s.a, "M 1500 5.a.00000001 3 0"));
         s.b.erase(find(s.b, "M 1500 5.a.00000001 3 0"), s.b.end());
         s.log.insert(s.log.end() - 1, "X 2500 b 12");
       }},
      {"E24", [&](Story& s) { replace(s.b, "C 1700 3 ", "C 1700 2 "); }},
      {"E24",
       [&](Story& s) { replace(s.b, "C 1700 3 5.a.00000001 3 0", "C 1700 3 5.a.00000001 2 0"); }},
      {"L3", [&](Story& s) { s.b.erase(find(s.b, "C 1700 4 ")); }},
      {"L1", [&](Story& s) { replace(s.a, "G 3500 9.a.00000001 a,b", "G 3500 9.a.00000001 a"); }},
      {"E6", [&](Story& s) { replace(s.a, "G 500 5.a.00000001 a,b", "G 500 5.a.00000001 a"); }},
      {"C2",
       [&](Story& s) {
         s.a.back() = "E 9000 closed the daemon at x closed the connection without a reason";
       }},
      {"G10",
       [&](Story& s) {
         replace(s.a, "9.a.00000001/1 network - #w#a,#w#b", "9.a.00000001/1 network - #w#a");
       }},
  };
  for (const Case& one : cases) {
    Story changed = story();
    one.change(changed);
    const auto found = violations(changed);
    std::string names;
    for (const auto& [name, count] : found) {
      names += name + " ";
    }
    INFO("expected " << one.invariant << ", found " << names);
    CHECK(found.contains(one.invariant));
  }
}

TEST_CASE("what cannot be read is a problem, not a pass") {
  Story changed = story();
  *find(changed.a, "M 1500 5.a.00000001 2 0") = "M 1500 5.a.00000001 two";
  CHECK(read(changed).problems.size() == 1);
  CHECK(load({"/nowhere/record"}).problems.size() == 1);
}

TEST_CASE("a recorder's lines are read back as they were meant") {
  const TemporaryDirectory folder;
  const std::string path = folder.path() + "/record";
  const sim::PayloadId id{.client = 700001, .number = 1};
  const auto payload = sim::make_payload(id, 64);
  {
    Record record;
    REQUIRE(record.open(path));
    record.session(700001, {.session = "w", .daemon = "a"}, 42);
    record.event(Configuration{
        .id = {.seq = 1, .representative = "a", .boot = 7}, .daemons = {"a"}, .configured = {}});
    Publication publication;
    publication.groups = {"g", "#w#a"};
    publication.payload = payload;
    publication.service = Service::safe;
    publication.echo = false;
    record.publish(id, publication);
    record.taken(1, 5);
    Message message;
    message.position = {
        .configuration = {.seq = 1, .representative = "a", .boot = 7}, .seq = 3, .index = 1};
    message.sender = {.session = "w", .daemon = "a"};
    message.groups = publication.groups;
    message.service = Service::safe;
    message.transitional = true;
    message.payload = payload;
    record.event(message);
  }
  const Recording recording = load({path});
  REQUIRE(recording.problems.empty());
  REQUIRE(recording.sessions.sessions.size() == 1);
  const auto& events = recording.sessions.sessions[0].events;
  REQUIRE(events.size() == 3);
  CHECK(recording.notes[0].daemon_pid == 42);
  CHECK(recording.notes[0].recorder == 7);
  const auto& publish = std::get<sim::Published>(events[1].what);
  CHECK(publish.ticket == 5);
  CHECK(publish.service == Service::safe);
  CHECK_FALSE(publish.echo);
  CHECK(publish.groups == Lines{"g", "#w#a"});
  const auto& received = std::get<sim::Received>(events[2].what);
  CHECK(received.event.transitional);
  CHECK(received.event.seq == Seq{3});
  REQUIRE(received.payload.has_value());
  CHECK(received.payload->intact);
  CHECK(received.payload->id == publish.id);
  CHECK(received.hash == sim::look_into(payload).hash);
}

TEST_CASE("a link of the switch does the damage it was asked for, and no other") {
  Link link{1};
  Frame frame(200, std::byte{1});
  const Frame whole = frame;
  CHECK(link.decide(frame) == std::vector{std::chrono::microseconds{0}});
  CHECK(frame == whole);
  REQUIRE(turn(link.knobs, "loss=1"));
  CHECK(link.decide(frame).empty());
  link.knobs = {};
  REQUIRE(turn(link.knobs, "duplicate=1"));
  REQUIRE(turn(link.knobs, "delay=300"));
  CHECK(link.decide(frame) == std::vector(2, std::chrono::microseconds{300}));
  link.knobs = {};
  REQUIRE(turn(link.knobs, "bytes_max=199"));
  CHECK(link.decide(frame).empty());
  CHECK_FALSE(turn(link.knobs, "loss=2"));
  CHECK_FALSE(turn(link.knobs, "los=0.1"));
  CHECK_FALSE(turn(link.knobs, "loss=x"));
}

TEST_CASE("a corrupted datagram reaches the daemon: its UDP checksum is taken away") {
  Frame frame(14 + 20 + 8 + 100, std::byte{0});
  frame[12] = std::byte{0x08};
  frame[14] = std::byte{0x45};
  frame[23] = std::byte{17};
  frame[40] = frame[41] = std::byte{0x55};
  const Frame whole = frame;
  sim::Random random{1};
  corrupt(frame, random);
  CHECK(frame[40] == std::byte{0});
  CHECK(frame[41] == std::byte{0});
  CHECK(std::equal(frame.begin(), frame.begin() + 40, whole.begin()));
  CHECK_FALSE(std::equal(frame.begin() + 42, frame.end(), whole.begin() + 42));
}
