// SPDX-License-Identifier: Apache-2.0
//
// Listing, printing, checking and repairing a spool.
#include "tools/ringlog-publish/spool_commands.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <string_view>
#include <sys/file.h>
#include <system_error>
#include <utility>
#include <variant>

#include "tools/common/exit_codes.hpp"
#include "tools/common/json.hpp"
#include "tools/common/output.hpp"
#include "tools/ringlog-publish/spool_frames.hpp"
#include "tools/ringlog-publish/spool_survey.hpp"
#include "tools/ringlog/files.hpp"
#include "tools/ringlog/options.hpp"

namespace ringcast::ringlog {

namespace {

using tools::ExitCode;

constexpr auto program = "ringlog-publish spool";
constexpr std::string_view damaged_ending = ".damaged";
constexpr std::string_view repaired_ending = ".repaired";

struct Choice {
  std::string directory;
  bool json{false};
};

// Segments in order, each behind the damaged file of its number.
Result<std::vector<std::string>> files_in(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  std::filesystem::directory_iterator item(directory, error);
  for (; !error && item != std::filesystem::directory_iterator(); item.increment(error)) {
    auto name = item->path().filename().string();
    auto segment = name;
    if (segment.ends_with(damaged_ending)) segment.resize(segment.size() - damaged_ending.size());
    if (spool_segment_number(segment)) files.push_back(std::move(name));
  }
  if (error) return system_error(directory, "cannot list", error.value());
  std::sort(files.begin(), files.end());
  return files;
}

ExitCode fail(const Error& error) {
  tools::report(program, error.message);
  return ExitCode::failed;
}

std::string state_of(const SpoolSurvey& survey) {
  if (survey.damaged_bytes > 0) {
    return "damaged: " + std::to_string(survey.damaged_bytes) + " bytes are no record";
  }
  if (survey.torn_bytes > 0) {
    return "unfinished: " + std::to_string(survey.torn_bytes) + " bytes at the end";
  }
  return "whole";
}

void print_file(const Choice& choice, const std::string& name, const SpoolSurvey& survey) {
  const tools::Json json = {
      {"file", name},
      {"bytes", survey.bytes},
      {"records", survey.records},
      {"lines", survey.lines},
      {"damaged_bytes", survey.damaged_bytes},
      {"unfinished_bytes", survey.torn_bytes}};
  const auto text = choice.json ? tools::one_line_json(json)
                                : name + "  " + std::to_string(survey.bytes) + " bytes  " +
                                      std::to_string(survey.records) + " records  " +
                                      std::to_string(survey.lines) + " lines  " + state_of(survey);
  (void)tools::print_line(program, text);
}

// Each file, with what is done for each record of it.
ExitCode survey_all(
    const Choice& choice,
    const SurveySink& sink,
    const std::function<ExitCode(const std::string& name, const SpoolSurvey& survey)>& after) {
  const auto files = files_in(choice.directory);
  if (!files) return fail(files.error());
  auto code = ExitCode::done;
  for (const auto& name : *files) {
    auto path = choice.directory;
    path.append("/").append(name);
    const auto survey = survey_segment(path, sink);
    const auto one = survey ? after(name, *survey) : fail(survey.error());
    if (one != ExitCode::done) code = one;
  }
  return code;
}

void ignore(std::string_view /*payload*/, const Record& /*record*/) {}

ExitCode list(const Choice& choice) {
  return survey_all(choice, ignore, [&](const std::string& name, const SpoolSurvey& survey) {
    print_file(choice, name, survey);
    return ExitCode::done;
  });
}

// A last segment whose end is unfinished is what a kill leaves behind, and no damage.
ExitCode verify(const Choice& choice) {
  return survey_all(choice, ignore, [&](const std::string& name, const SpoolSurvey& survey) {
    print_file(choice, name, survey);
    return survey.damaged_bytes == 0 ? ExitCode::done : ExitCode::failed;
  });
}

struct BodyJson {
  tools::Json& json;

