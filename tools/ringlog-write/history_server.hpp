// SPDX-License-Identifier: Apache-2.0
//
// HistoryServer: answers requests for parts of a writer's file, one reply at a time, so that
// the writer goes on with its lines in between. Who asks again forgets what it asked before.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include "tools/ringlog-write/history_message.hpp"
#include "tools/ringlog-write/store.hpp"

namespace ringcast::ringlog {

class HistoryServer {
 public:
  struct Answer {
    std::string to;  ///< the asker's private group
    HistoryReply reply;
    bool wants_table{false};  ///< a table is to be sent before it
    bool is_of_front{false};  ///< that of what stood in front
  };

  explicit HistoryServer(std::string group) : group_(std::move(group)) {}

  /// Requests for another group, and those beyond a number, are answered as not served.
  void add(const std::string& asker, HistoryRequest request);
  [[nodiscard]] bool has_work() const { return !jobs_.empty(); }
  /// The next reply, of at most about so many bytes. REQUIRES: has_work().
  Answer next(const Store& store, bool is_live, std::size_t bytes_max);
  void clear() { jobs_.clear(); }

 private:
  struct Job {
    std::string asker;
    HistoryRequest request;
    std::optional<FilePoint> here;  // where the next part begins, once that is known
    std::uint64_t left{0};          // bytes to serve
    bool is_refused{false};
  };

  static Result<FilePoint> place(const Store& store, Job& job);
  static Result<bool> serve(const Store& store, Job& job, HistoryReply& reply, std::size_t bytes);

  std::string group_;
  std::deque<Job> jobs_;
};

}  // namespace ringcast::ringlog
