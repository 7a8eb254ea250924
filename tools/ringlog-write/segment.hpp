// SPDX-License-Identifier: Apache-2.0
//
// Segment: a pending file (PATH.pending-CONFIGURATION) read back as records. A file that ends
// inside a record ends before it; what is no record is left out and counted.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <string>

#include "ringcast/configuration.hpp"

#include "tools/ringlog-write/writer_message.hpp"
#include "tools/ringlog/table.hpp"

namespace ringcast::ringlog {

class Segment {
 public:
  explicit Segment(const std::string& path) : file_(path, std::ios::binary) {}

  /// The next whole record; nothing at the end.
  std::optional<OfferedRecord> next();
  /// Bytes up to the end of the last record that next() returned.
  [[nodiscard]] std::uint64_t whole_bytes() const { return whole_; }
  [[nodiscard]] std::uint64_t strange_lines() const { return strange_; }

 private:
  bool read_line(std::string& line);

  std::ifstream file_;
  std::uint64_t read_{0};
  std::uint64_t whole_{0};
  std::uint64_t strange_{0};
};

std::string segment_path(const std::string& path, const ConfigurationId& configuration);
/// The segments beside the file `path`, each with the names of its lines.
std::map<ConfigurationId, Table> find_segments(const std::string& path);

}  // namespace ringcast::ringlog
