// SPDX-License-Identifier: Apache-2.0
//
// Time never steps back here, so the list is in order of the last request by itself.
#include "tools/ringlog-monitor/figures/visits.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <xxhash.h>

namespace ringcast::monitor {

namespace {

constexpr std::size_t name_bytes_max = 64;
constexpr std::size_t page_bytes_max = 128;
constexpr std::size_t key_bytes_max = 1024;
constexpr std::size_t id_digits = 32;
constexpr int hex_base = 16;
// So much of what may be kept is left after a cut, so that not every click makes one.
constexpr std::size_t kept_of_eight = 7;

void append_hex(std::string& out, std::uint64_t value) {
  std::array<char, id_digits / 2> digits{};
  auto* const end = std::to_chars(digits.begin(), digits.end(), value, hex_base).ptr;
  const std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
  out.append(digits.size() - text.size(), '0');
  out += text;
}

}  // namespace

Visits::Visits(std::size_t visits_max, std::chrono::milliseconds timeout, std::size_t clicks_max)
    : visits_max_(visits_max), timeout_(timeout), clicks_max_(clicks_max) {}

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
    Open fresh{key, {}, {}};
    fresh.visit.client = hit.client.substr(0, name_bytes_max);
    fresh.visit.first = now;
    open_.push_back(std::move(fresh));
    found = index_.emplace(key, std::prev(open_.end())).first;
  } else {
    move_to_end(found->second);
  }
  auto& visit = found->second->visit;
  visit.server = hit.server.substr(0, name_bytes_max);
  visit.page = hit.page.substr(0, page_bytes_max);
  visit.last = now;
  ++visit.requests;
  if (clicks_max_ > 0) follow(found->second, hit, now);
}

void Visits::move_to_end(Place visit) {
  const auto next = after(visit);
  if (!next) return;
  if (first_trail_ == visit) first_trail_ = next;
  open_.splice(open_.end(), open_, visit);
}

void Visits::follow(Place visit, const Hit& hit, Instant now) {
  if (!first_trail_) first_trail_ = visit;  // it is at the end
  clicks_ += visit->trail.add(
      {now,
       hit.status,
       std::string(hit.server.substr(0, name_bytes_max)),
       std::string(hit.page.substr(0, page_bytes_max))});
  if (clicks_ > clicks_max_) cut_trails();
}

void Visits::cut_trails() {
  while (first_trail_ && clicks_ > clicks_max_ / (kept_of_eight + 1) * kept_of_eight) {
    clicks_ -= (*first_trail_)->trail.cut();
    first_trail_ = after(*first_trail_);
  }
}

std::optional<Visits::Place> Visits::after(Place visit) {
  const auto next = std::next(visit);
  return next == open_.end() ? std::nullopt : std::optional(next);
}

void Visits::expire(Instant now) {
  while (!open_.empty() && now - open_.front().visit.last > timeout_) {
    end_first();
  }
}

void Visits::end_first() {
  if (first_trail_ == open_.begin()) first_trail_ = after(open_.begin());
  const auto& visit = open_.front().visit;
  clicks_ -= open_.front().trail.size();
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
    append_hex(visits.back().id, at->key.high);
    append_hex(visits.back().id, at->key.low);
  }
  return visits;
}

const Trail* Visits::trail(std::string_view id) const {
  if (clicks_max_ == 0 || id.size() != id_digits) return nullptr;
  Key key;
  auto* digits = id.data();
  for (auto* const part : {&key.high, &key.low}) {
    const auto* const end = digits + id_digits / 2;
    const auto read = std::from_chars(digits, end, *part, hex_base);
    if (read.ec != std::errc{} || read.ptr != end) return nullptr;
    digits = end;
  }
  const auto found = index_.find(key);
  return found == index_.end() ? nullptr : &found->second->trail;
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
