// SPDX-License-Identifier: Apache-2.0
//
// OpenFiles: the files a sink appends to, a bounded number of them open at once; the one not
// used for longest is closed for another.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>

#include "ringcast/result.hpp"

#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

/// "user", "user:group" or ":group" as numbers; nothing where the text says nothing.
struct FileOwner {
  std::optional<uid_t> user;
  std::optional<gid_t> group;
};
/// Errors: invalid_argument, when the host does not know them.
Result<FileOwner> parse_owner(const std::string& text);

/// An open file.
struct GrowingFile {
  std::string path;
  Descriptor descriptor;
  std::uint64_t length{0};
  std::int64_t time_ms{0};  ///< of its last line: its time of modification
  bool is_new{false};       ///< its name may not survive a power cut yet
};

class OpenFiles {
 public:
  struct Options {
    std::size_t open_max{256};
    mode_t mode{0644};
    FileOwner owner{};
  };
  explicit OpenFiles(Options options) : options_(options) {}

  /// Opens the file, or makes it with its directories. The reference holds until the next call.
  Result<GrowingFile*> open(const std::string& path);
  void close(const std::string& path);
  void close_all();
  [[nodiscard]] std::size_t size() const { return files_.size(); }

 private:
  Result<void> make_parents(const std::string& path) const;
  Result<void> adjust(int fd, const std::string& path) const;

  Options options_;
  std::list<GrowingFile> files_;  // used last first
  std::map<std::string, std::list<GrowingFile>::iterator> by_path_;
};

/// Writes all of it at the file's end, and counts it. Errors: io; part of it may be there then.
Result<void> append_to(GrowingFile& file, std::string_view bytes);

}  // namespace ringcast::ringlog
