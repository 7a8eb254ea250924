// SPDX-License-Identifier: Apache-2.0
//
// Read, choose, hand over, and again.
#include "tools/ringlog-write/sinks/sink_runner.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace ringcast::ringlog {

namespace {

constexpr double ms_per_second = 1000;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

SinkRunner::SinkRunner(std::unique_ptr<Sink> sink, Journal& journal, SinkRunnerOptions options)
    : sink_(std::move(sink)),
      journal_(journal),
      options_(std::move(options)),
      rules_(options_.rules),
      thread_([this] { run(); }) {}

SinkRunner::~SinkRunner() {
  is_stopped_ = true;
  journal_.wake();
  sink_->interrupt();
  if (thread_.joinable()) thread_.join();
}

void SinkRunner::wait_end() {
  {
    std::unique_lock lock(mutex_);
    ended_.wait_until(lock, finish_at_, [this] { return is_ended_; });
  }
  is_stopped_ = true;
  journal_.wake();
  sink_->interrupt();
  if (thread_.joinable()) thread_.join();
}

void SinkRunner::reopen() {
  wants_reopen_ = true;
  journal_.wake();
}

void SinkRunner::finish(Clock::time_point deadline) {
  {
    const std::lock_guard lock(mutex_);
    finish_at_ = deadline;
  }
  is_finishing_ = true;
  journal_.wake();
}

void SinkRunner::run() {
  // Until the journal is open there is nothing to compare positions with.
  journal_.wait_open([this] { return is_stopped_ || is_finishing_; });
  while (!is_stopped_) {
    const auto done = step();
    if (!done) {
      on_failure(done.error());
      if (is_finishing_) is_stopped_ = true;
      pause();
      continue;
    }
    if (trouble_.on_success(Trouble::Instant::clock::now())) options_.tell("writing again");
    const std::lock_guard lock(mutex_);
    figures_.trouble.clear();
  }
  const std::lock_guard lock(mutex_);
  is_ended_ = true;
  ended_.notify_all();
}

Result<void> SinkRunner::step() {
  if (journal_.id().empty()) {  // the end came first
    is_stopped_ = true;
    return {};
  }
  if (reader_ && id_ != journal_.id()) reader_.reset();  // it was cut
  if (!reader_) {
    if (auto ready = prepare(); !ready) return ready;
  }
  if (wants_reopen_.exchange(false)) {
    if (auto reopened = sink_->reopen(); !reopened) return reopened;
  }
  if (const auto jump = journal_.jump_at(position_)) return take_jump(*jump);
  if (journal_.kept() > position_) return take_batch();
  if (is_finishing_) {
    is_stopped_ = true;
    return {};
  }
  journal_.wait(
      position_, std::nullopt, [this] { return is_stopped_ || is_finishing_ || wants_reopen_; });
  return {};
}

Result<void> SinkRunner::prepare() {
  id_ = journal_.id();
  const auto position = sink_->open(id_);
  if (!position) return position.error();
  const auto& known = *position;
  position_ = journal_.front();
  const auto place = known ? journal_.place_of(known->journal, known->offset) : std::nullopt;
  if (place) {
    position_ = *place;
    if (position_ < known->offset) tell_cut(known->offset - position_);
  } else if (known) {
    options_.tell(
        journal_.path() + ": is another journal than the last time; beginning with its first line");
  } else if (options_.from_end) {
    position_ = journal_.kept();
    // Remembered, or lines would be missed when it does not end before the next start.
    if (auto kept = sink_->write(SinkBatch{id_, position_, position_, {}}); !kept) {
      return kept;
    }
  }
  if (!place && !options_.from_end && position_ > 0) {
    options_.tell(
        journal_.path() + ": what stood in front of byte " + std::to_string(position_) +
        " is not kept any more; beginning there");
  }
  return go_on_at(position_);
}

Result<void> SinkRunner::go_on_at(std::uint64_t position) {
  auto reader = JournalReader::open(journal_.path(), position);
  if (!reader) return reader.error();
  reader_.emplace(std::move(reader).value());
  position_ = position;
  hold_.set(position);
  const std::lock_guard lock(mutex_);
  figures_.position = position_;
  return {};
}

// What is missing is a line of its own to the sink, as it is in a file where it was never there.
Result<void> SinkRunner::take_jump(const FileJump& jump) {
  options_.tell(
      journal_.path() + ": what stood between byte " + std::to_string(position_) + " and " +
      std::to_string(jump.to.length) + " is kept by no writer any more: " + jump.marker);
  JournalBatch batch;
  batch.begin = position_;
  batch.end = jump.to.length;
  JournalLine line;
  line.text = jump.marker;
  line.end = jump.to.length;
  line.origin.begin = position_;
  line.origin.end = jump.to.length;
  line.origin.time_ms = now_ms();
  line.is_marker = true;
  batch.lines.push_back(std::move(line));
  const auto chosen = rules_.apply(batch, id_);
  if (auto written = sink_->write(chosen); !written) return written;
  return go_on_at(jump.to.length);
}

void SinkRunner::tell_cut(std::uint64_t bytes) {
  options_.tell(
      "has " + std::to_string(bytes) + " bytes of lines that the writer took out of " +
      journal_.path() + "; they come a second time, at the place where all writers have them");
}

Result<void> SinkRunner::take_batch() {
  const auto batch = reader_->read(journal_.readable(position_), options_.batch_bytes);
  if (id_ != journal_.id()) return {};  // cut while it was read
  if (!batch) return batch.error();
  {
    const std::lock_guard lock(mutex_);
    if (!batch->lines.empty()) waiting_since_ms_ = batch->lines.front().origin.time_ms;
  }
  const auto chosen = rules_.apply(*batch, id_);
  if (auto written = sink_->write(chosen); !written) return written;
  position_ = batch->end;
  hold_.set(position_);
  const std::lock_guard lock(mutex_);
  figures_.lines += chosen.lines.size();
  figures_.left_out += batch->lines.size() - chosen.lines.size();
  figures_.bytes += batch->end - batch->begin;
  figures_.position = position_;
  return {};
}

void SinkRunner::on_failure(const Error& error) {
  reader_.reset();  // the sink says where to go on
  if (trouble_.on_failure(error.message, Trouble::Instant::clock::now())) {
    options_.tell(error.message + "; nothing is lost, trying again");
  }
  const std::lock_guard lock(mutex_);
  if (const auto reached = sink_->reached(); reached && reached->journal == id_) {
    figures_.position = reached->offset;
  }
  ++figures_.errors;
  figures_.trouble = error.message;
}

void SinkRunner::pause() {
  // No journal is that long: only the clock and the owner end this.
  journal_.wait(UINT64_MAX, trouble_.retry_at(), [this] { return is_stopped_ || wants_reopen_; });
}

SinkFigures SinkRunner::figures() const {
  const std::lock_guard lock(mutex_);
  auto figures = figures_;
  const auto kept = journal_.kept();
  figures.lag_bytes = kept > figures.position ? kept - figures.position : 0;
  if (figures.lag_bytes > 0 && waiting_since_ms_) {
    figures.lag_s = static_cast<double>(std::max<std::int64_t>(now_ms() - *waiting_since_ms_, 0)) /
                    ms_per_second;
  }
  return figures;
}

}  // namespace ringcast::ringlog
