// SPDX-License-Identifier: Apache-2.0
//
// The input is a configuration of ringlog-write, in its own language or, behind a first byte 's',
// in spreadlogd's. Every problem has its place and a remedy, and what has none names groups
// and sinks that can be made.
#include <algorithm>
#include <string_view>

#include "fuzz/check.hpp"
#include "fuzz/heap.hpp"
#include "fuzz/targets.hpp"
#include "tools/ringlog-write/config/spreadlogd.hpp"
#include "tools/ringlog-write/config/writer_config.hpp"

namespace ringcast::fuzz {
namespace {

using namespace ringcast::ringlog;

constexpr std::size_t text_bytes_max = 16384;
constexpr std::size_t expressions_bytes_max = std::size_t{64}
                                              << 20U;  // RE2's own limit is 8 MiB each

void check_sink(const WriterConfig& config, const SinkConfig& sink) {
  check(
      std::any_of(
          config.groups.begin(),
          config.groups.end(),
          [&](const GroupConfig& group) { return group.name == sink.group; }),
      "a sink has its group");
  check(!sink.name.empty() && sink.name.find('/') == std::string::npos, "its name is a word");
  for (const auto& expression : sink.rules.match) {
    check(!expression_problem(expression), "what it is to match is an expression");
  }
  if (sink.type == SinkType::file) {
    check(PathTemplate::parse(sink.file.path, true).ok(), "a file has a path");
  } else if (sink.type == SinkType::exec) {
    check(!sink.exec.command.empty(), "a program has a name");
  }
}

}  // namespace

void writer_configuration(Bytes input) {
  if (input.size() > text_bytes_max) return;
  std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const bool is_spreadlogd = text.starts_with('s');
  if (is_spreadlogd) text.remove_prefix(1);
  const HeapMeter heap;
  const auto read = is_spreadlogd ? read_spreadlogd(text, "/state") : read_writer_config(text);
  heap.check_peak(4096 * input.size() + expressions_bytes_max, "reading a configuration");
  const auto lines = static_cast<unsigned>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const auto& problem : read.problems) {
    check(!problem.problem.empty() && !problem.remedy.empty(), "a problem has a remedy");
    check(problem.at.line <= lines, "a problem is in the file");
  }
  if (!read.problems.empty()) return;
  check(!read.config.groups.empty(), "a sound configuration has a group");
  for (const auto& sink : read.config.sinks) {
    check_sink(read.config, sink);
  }
}

}  // namespace ringcast::fuzz
