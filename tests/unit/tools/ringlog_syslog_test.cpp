// SPDX-License-Identifier: Apache-2.0
//
// Syslog: what is the text of a message, how a stream is cut into messages, addresses, and
// senders that cut.
#include <filesystem>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/unit/temporary_directory.hpp"
#include "tools/ringlog-publish/cut_watch.hpp"
#include "tools/ringlog-publish/syslog_address.hpp"
#include "tools/ringlog-publish/syslog_framing.hpp"
#include "tools/ringlog-publish/syslog_message.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;

namespace {

const std::string access_line =
    R"(203.0.113.7 - - [10/Oct/2000:13:55:36 -0700] "GET /a: b HTTP/1.1" 200 23 "-" "x [y]: z")";

std::string text_of(const std::string& message) {
  const auto parsed = parse_syslog(message);
  CHECK(parsed.is_valid);
  return std::string(parsed.text);
}

std::vector<std::string> frames_of(
    const std::vector<std::string>& parts, std::size_t bytes_max = 100) {
  SyslogFraming framing(bytes_max);
  std::vector<std::string> frames;
  const auto sink = [&](const SyslogFrame& frame) {
    frames.push_back(
        (frame.is_valid ? "" : "!") +
        (frame.too_long ? "<" + std::to_string(frame.bytes) + ">" : std::string(frame.text)));
  };
  for (const auto& part : parts) {
    framing.feed(part, sink);
  }
  if (const auto lost = framing.end(sink); lost > 0) {
    frames.push_back("lost " + std::to_string(lost));
  }
  return frames;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("what is unfinished when we end is counted, and no message", "[ringlog]") {
  for (const std::string part : {"<13>half a l", "83 <13>half", "83", "<13>whole\n<13>more"}) {
    SyslogFraming framing(8);
    std::uint64_t frames = 0;
    framing.feed(part, [&](const SyslogFrame& /*frame*/) { ++frames; });
    const auto end = part.rfind('\n');
    const auto head = part.starts_with("83 ") ? 3U : 0U;
    CHECK(framing.abandon() == part.size() - head - (end == part.npos ? 0 : end + 1));
    CHECK(frames == (end == part.npos ? 0 : 1));
    CHECK(framing.abandon() == 0);
  }
}

TEST_CASE("the text of an old message stands behind time, host and tag", "[ringlog]") {
  for (const auto* const head :
       {"<190>Oct 11 22:14:15 web1 nginx: ",
        "<190>Oct  1 22:14:15 nginx: ",
        "<134>Oct 11 22:14:15 haproxy[3245]: ",
        "<13>Oct 11 22:14:15 web1.example.org nginx[1]: ",
        "<13>2023-08-24T05:14:15.000003-07:00 web1 nginx: ",
        "<13>2023-08-24T05:14:15Z fe80::1 a_b-c.d/e: ",
        "<13>Oct 11 22:14:15 web1 haproxy[1]:",
        "<0>nginx: ",
        "<191>"}) {
    INFO(head);
    CHECK(text_of(head + access_line) == access_line);
    CHECK(text_of(head + access_line + "\n") == access_line);
    CHECK(text_of(head + access_line + std::string(1, '\0')) == access_line);
  }
  CHECK(text_of("<13>Oct 11 22:14:15 web1 nginx:  two blanks") == " two blanks");
  CHECK(text_of("<13>Oct 11 22:14:15 web1 no tag here") == "no tag here");
  CHECK(text_of("<13>Oct 11 22:14:15 web1 nginx:").empty());
  CHECK(text_of("<13>no time: at all") == "no time: at all");
}

TEST_CASE("the text of a new message stands behind its structured data", "[ringlog]") {
  const std::string head = "<165>1 2003-08-24T05:14:15.000003-07:00 web1 app 8710 - ";
  CHECK(text_of(head + "- " + access_line) == access_line);
  CHECK(text_of(head + R"([a@1 b="\]\" x"][c@2 d="["] )" + access_line) == access_line);
  CHECK(text_of(head + "- \xEF\xBB\xBF" + access_line) == access_line);
  CHECK(text_of("<1>1 - - - - - -").empty());
  CHECK(text_of("<1>1 - - - - - - ").empty());
}

TEST_CASE("what is no syslog message is text as it is", "[ringlog]") {
  for (const auto* const frame :
       {"plain",
        "<>x",
        "<192>x",
        "<1234>x",
        "<a>x",
        "<13",
        "",
        "<13>1 too few words",
        "<13>1 - - - - - [open x",
        "<13>1 - - - - - x y"}) {
    INFO(frame);
    const auto parsed = parse_syslog(frame);
    CHECK_FALSE(parsed.is_valid);
    CHECK(parsed.text == frame);
  }
}

TEST_CASE("counted and line-wise messages come out whole however they are cut", "[ringlog]") {
  const std::string text = "<1>one\n7 <2>two\n<3>three\n9 <4>f\nour\n8 <5>five!<6>six";
  const Words expected = {"<1>one", "<2>two\n", "<3>three", "<4>f\nour\n", "<5>five!", "<6>six"};
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); ++second) {
      CHECK(
          frames_of(
              {text.substr(0, first), text.substr(first, second - first), text.substr(second)}) ==
          expected);
    }
  }
}

