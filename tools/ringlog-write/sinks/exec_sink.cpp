// SPDX-License-Identifier: Apache-2.0
//
// A batch into a pipe, and a wait until it is empty.
#include "tools/ringlog-write/sinks/exec_sink.hpp"

#include <algorithm>
#include <utility>

#include "tools/ringlog-write/sinks/line_json.hpp"

namespace ringcast::ringlog {

Result<std::optional<SinkPosition>> ExecSink::open(const std::string& /*journal*/) {
  if (!memory_) {
    auto memory = FileMemory::open(options_.memory, true);
    if (!memory) return memory.error();
    memory_.emplace(std::move(memory).value());
  }
  return memory_->position();
}

Result<void> ExecSink::reopen() {
  if (program_) (void)program_->end();
  program_.reset();
  return {};
}

Result<void> ExecSink::write(const SinkBatch& batch) {
  std::string text;
  std::vector<std::size_t> ends;
  for (const auto& line : batch.lines) {
    if (options_.json) {
      text += line_json(line, options_.group);
    } else {
      text.append(line.text) += '\n';
    }
    ends.push_back(text.size());
  }
  if (!text.empty()) {
    if (!program_) {
      auto program = ProgramProcess::start(options_.command);
      if (!program) return program.error();
      program_.emplace(std::move(program).value());
    }
    const auto taken = program_->write(text, interruption_);
    const bool is_read = taken == text.size() && program_->wait_read(interruption_);
    if (!is_read) return on_unread(batch, ends, text, taken);
  }
  return memory_->commit({batch.journal, batch.end});
}

Result<void> ExecSink::on_unread(
    const SinkBatch& batch,
    const std::vector<std::size_t>& ends,
    std::string_view text,
    std::size_t taken) {
  const auto& name = options_.command[0];
  if (!interruption_.is_raised()) {
    const auto how = program_->end();
    program_.reset();
    return Error{Errc::io, name + ": " + how + " before it had read its lines; it gets them again"};
  }
  // It will read what is in its pipe to the end: whole lines then.
  auto line =
      static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), taken) - ends.begin());
  const bool is_half = line < ends.size() && taken > (line == 0 ? 0 : ends[line - 1]);
  if (is_half) {
    const auto rest = text.substr(taken, ends[line] - taken);
    if (program_->write_within(rest, std::chrono::seconds{1}) < rest.size()) {
      program_->kill();  // better the batch again than half a line
      program_.reset();
      return Error{Errc::would_block, name + ": reads nothing"};
    }
    ++line;
  }
  const auto position = line == 0 ? batch.begin : batch.lines[line - 1].journal->end;
  if (auto kept = memory_->commit({batch.journal, position}); !kept) return kept;
  return Error{Errc::would_block, name + ": had not read all of its lines at the end"};
}

}  // namespace ringcast::ringlog
