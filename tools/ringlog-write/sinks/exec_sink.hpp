// SPDX-License-Identifier: Apache-2.0
//
// ExecSink: lines to a program's stdin. A batch counts once the program has read all of it; when
// the program ends before, it is started again and gets the batch again. So nothing is lost,
// and what it had read before it ended comes twice. When we end, it gets the line at hand to its
// end and then the end of its input.
#pragma once

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
    std::string group;
    std::string memory;  ///< the path of its FileMemory
    std::function<void(const std::string&)> tell;
  };
  explicit ExecSink(Options options) : options_(std::move(options)) {}

  Result<std::optional<SinkPosition>> open(const std::string& journal) override;
  Result<void> write(const SinkBatch& batch) override;
  /// Ends the program; the next batch starts it again.
  Result<void> reopen() override;
  void interrupt() override { interruption_.raise(); }

 private:
  Result<void> on_unread(
      const SinkBatch& batch,
      const std::vector<std::size_t>& ends,
      std::string_view text,
      std::size_t taken);

  Options options_;
  Interruption interruption_;
  std::optional<FileMemory> memory_;
  std::optional<ProgramProcess> program_;
};

}  // namespace ringcast::ringlog
