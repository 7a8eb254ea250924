// SPDX-License-Identifier: Apache-2.0
//
// One job at a time.
#include "tools/ringlog-publish/spool_sync.hpp"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <utility>

namespace ringcast::ringlog {

void SpoolSync::add(const std::string& path, bool is_new) {
  waiting_.files.insert(path);
  if (is_new) waiting_.names.insert(path);
}

Result<void> SpoolSync::begin() {
  if (job_.valid()) {
    // Where no thread can be had the work is done in take_up().
    if (job_.wait_for(std::chrono::seconds(0)) == std::future_status::timeout) return {};
    if (auto ended = take_up(); !ended) return ended;
  }
  if (waiting_.empty()) return {};
  running_ = std::exchange(waiting_, {});
  job_ = std::async([work = running_, sync = sync_] { return run(work, sync); });
  return {};
}

Result<void> SpoolSync::finish() {
  if (job_.valid()) (void)take_up();  // what failed is tried once more
  auto done = run(waiting_, sync_);
  if (done) waiting_ = {};
  return done;
}

Result<void> SpoolSync::take_up() {
  auto done = job_.get();
  if (!done) waiting_.merge(std::move(running_));
  running_ = {};
  return done;
}

Result<void> SpoolSync::run(const Work& work, const SyncFunction& sync) {
  for (const auto& path : work.files) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open() && errno == ENOENT) continue;  // all of it has settled
    if (!file.is_open()) return system_error(path, "cannot open", errno);
    if (sync(file.get()) != 0) return system_error(path, "cannot sync", errno);
  }
  for (const auto& path : work.names) {
    if (auto synced = sync_directory_of(path); !synced) return synced;
  }
  return {};
}

}  // namespace ringcast::ringlog
