// SPDX-License-Identifier: Apache-2.0
//
// What the full screen shows, and what keys do to it, without a terminal.
#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tools/ringlog-monitor/quantities.hpp"
#include "tools/ringlog-monitor/screen/picture.hpp"
#include "tools/ringlog-monitor/screen/view.hpp"

using namespace ringcast::monitor;
using namespace std::chrono_literals;

namespace {

constexpr Instant start = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) + 3h;

std::string line(const std::string& page, int status = 200) {
  return R"({"remote_addr":"c","uri":")" + page + R"(","status":)" + std::to_string(status) +
         R"(,"bytes":10,"duration_ms":5})";
}

struct Watched {
  Analysis analysis{std::move(LineParser::make({})).value(), AnalysisOptions{}};
  View view{"weblogs"};

  void add(const std::string& text, int times = 1) {
    for (int i = 0; i < times; ++i) {
      analysis.add_line(text, {"web1", "p"}, start);
    }
  }
  void press(const std::string& characters) {
    for (const char letter : characters) {
      CHECK(view.press({Key::character, std::string(1, letter)}));
    }
  }
  void press(Key key) { CHECK(view.press({key, {}})); }
  std::vector<std::string> lines(ScreenSize size = {24, 80}) {
    view.refresh({analysis, nullptr});
    std::vector<std::string> texts;
    for (const auto& spans : view.draw(size)) {
      texts.emplace_back();
      for (const auto& span : spans) {
        texts.back() += span.text;
      }
    }
    return texts;
  }
  // Where a line begins that holds the text.
  std::size_t place(const std::string& text, ScreenSize size = {24, 80}) {
    const auto texts = lines(size);
    const auto found = std::find_if(texts.begin(), texts.end(), [&](const std::string& one) {
      return one.find(text) != std::string::npos;
    });
    return static_cast<std::size_t>(found - texts.begin());
  }
  bool shows(const std::string& text, ScreenSize size = {24, 80}) {
    return place(text, size) < size.rows;
  }
};

}  // namespace

TEST_CASE("every tab fits every size of the screen", "[monitor]") {
  Watched watched;
  watched.add(line("/" + std::string(1000, 'x')), 3);
  watched.add(std::string(5000, '\xff'));
  for (const char tab : std::string("1234567h")) {
    watched.press(std::string(1, tab));
    for (const auto size : {ScreenSize{1, 1}, ScreenSize{5, 20}, ScreenSize{50, 200}}) {
      const auto lines = watched.lines(size);
      CHECK(lines.size() == size.rows);
      for (const auto& text : lines) {
        CHECK(columns_of(text) <= size.columns);
      }
    }
  }
}

TEST_CASE("tabs are chosen by number and by arrows", "[monitor]") {
  Watched watched;
  watched.add(line("/a"));
  CHECK(watched.view.tab() == Tab::metrics);
  CHECK(watched.shows("requests 1 "));
  watched.press("4");
  CHECK(watched.shows("/a"));
  watched.press(Key::right);
  CHECK(watched.view.tab() == Tab::clients);
  watched.press(Key::left);
  watched.press(Key::left);
  CHECK(watched.view.tab() == Tab::servers);
  CHECK(watched.shows("web1"));
  watched.press("1");
  watched.press(Key::left);
  CHECK(watched.view.tab() == Tab::ring);
  CHECK(watched.shows("there is no ring"));
  CHECK_FALSE(watched.view.press({Key::character, "q"}));
}

TEST_CASE("rows are sorted by the column that is chosen, either way", "[monitor]") {
  Watched watched;
  watched.add(line("/b"), 3);
  watched.add(line("/a"), 2);
  watched.add(line("/c"), 1);
  watched.press("4");
  CHECK(watched.place("/b") < watched.place("/a"));
  watched.lines();
  watched.press("sssss");  // the last column: the pages
  CHECK(watched.place("/a") < watched.place("/b"));
  CHECK(watched.place("/b") < watched.place("/c"));
  watched.press("r");
  CHECK(watched.place("/c") < watched.place("/b"));
  watched.press("s");  // behind the last one: as it was
  CHECK(watched.place("/b") < watched.place("/a"));
}

TEST_CASE("a filter leaves the rows that contain it, in any case of letters", "[monitor]") {
  Watched watched;
  watched.add(line("/Apple"));
  watched.add(line("/pear"));
  watched.press("4/aPPx");
  CHECK(watched.shows("only rows with: aPPx_"));
  watched.press(Key::backspace);
  watched.press(Key::enter);
  CHECK(watched.shows("/Apple"));
  CHECK_FALSE(watched.shows("/pear"));
  watched.press(Key::escape);
  CHECK(watched.shows("/pear"));
  watched.press("/q");
  watched.press(Key::escape);
  CHECK(watched.shows("/pear"));
}

TEST_CASE("a letter of several bytes is taken back whole", "[monitor]") {
  Watched watched;
  watched.press("/");
  CHECK(watched.view.press({Key::character, "\xc3\xa4"}));
  watched.press(Key::backspace);
  CHECK(watched.shows("only rows with: _"));
}

TEST_CASE("a pause keeps all tabs as they were, until it is over", "[monitor]") {
  Watched watched;
  watched.add(line("/before"));
  watched.press("p");
  CHECK(watched.shows("stands still"));
  watched.add(line("/after"));
  watched.press("4");
  CHECK(watched.shows("/before"));
  CHECK_FALSE(watched.shows("/after"));
  watched.press("p");
  CHECK(watched.shows("/after"));
}

