// SPDX-License-Identifier: Apache-2.0
//
// StreamSink: lines on stdout, or any descriptor. A line counts when the system has taken it;
// what its reader does with it nobody knows.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "tools/ringlog-write/sinks/file_memory.hpp"
#include "tools/ringlog-write/sinks/interruption.hpp"
#include "tools/ringlog-write/sinks/sink.hpp"

namespace ringcast::ringlog {

class StreamSink : public Sink {
 public:
  struct Options {
    int fd{1};
    bool json{false};
    std::string group;
    std::string memory;  ///< the path of its FileMemory
  };
  explicit StreamSink(Options options) : options_(std::move(options)) {}

  Result<std::optional<SinkPosition>> open(const std::string& journal) override;
  Result<void> write(const SinkBatch& batch) override;
  [[nodiscard]] std::optional<SinkPosition> reached() const override {
    return memory_ ? memory_->position() : std::nullopt;
  }
  void interrupt() override { interruption_.raise(); }

 private:
  Options options_;
  Interruption interruption_;
  std::optional<FileMemory> memory_;
};

}  // namespace ringcast::ringlog
