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

ExecSink::Delivery ExecSink::delivery_of(const SinkBatch& batch) const {
  Delivery delivery;
  for (const auto& line : batch.lines) {
    if (options_.json) {
      delivery.text += line_json(line, options_.group);
    } else {
      delivery.text.append(line.text) += '\n';
    }
    delivery.ends.push_back(delivery.text.size());
  }
  return delivery;
}

Result<void> ExecSink::write(const SinkBatch& batch) {
  if (!batch.lines.empty()) {
    if (auto delivered = deliver(batch, delivery_of(batch)); !delivered) return delivered;
  }
  return memory_->commit({batch.journal, batch.end});
}

Result<void> ExecSink::deliver(const SinkBatch& batch, const Delivery& delivery) {
  if (!program_) {
    auto program = ProgramProcess::start(options_.command, options_.answers);
    if (!program) return program.error();
    program_.emplace(std::move(program).value());
  }
  answers_before_ = program_->answers();
  const auto wanted = answers_before_ + batch.lines.size();
  const auto taken = program_->write(delivery.text, interruption_);
  const bool is_done = taken == delivery.text.size() &&
                       (options_.answers ? program_->wait_answers(wanted, interruption_)
                                         : program_->wait_read(interruption_));
  if (is_done) return {};
  if (interruption_.is_raised()) return on_interruption(batch, delivery, taken);
  return on_end_of_program(
      batch,
      std::min<std::size_t>(
          static_cast<std::size_t>(program_->answers() - answers_before_), batch.lines.size()));
}

Result<void> ExecSink::keep(const SinkBatch& batch, std::size_t lines) {
  const auto position = lines == 0 ? batch.begin : batch.lines[lines - 1].journal->end;
  return memory_->commit({batch.journal, position});
}

Result<void> ExecSink::on_end_of_program(const SinkBatch& batch, std::size_t answered) {
  const auto how = program_->end();
  program_.reset();
  if (auto kept = keep(batch, answered); !kept) return kept;
  return Error{
      Errc::io,
      options_.command[0] + ": " + how + " before it had " +
          (options_.answers ? "answered" : "read") + " all of its lines; it gets the rest again"};
}

// It will read what is in its pipe to the end: whole lines then.
Result<void> ExecSink::on_interruption(
    const SinkBatch& batch, const Delivery& delivery, std::size_t taken) {
  const auto& name = options_.command[0];
  const auto& ends = delivery.ends;
  auto line =
      static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), taken) - ends.begin());
  const bool is_half = line < ends.size() && taken > (line == 0 ? 0 : ends[line - 1]);
  if (is_half) {
    const auto rest = std::string_view(delivery.text).substr(taken, ends[line] - taken);
    if (program_->write_within(rest, std::chrono::seconds{1}) < rest.size()) {
      program_->kill();  // better the batch again than half a line
      program_.reset();
      return Error{Errc::would_block, name + ": reads nothing"};
    }
    ++line;
  }
  if (options_.answers) line = static_cast<std::size_t>(program_->answers() - answers_before_);
  if (auto kept = keep(batch, std::min(line, batch.lines.size())); !kept) return kept;
  return Error{Errc::would_block, name + ": was not done with all of its lines at the end"};
}

}  // namespace ringcast::ringlog
