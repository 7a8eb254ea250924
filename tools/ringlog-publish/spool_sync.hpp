// SPDX-License-Identifier: Apache-2.0
//
// SpoolSync: makes files survive a power cut beside the loop that fills them: a busy disk may
// take seconds for it, and no web server is to wait for that.
#pragma once

#include <future>
#include <set>
#include <string>

#include "ringcast/result.hpp"

#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

class SpoolSync {
 public:
  /// `sync` is called by another thread.
  explicit SpoolSync(SyncFunction sync) : sync_(std::move(sync)) {}

  /// The file has new content; `is_new`: and a new name, too.
  void add(const std::string& path, bool is_new);
  /// Begins to sync what was added, unless a sync is going on still. Returns the error of one
  /// that has ended since: its files are synced again by the next.
  Result<void> begin();
  /// Syncs what was added, and waits for that. Errors: io.
  Result<void> finish();

 private:
  struct Work {
    std::set<std::string> files;
    std::set<std::string> names;  // whose directory is to be synced

    [[nodiscard]] bool empty() const { return files.empty() && names.empty(); }
    void merge(Work other) {
      files.merge(other.files);
      names.merge(other.names);
    }
  };

  static Result<void> run(const Work& work, const SyncFunction& sync);
  Result<void> take_up();

  SyncFunction sync_;
  Work waiting_;
  Work running_;
  std::future<Result<void>> job_;  // of running_, when valid; its end waits for it
};

}  // namespace ringcast::ringlog
