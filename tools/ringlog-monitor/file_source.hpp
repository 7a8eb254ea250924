// SPDX-License-Identifier: Apache-2.0
//
// FileSource: lines of a file or of a pipe, for use without a ring. Its lines are those of one
// server, named as the file.
#pragma once

#include <cstdint>
#include <string>

#include "ringcast/result.hpp"

#include "tools/ringlog-monitor/line_sink.hpp"
#include "tools/ringlog-publish/line_splitter.hpp"
#include "tools/ringlog/files.hpp"

namespace ringcast::monitor {

class FileSource {
 public:
  /// "-" is stdin. Errors: io.
  static Result<FileSource> open(const std::string& path);

  /// Reads a block and hands on its lines. Blocks when nothing is there. Errors: io.
  Result<void> read(LineSink& sink, Instant now);
  /// Of the file, without its directory.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool at_end() const { return at_end_; }
  [[nodiscard]] int fd() const { return file_.is_open() ? file_.get() : 0; }
  /// Read as fast as it goes, unlike a pipe, whose lines come when they are written.
  [[nodiscard]] bool is_regular() const { return is_regular_; }

 private:
  FileSource(std::string name, ringlog::Descriptor file, bool is_regular);
  void add(const ringlog::SplitLine& line, LineSink& sink, Instant now) const;

  std::string name_;
  ringlog::Descriptor file_;  // not open: stdin
  bool is_regular_;
  bool at_end_{false};
  ringlog::LineSplitter splitter_;
  std::string buffer_;
};

}  // namespace ringcast::monitor
