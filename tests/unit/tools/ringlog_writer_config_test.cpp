// SPDX-License-Identifier: Apache-2.0
//
// Configurations of ringlog-write: every mistake has its place and its remedy.
#include <algorithm>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>

#include "tests/unit/temporary_directory.hpp"
#include "tools/ringlog-write/config/spreadlogd.hpp"
#include "tools/ringlog-write/config/writer_config.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;

namespace {

std::vector<std::string> described(const std::vector<ConfigProblem>& problems) {
  std::vector<std::string> texts;
  for (const auto& problem : problems) {
    texts.push_back(describe("F", problem));
  }
  return texts;
}

const std::string group_text = "[[group]]\nname = 'g'\n";

/// The one problem of a sink with these lines, which begin in line 4.
std::string sink_problem(const std::string& text) {
  const auto read = read_writer_config(group_text + "[[sink]]\n" + text);
  const auto texts = described(read.problems);
  REQUIRE(texts.size() == 1);
  return texts[0];
}

}  // namespace

TEST_CASE("a configuration of groups and sinks reads as it says", "[sinks]") {
  const auto read = read_writer_config(R"(
[writer]
socket = "/run/s"
state = "/st"
status_interval = "2s"
[[group]]
name = "a"
[[group]]
name = "b"
journal = "/j"
adopt = true
[[sink]]
group = "a"
type = "file"
path = "/p/{vhost}"
split_vhost = true
match = ["x", "y"]
timestamp = "CommonLogFormat"
rotate_bytes = "2MiB"
rotate_every = "60m"
compress = "zstd"
fsync = "never"
mode = "0600"
[[sink]]
group = "b"
name = "run"
type = "exec"
command = "true"
output = "json"
start = "end"
)");
  CHECK(described(read.problems).empty());
  const auto& config = read.config;
  CHECK(config.socket == "/run/s");
  CHECK(config.status_interval == std::chrono::seconds{2});
  REQUIRE(config.groups.size() == 2);
  CHECK(config.groups[0].journal == "/st/a.journal");
  CHECK((config.groups[1].journal == "/j" && config.groups[1].adopt));
  REQUIRE(config.sinks.size() == 2);
  const auto& file = config.sinks[0];
  CHECK((file.name == "file" && file.rules.vhost && file.rules.match.size() == 2));
  CHECK(file.rules.timestamp == common_log_format);
  CHECK((file.file.rotate_bytes == 2097152 && file.file.rotate_every == std::chrono::hours{1}));
  CHECK((file.file.compress == Compression::zstd && !file.file.sync && file.file.mode == 0600));
  const auto& exec = config.sinks[1];
  CHECK((exec.exec.command == std::vector<std::string>{"true"} && exec.exec.json && exec.from_end));
}