TEST_CASE("scrolling ends at both ends", "[monitor]") {
  Watched watched;
  for (int i = 0; i < 100; ++i) {
    watched.add(line("/page" + std::to_string(i) + "."), 100 - i);
  }
  watched.press("4");
  CHECK(watched.shows("/page0."));
  watched.press(Key::end);
  CHECK(watched.shows("/page99."));
  watched.press(Key::down);
  CHECK(watched.shows("/page99."));
  watched.press(Key::page_up);
  CHECK_FALSE(watched.shows("/page99."));
  watched.press(Key::home);
  watched.press(Key::up);
  CHECK(watched.shows("/page0."));
  watched.press(Key::page_down);
  CHECK_FALSE(watched.shows("/page0."));
}

TEST_CASE("the next table of a tab", "[monitor]") {
  Watched watched;
  watched.add(R"({"remote_addr":"client","status":200,"user_agent":"robot","referer":"there"})");
  watched.press("5");
  CHECK(watched.shows("client"));
  watched.press("v");
  CHECK(watched.shows("there"));
  watched.press("v");
  CHECK(watched.shows("robot"));
  watched.press("v");
  CHECK_FALSE(watched.shows("robot"));
  watched.press("6v");
  CHECK(watched.shows("visitors"));
}

TEST_CASE("bytes of a log cannot drive the terminal", "[monitor]") {
  Watched watched;
  watched.add("\x1b[2J\x1b]0;title\x07 bad line");
  watched.add(R"({"uri":"/\u001b[31m","remote_addr":"\u009b2J","status":200})");
  for (const char tab : std::string("13456")) {
    watched.press(std::string(1, tab));
    for (const auto& text : watched.lines({40, 200})) {
      CHECK(std::none_of(text.begin(), text.end(), [](char letter) {
        const auto code = static_cast<unsigned char>(letter);
        return code < 0x20 || code == 0x7f || code == 0x9b;
      }));
    }
  }
}

TEST_CASE("the ring's tab tells of sessions, daemons and members", "[monitor]") {
  Watched watched;
  RingState ring;
  ring.last_error = "nobody answers";
  watched.view.press({Key::character, "7"});
  watched.view.refresh({watched.analysis, &ring});
  CHECK(watched.view.draw({24, 80})[3].front().text.find("nobody answers") != std::string::npos);
  ring.session = "#mon#d1";
  ring.sessions = 2;
  ring.configuration = ringcast::Configuration{{7, "d1", 1}, {"d1"}, {"d1", "d2", "d3"}};
  watched.view.refresh({watched.analysis, &ring});
  std::string text;
  for (const auto& spans : watched.view.draw({24, 80})) {
    for (const auto& span : spans) {
      text += span.text;
    }
  }
  CHECK(text.find("#mon#d1, number 2") != std::string::npos);
  CHECK(text.find("1 of 3 daemons, no majority") != std::string::npos);
}

TEST_CASE("numbers and times are short", "[monitor]") {
  CHECK(short_number(999) == "999");
  CHECK(short_number(1234) == "1.2k");
  CHECK(short_number(123456) == "123k");
  CHECK(short_number(12345678) == "12.3M");
  CHECK(short_rate(0.25) == "0.2");
  CHECK(short_latency(850) == "850us");
  CHECK(short_latency(12345) == "12.3ms");
  CHECK(short_latency(4560000) == "4.6s");
  CHECK(short_duration(45s) == "45s");
  CHECK(short_duration(754s) == "12:34");
  CHECK(short_duration(11110s) == "3:05:10");
  CHECK(utc(start) == "2026-01-02T03:00:00Z");
  CHECK(fitted("abcdef", 4) == "abc~");
  CHECK(fitted("\xc3\xa4\xc3\xb6\xc3\xbc", 3) == "\xc3\xa4\xc3\xb6\xc3\xbc");
  CHECK(
      shown(
          "a\x1b"
          "b\xff",
          20) == "a\\x1bb\\xff");
}

TEST_CASE("a picture is the screen without its keys, in lines that end", "[monitor]") {
  Watched watched;
  watched.add(line("/a"), 3);
  watched.add(line("/" + std::string(300, 'x')), 2);
  std::string pages;
  append_picture(pages, Tab::pages, "weblogs", {watched.analysis, nullptr}, {10, 60});
  std::istringstream lines(pages);
  std::string text;
  std::vector<std::string> all;
  while (std::getline(lines, text)) {
    CHECK(columns_of(text) <= 60);
    all.push_back(text);
  }
  REQUIRE(all.size() == 7);
  CHECK(all[0].starts_with("ringlog-monitor  weblogs  2026-01-02"));
  CHECK(all[1].find(" 1 Metrics  2 Codes  3 Servers [4 Pages]") != std::string::npos);
  CHECK(all[5].ends_with(" /a"));
  CHECK(pages.find("quit") == std::string::npos);
  std::string metrics;
  append_picture(metrics, Tab::metrics, "weblogs", {watched.analysis, nullptr});
  CHECK(metrics.find("[1 Metrics]") != std::string::npos);
  CHECK(metrics.ends_with("\n"));
  CHECK_FALSE(metrics.ends_with("\n\n"));
}