  void operator()(const Lines& body) const {
    json["lines"] = tools::Json::array();
    for (const auto& line : body.lines) {
      json["lines"].push_back(line);
    }
  }
  void operator()(const Dropped& body) const {
    json["dropped"] = {{"lines", body.lines}, {"bytes", body.bytes}};
  }
  void operator()(const TooLong& body) const { json["too_long"] = body.bytes; }
  void operator()(const Settle& /*body*/) const {}
};

void print_record(bool as_json, const Record& record) {
  if (as_json) {
    tools::Json json = {
        {"producer", to_string(record.producer.id)},
        {"name", record.producer.name},
        {"first", record.first_seq},
        {"count", range_of(record).count()}};
    std::visit(BodyJson{json}, record.body);
    (void)tools::print_line(program, tools::one_line_json(json));
    return;
  }
  const auto* const lines = std::get_if<Lines>(&record.body);
  if (lines == nullptr) return;  // notes are no lines
  for (const auto& line : lines->lines) {
    (void)std::fwrite(line.data(), 1, line.size(), stdout);
    (void)std::fputc('\n', stdout);
  }
}

ExitCode print_all(const Choice& choice) {
  const auto code = survey_all(
      choice,
      [&](std::string_view /*payload*/, const Record& record) {
        print_record(choice.json, record);
      },
      [&](const std::string& name, const SpoolSurvey& survey) {
        if (survey.damaged_bytes == 0) return ExitCode::done;
        tools::report(program, name + ": " + state_of(survey) + "; repair saves what is whole");
        return ExitCode::failed;
      });
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  return fail(system_error("stdout", "cannot write", errno));
}

// What is whole stays under the segment's name, and the file as it was under another. Whenever
// this is cut off, every record is in a segment.
ExitCode repair_file(const std::string& path, const std::string& content) {
  auto segment = path;
  const bool was_set_aside = segment.ends_with(damaged_ending);
  if (was_set_aside) segment.resize(segment.size() - damaged_ending.size());
  const auto kept = segment + std::string(repaired_ending);
  for (const auto& other : {kept, was_set_aside ? segment : kept}) {
    if (!std::filesystem::exists(other)) continue;
    return fail(Error{Errc::io, other + ": is there already; move it away"});
  }
  std::error_code error;
  if (!was_set_aside) std::filesystem::create_hard_link(path, kept, error);
  if (error) return fail(system_error(kept, "cannot create", error.value()));
  if (!content.empty()) {
    if (const auto written = replace_file(segment, content); !written) return fail(written.error());
  } else if (!was_set_aside) {
    std::filesystem::remove(segment, error);
  }
  if (was_set_aside) std::filesystem::rename(path, kept, error);
  if (error) return fail(system_error(path, "cannot rename or remove", error.value()));
  const auto synced = sync_directory_of(path);
  return synced ? ExitCode::done : fail(synced.error());
}

ExitCode repair(const Choice& choice) {
  const auto lock_path = choice.directory + "/lock";
  const Descriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock.is_open()) return fail(system_error(lock_path, "cannot open", errno));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Error{
        Errc::invalid_argument,
        choice.directory + ": a ringlog-publish spools there; stop it first"});
  }
  std::string content;
  return survey_all(
      choice,
      [&](std::string_view payload, const Record& /*record*/) {
        content += spool_frame(std::as_bytes(std::span(payload)));
      },
      [&](const std::string& name, const SpoolSurvey& survey) {
        const auto whole = std::exchange(content, {});
        if (survey.is_whole() && !name.ends_with(damaged_ending)) return ExitCode::done;
        print_file(choice, name, survey);
        return repair_file(choice.directory + "/" + name, whole);
      });
}

}  // namespace

int run_spool_command(std::vector<std::string> arguments) {
  Choice choice;
  CLI::App app(
      "What lies in a spool of ringlog-publish. Exit codes: 0 done, 1 damaged or failed, 2 wrong "
      "usage.",
      program);
  app.require_subcommand(1);
  app.footer("Example: ringlog-publish spool cat /var/spool/ringlog | tail");
  const std::vector<std::tuple<std::string, std::string, ExitCode (*)(const Choice&)>> commands = {
      {"ls", "One line for each file: bytes, records, lines, and whether it is whole", list},
      {"cat", "Print the lines that wait, in order, with those that damage hides", print_all},
      {"verify", "Like ls, and exits 1 when something is damaged", verify},
      {"repair",
       "Cut off or cut out what is damaged; the rest is sent at the next start. The file as it "
       "was stays as NUMBER.spool.repaired",
       repair}};
  for (const auto& [name, description, function] : commands) {
    auto* const command = app.add_subcommand(name, description);
    command->add_option("DIR", choice.directory, "The directory given as --spool")->required();
    command->add_flag("--json", choice.json, "One JSON object per file or record");
  }
  try {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return exit_code_of(app, error);
  }
  for (const auto& [name, description, function] : commands) {
    if (app.got_subcommand(name)) return static_cast<int>(function(choice));
  }
  return static_cast<int>(ExitCode::usage);
}

}  // namespace ringcast::ringlog
