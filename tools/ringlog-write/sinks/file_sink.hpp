// SPDX-License-Identifier: Apache-2.0
//
// FileSink: lines into files whose paths follow from a template, rotated and compressed. What
// it writes it writes in steps: first its memory says which files grow and from where, then
// they grow, then the memory says that they have. So after a kill each line is there once;
// and after a power cut too, when files are synced.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/ringlog-write/sinks/compression.hpp"
#include "tools/ringlog-write/sinks/file_memory.hpp"
#include "tools/ringlog-write/sinks/open_files.hpp"
#include "tools/ringlog-write/sinks/path_template.hpp"
#include "tools/ringlog-write/sinks/sink.hpp"

namespace ringcast::ringlog {

struct FileSinkOptions {
  std::string path;                         ///< a PathTemplate
  bool utc{false};                          ///< for the template and for rotation
  std::uint64_t rotate_bytes{0};            ///< a file is closed before it grows beyond; 0: never
  std::chrono::seconds rotate_every{0};     ///< and when this period of the clock is over; 0: never
  Compression compress{Compression::none};  ///< of closed files
  bool sync{true};                          ///< every step, before it counts
  std::string owner;                        ///< USER, USER:GROUP, :GROUP; empty: ours
  std::uint64_t mode{0644};
  std::uint64_t open_max{256};
  std::uint64_t names_max{10000};  ///< of publishers, daemons and hosts together

  bool operator==(const FileSinkOptions&) const = default;
};

class FileSink : public Sink {
 public:
  using Tell = std::function<void(const std::string&)>;

  /// REQUIRES: the options were checked. `memory` is the path of its FileMemory.
  FileSink(FileSinkOptions options, std::string group, std::string memory, Tell tell);

  Result<std::optional<SinkPosition>> open(const std::string& journal) override;
  Result<void> write(const SinkBatch& batch) override;
  [[nodiscard]] std::optional<SinkPosition> reached() const override {
    return memory_ ? memory_->position() : std::nullopt;
  }
  Result<void> reopen() override;

  [[nodiscard]] std::size_t open_files() const { return files_->size(); }
  /// Waits until what was closed is compressed; for tests.
  void wait_for_compression();

 private:
  struct Growth {
    std::string text;
    std::uint64_t length{0};  ///< of the file before
    std::int64_t time_ms{0};  ///< of its last line
  };
  using Step = std::map<std::string, Growth>;

  Result<void> undo();
  std::string path_of(const SinkLine& line);
  bool is_other_period(std::int64_t time_ms);
  void begin_period(std::int64_t time_ms);
  /// False: the step has to be done first.
  Result<bool> add(Step& step, const SinkLine& line);
  [[nodiscard]] bool wants_rotation(const Growth& growth, const SinkLine& line) const;
  [[nodiscard]] std::int64_t rotation_period(std::int64_t time_ms) const;
  Result<void> rotate(const std::string& path, std::int64_t time_ms);
  Result<void> carry_out(const Step& step, const SinkPosition& position);
  Result<void> grow(const std::string& path, const Growth& growth, bool is_synced);
  void close_for_good(const std::string& path);
  void note_compressed();

  FileSinkOptions options_;
  std::string group_;
  std::string memory_path_;
  Tell tell_;
  std::optional<PathTemplate> template_;
  std::optional<OpenFiles> files_;
  std::optional<FileMemory> memory_;
  std::unique_ptr<Compressor> compressor_;
  bool told_names_{false};
};

}  // namespace ringcast::ringlog
