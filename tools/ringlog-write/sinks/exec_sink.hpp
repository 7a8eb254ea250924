// SPDX-License-Identifier: Apache-2.0
//
// ExecSink: lines to a program's stdin. A line counts once the program has answered it with a
// line of its own, if it is to answer, else a batch counts once the program has read all of it.
// When it ends before, it is started again and gets again what does not count. So what it had
// done and not answered comes twice; and without answers what it had read and not done is lost.
// When we end, it gets the line at hand to its end and then the end of its input.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/ringlog-write/sinks/file_memory.hpp"
#include "tools/ringlog-write/sinks/interruption.hpp"
#include "tools/ringlog-write/sinks/program_process.hpp"
#include "tools/ringlog-write/sinks/sink.hpp"

namespace ringcast::ringlog {

class ExecSink : public Sink {
 public:
  struct Options {
    std::vector<std::string> command;
    bool json{false};
    bool answers{false};
    std::string group;
    std::string memory;  ///< the path of its FileMemory
    std::function<void(const std::string&)> tell;
  };
  explicit ExecSink(Options options) : options_(std::move(options)) {}

  Result<std::optional<SinkPosition>> open(const std::string& journal) override;
  Result<void> write(const SinkBatch& batch) override;
  [[nodiscard]] std::optional<SinkPosition> reached() const override {
    return memory_ ? memory_->position() : std::nullopt;
  }
  /// Ends the program; the next batch starts it again.
  Result<void> reopen() override;
  void interrupt() override { interruption_.raise(); }

 private:
  /// Text for the program, and where each line of the batch ends in it.
  struct Delivery {
    std::string text;
    std::vector<std::size_t> ends;
  };
  [[nodiscard]] Delivery delivery_of(const SinkBatch& batch) const;
  Result<void> deliver(const SinkBatch& batch, const Delivery& delivery);
  Result<void> on_end_of_program(const SinkBatch& batch, std::size_t answered);
  Result<void> on_interruption(const SinkBatch& batch, const Delivery& delivery, std::size_t taken);
  /// So many lines of the batch count.
  Result<void> keep(const SinkBatch& batch, std::size_t lines);

  Options options_;
  Interruption interruption_;
  std::optional<FileMemory> memory_;
  std::optional<ProgramProcess> program_;
  std::uint64_t answers_before_{0};  // the batch
};

}  // namespace ringcast::ringlog