TEST_CASE("a mistake in a sink is told with its place and its remedy", "[sinks]") {
  struct Case {
    std::string text;
    std::string problem;
  };
  const std::vector<Case> cases{
      {"path = '/p'", "F:3:1: this [[sink]] has no type; add type = "},
      {"type = 'fiel'", "F:4:8: there is no sink of type \"fiel\"; did you mean \"file\"?"},
      {"type = 'file'", "F:3:1: this [[sink]] has no path; add path = \"/...\""},
      {"type = 'file'\npath = 'p'", "F:5:8: path is \"p\"; it must be absolute"},
      {"type = 'file'\npath = '/p/{host}'",
       "F:5:8: path is \"/p/{host}\"; \"{host\" is no field; write {group}, "},
      {"type = 'file'\npath = '/p/{vhost}'",
       "F:3:1: its path has {vhost} and its lines are not split; add split_vhost"},
      {"type = 'file'\npath = '/p'\nrotate_bytes = 5",
       "F:6:16: rotate_bytes is out of range; choose a value from 1KiB to 1TiB"},
      {"type = 'file'\npath = '/p'\nrotate = 5",
       "F:6:1: unknown key \"rotate\" in [sink]; did you mean "},
      {"type = 'file'\npath = '/p'\nmatch = ['(']", "F:6:9: \"(\" is no regular expression: "},
      {"type = 'file'\npath = '/p'\nmatch = [5]",
       "F:6:10: match is an integer and must be a list of strings; "},
      {"type = 'file'\npath = '/p'\ncommand = ['x']",
       "F:6:1: command is no option of a sink of type file; remove it"},
      {"type = 'file'\npath = '/p'\nowner = 'no-such-user'",
       "F:6:9: there is no user no-such-user; write "},
      {"type = 'file'\npath = '/p'\nmode = '0444'", "F:6:8: mode is \"0444\"; write octal digits"},
      {"type = 'file'\npath = '/p'\ncompress = 'lz4'",
       "F:6:12: compress is \"lz4\"; write \"none\", "},
      {"type = 'file'\npath = '/p'\ngroup = 'h'",
       "F:3:1: there is no group \"h\"; did you mean \"g\"?"},
      {"type = 'file'\npath = '/p'\nutc = 'yes'",
       "F:6:7: utc is \"yes\" and must be true or false; "},
      {"type = 'exec'\ncommand = []", "F:5:11: command is empty; name a program"},
      {"type = 'sqlite'\ndatabase = '/d'\ntable = 'a;b'", "F:6:9: table is \"a;b\"; use up to 40"},
      {"type = 'sqlite'\ndatabase = '/d'\nformat = 'nope'", "F:6:10: "},
      {"type = 'postgresql'", "F:3:1: this [[sink]] has no connection; add connection"},
      {"type = 'stdout'\n[[sink]]\ntype = 'stdout'",
       "F:5:1: the name \"stdout\" is used by the [[sink]] in line 3; "},
      {"type = 'file'\npath = '/p'\n[[sink]]\ntype = 'file'\nname = 'x'\npath = '/p'",
       "F:6:1: the path \"/p\" is used by the [[sink]] in line 3; "}};
  for (const auto& [text, problem] : cases) {
    CAPTURE(text);
    CHECK_THAT(sink_problem(text), Catch::Matchers::StartsWith(problem));
  }
}

TEST_CASE("mistakes in groups and tables are told", "[sinks]") {
  const auto problems = [](const std::string& text) {
    return described(read_writer_config(text).problems);
  };
  CHECK(problems("[[group]]\n")[0] == "F:1:1: this [[group]] has no name; add name = \"...\"");
  CHECK_THAT(
      problems(group_text + group_text)[0],
      Catch::Matchers::StartsWith("F:3:1: group \"g\" stands in line 1 already; "));
  CHECK_THAT(
      problems("[[group]]\nname = 'a'\njournal = '/j'\n[[group]]\nname = 'b'\njournal = '/j'\n")[0],
      Catch::Matchers::StartsWith("F:4:1: journal \"/j\" is that of group \"a\"; "));
  CHECK_THAT(
      problems("[group]\nname = 'a'\n")[0],
      Catch::Matchers::Contains("single table; write [[group]]"));
  CHECK_THAT(
      problems(group_text + "[sinks]\n")[0], Catch::Matchers::Contains("did you mean [sink]?"));
  CHECK_THAT(
      problems("soket = '/s'\n" + group_text)[0],
      Catch::Matchers::Contains("did you mean \"socket\" in [writer]?"));
  CHECK_THAT(
      problems("= 1\n")[0],
      Catch::Matchers::Contains("conf/ringlog-write.toml shows every option"));
}

