// SPDX-License-Identifier: Apache-2.0
//
// Journal: a writer's file as its sinks see it. The writer's thread tells it what is kept; each
// sink's thread reads the file as far as that with a JournalReader of its own, and waits here
// for more. What is not kept might be cut off again after a power cut, so no sink ever sees it.
//
// Thread-safe: the StoreObserver's calls come from one thread, all others from any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tools/ringlog-write/sinks/origins.hpp"
#include "tools/ringlog-write/store.hpp"

namespace ringcast::ringlog {

struct JournalOptions {
  std::string path;
  std::string group;
  std::function<void(const std::string&)> tell;
};

class Journal : public StoreObserver {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Journal(JournalOptions options) : options_(std::move(options)) {}

  Result<void> on_open(const FileState& state) override;
  Result<void> on_cut(std::uint64_t length) override;
  void on_take(std::uint64_t offset, const ReconcilerOutput& output) override;
  Result<void> before_write() override { return log_->flush(); }
  Result<void> before_sync() override { return log_->sync(); }
  void on_kept(std::uint64_t length) override;
  Result<void> on_jump(const FileJump& jump) override;
  std::uint64_t read_by_all() override;
  void on_release(const FilePoint& begins) override;

  /// Keeps what stands behind a place from being released, for a sink that has yet to take it; all
  /// of it until the first call of set(). Of any thread.
  class Hold {
   public:
    explicit Hold(Journal& journal);
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold();
    void set(std::uint64_t place);

   private:
    Journal& journal_;
  };

  [[nodiscard]] const std::string& path() const { return options_.path; }
  [[nodiscard]] const std::string& group() const { return options_.group; }
  /// Random digits that no other journal has; empty until the writer has opened it.
  [[nodiscard]] std::string id() const;
  /// Where a sink that was at `offset` of the journal that was called `id` goes on; nothing when
  /// that is another journal.
  [[nodiscard]] std::optional<std::uint64_t> place_of(
      const std::string& id, std::uint64_t offset) const;
  /// Bytes that sinks may read.
  [[nodiscard]] std::uint64_t kept() const;
  /// As far as a sink may read that is at `offset`: to the end of what is kept, or of the part in
  /// front of a jump.
  [[nodiscard]] std::uint64_t readable(std::uint64_t offset) const;
  /// The first place that can be read.
  [[nodiscard]] std::uint64_t front() const;
  /// Where a sink at `offset` goes on, when what follows there is not to be had any more.
  [[nodiscard]] std::optional<FileJump> jump_at(std::uint64_t offset) const;
  void wait_open(const std::function<bool()>& is_over);
  /// Waits until more than `beyond` bytes are kept, or `is_over` says so.
  void wait(
      std::uint64_t beyond,
      std::optional<Clock::time_point> deadline,
      const std::function<bool()>& is_over);
  /// Makes every wait ask its is_over.
  void wake();

 private:
  JournalOptions options_;
  std::optional<OriginLog> log_;     // of the writer's thread
  std::optional<FilePoint> landed_;  // its: behind a jump that sinks do not see before it is kept
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string id_;
  std::vector<JournalCut> cuts_;
  std::vector<FileJump> jumps_;
  std::uint64_t kept_{0};
  FilePoint begins_;        // as the writer says
  std::uint64_t front_{0};  // of what can be read; in front of begins_ while sinks are to jump
  std::map<const Hold*, std::uint64_t> holds_;
};

}  // namespace ringcast::ringlog
