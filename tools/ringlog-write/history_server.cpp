// SPDX-License-Identifier: Apache-2.0
//
// Finding the place that was asked for, and what stands behind it.
#include "tools/ringlog-write/history_server.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace ringcast::ringlog {

namespace {

constexpr std::size_t jobs_max = 64;
constexpr std::uint64_t request_bytes_max = std::uint64_t{16} << 20U;

struct PlaceOf {
  const Store& store;

  // The highest place that is the same here.
  Result<FilePoint> operator()(const Points& points) const {
    for (auto it = points.rbegin(); it != points.rend(); ++it) {
      const auto ours = store.point_at(it->length);
      if (!ours) return ours.error();
      if (*ours && **ours == *it) return *it;
    }
    return FilePoint{};  // the beginning of all files, kept or not
  }
  Result<FilePoint> operator()(const FromLine& from) const {
    return store.history().at_line(from.number);
  }
  Result<FilePoint> operator()(const FromTime& from) const {
    return store.history().at_time(from.time_ms);
  }
  Result<FilePoint> operator()(const FromPosition& from) const {
    return store.history().at_position(from.position);
  }
  Result<FilePoint> operator()(const FromFront& /*from*/) const { return store.begins(); }
};

}  // namespace

void HistoryServer::add(const std::string& asker, HistoryRequest request) {
  std::erase_if(jobs_, [&](const Job& job) { return job.asker == asker; });
  Job job;
  job.asker = asker;
  job.is_refused = request.group != group_ || jobs_.size() >= jobs_max;
  job.left = std::min(request.bytes_max, request_bytes_max);
  job.request = std::move(request);
  jobs_.push_back(std::move(job));
}

Result<FilePoint> HistoryServer::place(const Store& store, Job& job) {
  auto found = std::visit(PlaceOf{store}, job.request.from);
  if (!found) return found;
  const auto* points = std::get_if<Points>(&job.request.from);
  // Behind a place where files differ nothing is of use.
  const bool differs = points != nullptr && !points->empty() && points->back() != *found;
  if (differs) job.left = 0;
  return found;
}

// True when it was the last part.
Result<bool> HistoryServer::serve(
    const Store& store, Job& job, HistoryReply& reply, std::size_t bytes) {
  if (!job.here) {
    auto found = place(store, job);
    if (!found) return found.error();
    job.here = *found;
  }
  reply.agreed = *job.here;
  // Released since it was asked for, or in front of what is kept from the first: the asker sees it.
  const bool is_kept = job.here->length >= store.begins().length;
  if (job.left == 0 || !is_kept) return true;
  auto part = store.read(*job.here, std::min<std::uint64_t>(bytes, job.left), job.request.until);
  if (!part) return part.error();
  if (part->entries.empty()) return true;
  job.here = part->entries.back().after;
  job.left -= std::min<std::uint64_t>(job.left, part->data.size());
  reply.entries = std::move(part->entries);
  reply.data = std::move(part->data);
  return job.left == 0 || *job.here == store.written().end;
}

HistoryServer::Answer HistoryServer::next(const Store& store, bool is_live, std::size_t bytes_max) {
  auto job = std::move(jobs_.front());
  jobs_.pop_front();
  Answer answer;
  answer.to = job.asker;
  auto& reply = answer.reply;
  reply.id = job.request.id;
  reply.is_live = is_live;
  reply.end = store.written().end;
  reply.begins = store.begins();
  reply.position = store.written().position;
  if (job.is_refused) return answer;
  answer.wants_table = std::exchange(job.request.wants_table, false);
  answer.is_of_front = std::holds_alternative<FromFront>(job.request.from);
  const auto is_over = serve(store, job, reply, bytes_max);
  reply.is_served = is_over.ok();
  reply.is_last = !is_over || *is_over;
  if (!reply.is_last) jobs_.push_back(std::move(job));
  return answer;
}

}  // namespace ringcast::ringlog