TEST_CASE("a group says how much of its journal is kept", "[sinks]") {
  const auto read = [](const std::string& text) {
    return read_writer_config("[[group]]\nname = 'g'\n" + text);
  };
  const auto all = read("");
  REQUIRE(all.problems.empty());
  CHECK_FALSE(all.config.groups[0].keep.is_limited());
  const auto some = read("keep_bytes = \"20GiB\"\nkeep_time = \"14d\"\n");
  REQUIRE(some.problems.empty());
  CHECK(some.config.groups[0].keep.bytes == std::uint64_t{20} << 30U);
  CHECK(some.config.groups[0].keep.time == std::chrono::hours{14 * 24});
  CHECK_FALSE(some.config.groups[0] == all.config.groups[0]);  // a reload begins it anew
  CHECK_THAT(
      described(read("keep_bytes = \"1KiB\"\n").problems)[0],
      Catch::Matchers::Contains("keep_bytes is out of range; choose a value from 1MiB to 1024TiB"));
  CHECK_THAT(
      described(read("keep_time = \"1s\"\n").problems)[0],
      Catch::Matchers::Contains("keep_time is out of range; choose a value from 1m to 36600d"));
}

TEST_CASE("conf/ringlog-write.toml shows every option, and reads without a problem", "[sinks]") {
  const auto text = read_text(std::string(RINGCAST_SOURCE_DIR) + "/conf/ringlog-write.toml");
  const auto read = read_writer_config(text);
  CHECK(described(read.problems).empty());
  for (const auto& key : writer_config_keys()) {
    const auto name = key.substr(key.find('.') + 1);
    CAPTURE(name);
    CHECK(
        (text.find("\n" + name + " = ") != std::string::npos ||
         text.find("\n# " + name + " = ") != std::string::npos));
  }
  // With the comment signs of its options removed it is still valid.
  std::istringstream lines(text);
  std::string uncommented;
  for (std::string line; std::getline(lines, line);) {
    const auto key =
        line.rfind("# ", 0) == 0 ? line.substr(2, line.find(" = ") - 2) : std::string();
    const bool is_option =
        !key.empty() && key.find(' ') == std::string::npos && line.find(" = ") != std::string::npos;
    uncommented += (is_option || line.rfind("# [[", 0) == 0 ? line.substr(2) : line) + "\n";
  }
  CHECK(described(read_writer_config(uncommented).problems).empty());
  CHECK(read_writer_config(uncommented).config.sinks.size() == 5);
}

TEST_CASE("spreadlogd's grammar is understood", "[sinks]") {
  const auto read = read_spreadlogd(
      R"(# sample
BufferSize = 65536
ModuleDir = /opt/modules
LoadModule online "*:8989"
PerlLib /opt/perl
PerlUse Custom::Logger
PythonImport custom
Spread {
  Port = 4913@host
  Host = other
  Log {
    RewriteTimestamp = CommonLogFormat
    Group = one
    File = "/var/log/one 100%.log"
    Match = ^GET=x
    Match = 'POST [a-z]+'
    ModuleLog online
    PerlLog Custom::Logger::log
    PerlHup Custom::Logger::hup
    PythonLog custom.log
  }
  Log { Group = two VhostDir = /var/log/vhosts File = /dev/null }
}
Spread { Log { Group = three File = "| rotatelogs /x 86400" } })",
      "/st");
  CHECK(described(read.problems).empty());
  const auto& config = read.config;
  REQUIRE(config.groups.size() == 3);
  CHECK(config.groups[1].journal == "/st/two.journal");
  REQUIRE(config.sinks.size() == 5);
  const auto& file = config.sinks[0];
  CHECK((file.type == SinkType::file && file.name == "file-1"));
  CHECK(file.file.path == "/var/log/one 100%%.log");
  CHECK(file.rules.match == std::vector<std::string>{"^GET=x", "POST [a-z]+"});
  CHECK(file.rules.timestamp == common_log_format);
  const auto& perl = config.sinks[1];
  CHECK((perl.type == SinkType::exec && perl.exec.json && perl.rules.match.empty()));
  CHECK(perl.exec.command[0] == "perl");
  CHECK(std::count(perl.exec.command.begin(), perl.exec.command.end(), "-MCustom::Logger") == 1);
  CHECK(config.sinks[2].exec.command[4].find("custom.log(") != std::string::npos);
  CHECK((config.sinks[3].file.path == "/var/log/vhosts/{vhost}" && config.sinks[3].rules.vhost));
  CHECK(
      config.sinks[4].exec.command ==
      std::vector<std::string>{"/bin/sh", "-c", " rotatelogs /x 86400"});
  // What is otherwise than its author may think is said, in the order of the file.
  std::vector<unsigned> lines;
  for (const auto& note : read.notes) {
    lines.push_back(note.at.line);
  }
  CHECK(lines == std::vector<unsigned>{2, 3, 4, 9, 10, 17, 18, 19, 20, 22});
}