TEST_CASE("a long message is counted to its end, and others come behind it", "[ringlog]") {
  CHECK(frames_of({"12 <1>12345678", "9\n<2>x\n"}, 11) == Words{"<12>", "<2>x"});
  CHECK(frames_of({"<1>123456789\n", "<2>x\n"}, 11) == Words{"<12>", "<2>x"});
  CHECK(frames_of({"999999999 <1>", "x"}, 11) == Words{"lost 4"});
  CHECK(frames_of({std::string(50, 'x'), std::string(50, 'x')}, 11) == Words{"<100>"});
}

TEST_CASE("what begins like a count and is none is told", "[ringlog]") {
  CHECK(frames_of({"10.0.0.1 - -\n<1>x\n"}) == Words{"!10.0.0.1 - -", "<1>x"});
  CHECK(frames_of({"1234567890 <1>x\n"}) == Words{"!1234567890 <1>x"});
  CHECK(frames_of({"0 <1>x\n"}) == Words{"0 <1>x"});
  CHECK(frames_of({"12"}) == Words{"lost 2"});
}

TEST_CASE("addresses of syslog sockets", "[ringlog]") {
  const auto udp = parse_syslog_address("udp:[::1]:514");
  REQUIRE(udp);
  CHECK(udp->host == "::1");
  CHECK(udp->port == "514");
  const auto any = parse_syslog_address("tcp::601");
  REQUIRE(any);
  CHECK(any->host.empty());
  CHECK(any->is_stream());
  for (const auto* const wrong :
       {"",
        "unix",
        "unix:",
        "x:/a",
        "udp:host",
        "udp:host:",
        "udp:host:x",
        "tcp:h:65536",
        "udp:::1:514"}) {
    INFO(wrong);
    const auto address = parse_syslog_address(wrong);
    REQUIRE_FALSE(address);
    CHECK(address.error().code == Errc::invalid_argument);
  }
  CHECK_FALSE(parse_syslog_address("unix:/" + std::string(107, 'x')));
}

TEST_CASE("one looks away from datagrams for as long as the kernel keeps a burst", "[ringlog]") {
  using std::chrono::milliseconds;
  const auto local = parse_syslog_address("unix:/run/log.sock").value();
  const auto udp = parse_syslog_address("udp::514").value();
  // As Debian comes: 512 datagrams, and 208 KiB for each sender, which is less: 166 of them.
  CHECK(rest_within(local, {512, 212992}) == milliseconds{20});
  CHECK(rest_within(local, {4096, 4194304}) == milliseconds{399});
  CHECK(rest_within(local, {200, 4194304}) == milliseconds{24});
  // Of a kernel that keeps ten there is nothing to rest on.
  CHECK(rest_within(local, {10, 4194304}) == milliseconds{0});
  CHECK(rest_within(local, {512, 127 * datagram_cost}) == milliseconds{0});
  CHECK(rest_within(udp, {0, 425984}) == milliseconds{22});
  CHECK(rest_within(udp, {0, 212992}) == milliseconds{0});
}

TEST_CASE("a socket nobody serves is replaced, one in use and other files are not", "[ringlog]") {
  const TemporaryDirectory directory;
  const auto address = parse_syslog_address("unix:" + (directory / "log.sock"));
  REQUIRE(address);
  {
    const auto first = listen_at(*address);
    REQUIRE(first);
    CHECK_FALSE(listen_at(*address));
  }
  CHECK(std::filesystem::exists(directory / "log.sock"));
  CHECK(listen_at(*address));
  std::filesystem::remove(directory / "log.sock");
  write_text(directory / "log.sock", "mine");
  CHECK_FALSE(listen_at(*address));
  CHECK(read_text(directory / "log.sock") == "mine");
}

TEST_CASE("a sender that cuts is told of once, and counted", "[ringlog]") {
  CutWatch watch;
  CHECK_FALSE(watch.see(100));
  CHECK_FALSE(watch.see(1024));
  CHECK_FALSE(watch.see(1024));
  CHECK(watch.see(1024) == 1024U);
  CHECK_FALSE(watch.see(1024));
  CHECK(watch.suspected() == 4);
  CHECK_FALSE(watch.see(1500));  // it was no cut
  CHECK(watch.suspected() == 0);
  for (int i = 0; i < 10; ++i) {
    CHECK_FALSE(watch.see(1500));
  }
  CHECK_FALSE(watch.see(2049));  // with a line end that is not counted
  CHECK_FALSE(watch.see(2049));
  CHECK(watch.see(2049) == 2049U);
}
