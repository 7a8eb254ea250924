// SPDX-License-Identifier: Apache-2.0
//
// Time never steps back here, so the list is in order of the last request by itself.
#include "tools/ringlog-monitor/figures/visits.hpp"

#include <algorithm>
#include <xxhash.h>

namespace ringcast::monitor {

namespace {

constexpr std::size_t name_bytes_max = 64;
constexpr std::size_t page_bytes_max = 128;
constexpr std::size_t key_bytes_max = 1024;

}  // namespace

Visits::Visits(std::size_t visits_max, std::chrono::milliseconds timeout)
    : visits_max_(visits_max), timeout_(timeout) {}

Visits::Key Visits::key_of(const Hit& hit) {
  // Two hashes chained, so that no text has to be put together. The far end of a user agent
  // tells nobody apart.
  const auto agent = hit.agent.substr(0, key_bytes_max);
  const auto seed = XXH3_64bits(hit.client.data(), hit.client.size());
  const auto hash = XXH3_128bits_withSeed(agent.data(), agent.size(), seed);
  return Key{hash.high64, hash.low64};
}

void Visits::add(const Hit& hit, Instant now) {
  expire(now);
  const auto key = key_of(hit);
  auto found = index_.find(key);
  if (found == index_.end()) {
    if (open_.size() >= visits_max_) {
      end_first();
      ++ended_early_;
    }
    Open fresh{key, {}};
    fresh.visit.client = hit.client.substr(0, name_bytes_max);
    fresh.visit.first = now;
    open_.push_back(std::move(fresh));
    found = index_.emplace(key, std::prev(open_.end())).first;
  } else {
    open_.splice(open_.end(), open_, found->second);
  }
  auto& visit = found->second->visit;
  visit.server = hit.server.substr(0, name_bytes_max);
  visit.page = hit.page.substr(0, page_bytes_max);
  visit.last = now;
  ++visit.requests;
}

void Visits::expire(Instant now) {
  while (!open_.empty() && now - open_.front().visit.last > timeout_) {
    end_first();
  }
}

void Visits::end_first() {
  const auto& visit = open_.front().visit;
  const auto length = std::chrono::floor<std::chrono::seconds>(visit.last - visit.first);
  seconds_.add(static_cast<std::uint64_t>(length.count()));
  requests_.add(visit.requests);
  index_.erase(open_.front().key);
  open_.pop_front();
}

std::vector<Visit> Visits::recent(std::size_t count) const {
  std::vector<Visit> visits;
  for (auto at = open_.rbegin(); at != open_.rend() && visits.size() < count; ++at) {
    visits.push_back(at->visit);
  }
  return visits;
}

std::vector<Top::Entry> Visits::pages(std::size_t count) const {
  std::unordered_map<std::string_view, std::uint64_t> visitors;
  for (const auto& open : open_) {
    ++visitors[open.visit.page];
  }
  std::vector<Top::Entry> entries;
  entries.reserve(visitors.size());
  for (const auto& [page, number] : visitors) {
    entries.push_back(Top::Entry{std::string(page), number, 0, 0});
  }
  const auto end = entries.begin() + static_cast<std::ptrdiff_t>(std::min(count, entries.size()));
  std::partial_sort(entries.begin(), end, entries.end(), [](const auto& one, const auto& other) {
    return one.count != other.count ? one.count > other.count : one.key < other.key;
  });
  entries.erase(end, entries.end());
  return entries;
}

}  // namespace ringcast::monitor