TEST_CASE("mistakes in spreadlogd's configuration have their place", "[sinks]") {
  struct Case {
    std::string text;
    std::string problem;
  };
  const std::vector<Case> cases{
      {"", "F:1:1: there is no Log block"},
      {"Spread {\n  Log {\n    Grup = a\n  }\n}",
       "F:3:5: unknown word \"Grup\"; did you mean \"Group\"?"},
      {"Spread {\n  Log { Group = a File = /f",
       "F:1:1: this Spread block does not end; close it with }"},
      {"Spread { Log { Group = a File = /f } } }", "F:1:40: \"}\" has no place here"},
      {"Spread { Log { File = /f } }", "F:1:10: this Log has no Group"},
      {"Spread { Log { Group = a } }", "F:1:10: this Log writes nowhere"},
      {"Spread { Log { Group = a File = f } }",
       "F:1:33: \"f\" cannot be written; it must be absolute"},
      {"Spread { Log { Group = 'a b' File = /f } }", "F:1:24: \"a b\" is no group"},
      {"Spread { Log { Group = a File = /f Match = '(' } }",
       "F:1:44: \"(\" is no regular expression"},
      {"Spread { Log { Group = a File = '/f } }",
       "F:1:33: a string that does not end; close it with '"},
      {"Spread { Log { Group a File = /f } }", "F:1:22: no = behind Group"},
      {"Spread { Log { Group = { } } }", "F:1:24: Group has no value"},
      {"Spread Log", "F:1:8: no { behind Spread"},
      {"PerlUse 'a;b'", "F:1:9: \"a;b\" is not the name of a Perl module"},
      {"Spread { Log { Group = a PerlLog 'x();system' } }",
       "F:1:34: \"x();system\" is not the name of a Perl function"}};
  for (const auto& [text, problem] : cases) {
    CAPTURE(text);
    const auto texts = described(read_spreadlogd(text, "/st").problems);
    REQUIRE_FALSE(texts.empty());
    CHECK(std::any_of(texts.begin(), texts.end(), [&, start = problem](const std::string& found) {
      return found.starts_with(start);
    }));
  }
}

TEST_CASE("no bytes keep the reading of spreadlogd's configuration from its end", "[sinks]") {
  const std::string sound =
      "Spread{Log{Group=a File='/f' Match=x VhostDir=/v PerlLog a::b}}LoadModule x";
  for (std::size_t cut = 0; cut <= sound.size(); ++cut) {
    (void)read_spreadlogd(sound.substr(0, cut), "/st");
    for (const char byte : {'\0', '{', '}', '=', '#', '"', '\n', '\xff'}) {
      auto text = sound;
      text.insert(cut, 1, byte);
      const auto read = read_spreadlogd(text, "/st");
      for (const auto& problem : read.problems) {
        CHECK((problem.at.line >= 1 && !problem.problem.empty() && !problem.remedy.empty()));
      }
      // Nothing half understood is written somewhere.
      if (read.problems.empty()) CHECK_FALSE(read.config.groups.empty());
    }
  }
  const std::string deep(100000, '{');
  CHECK_FALSE(read_spreadlogd(deep, "/st").problems.empty());
  CHECK_FALSE(read_spreadlogd("Spread" + deep, "/st").problems.empty());
}
