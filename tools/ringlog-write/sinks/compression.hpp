// SPDX-License-Identifier: Apache-2.0
//
// Compression: a closed file becomes FILE.zst or FILE.gz, by temporary file, fsync and rename,
// and goes away only then. A Compressor does that beside its owner.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog/trouble.hpp"

namespace ringcast::ringlog {

enum class Compression : std::uint8_t { none, gzip, zstd };

/// ".gz", ".zst" or nothing.
std::string suffix_of(Compression compression);

/// Compresses the file and removes it; done also when it is not there. A compressed file of the
/// same content that stands there already is taken for it; one of another is kept, and this one
/// gets a number. Errors: io; cancelled as would_block when `is_over`.
Result<void> compress_file(
    const std::string& path, Compression compression, const std::function<bool()>& is_over);

class Compressor {
 public:
  explicit Compressor(Compression compression, std::function<void(const std::string&)> tell);
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  /// Leaves undone what is not done.
  ~Compressor();

  void add(const std::string& path);
  /// Files done since the last call.
  std::vector<std::string> take_done();
  /// Waits until nothing is left to do; for tests.
  void wait();

 private:
  void run();
  bool compress(const std::string& path, Trouble& trouble);

  Compression compression_;
  std::function<void(const std::string&)> tell_;
  std::atomic<bool> is_over_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> waiting_;
  bool is_busy_{false};
  std::vector<std::string> done_;
  std::thread thread_;
};

}  // namespace ringcast::ringlog
