// SPDX-License-Identifier: Apache-2.0
//
// Scribe: pending files are offered to all writers, and removed once all their lines are kept.
#include <algorithm>
#include <utility>

#include "tools/ringlog-write/scribe.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::size_t offer_bytes = std::size_t{256} << 10U;
constexpr std::size_t outgoing_bytes_max = std::size_t{1} << 20U;
constexpr std::chrono::milliseconds look_interval{100};
constexpr std::chrono::seconds again_after{2};

}  // namespace

void Scribe::offer(Instant now) {
  const auto configuration = reconciler_->segment_to_offer();
  // What is not yet written cannot be read back.
  if (!configuration || store_.unwritten_bytes() > 0) {
    if (!configuration) offering_.reset();
    return;
  }
  const bool is_another = !offering_ || offering_->configuration != *configuration ||
                          (offering_->again_at && now >= *offering_->again_at);
  if (is_another) {
    offering_.reset(new Offering{
        *configuration, Segment(store_.segment_path_of(*configuration)), {}, false, {}});
  }
  if (offering_->again_at) return;
  while (!offering_->again_at && outgoing_bytes() < outgoing_bytes_max) {
    offer_next();
  }
  if (offering_->again_at) offering_->again_at = now + again_after;
  if (!offering_->again_at || offering_->has_sent) return;
  // Nothing in the file is missing elsewhere, whatever we thought it holds.
  if (store_.remove_segment(*configuration)) reconciler_->drop_segment(*configuration);
  offering_.reset();
  collect();
}

void Scribe::offer_next() {
  Offer offer;
  offer.configuration = offering_->configuration;
  std::size_t bytes = 0;
  const auto room = std::min(offer_bytes, message_bytes_max_ / 2);
  for (;;) {
    auto& next = offering_->next;
    if (!next) next = offering_->segment.next();
    if (!next) {
      offering_->again_at = Instant{};
      break;
    }
    const auto size = encode(next->record).size();
    if (bytes > 0 && bytes + size > room) break;
    auto offered = *std::exchange(next, std::nullopt);
    const auto& record = offered.record;
    if (reconciler_->table().missing_from(record.producer.id, range_of(record)).empty()) continue;
    bytes += size;
    offer.records.push_back(std::move(offered));
  }
  if (offer.records.empty()) return;
  offering_->has_sent = true;
  // To the group too: monitors count its lines.
  outgoing_.push_back(Outgoing{
      writers_group(options_.group),
      writer_type,
      Service::safe,
      encode(WriterMessage(std::move(offer))),
      options_.group});
}

void Scribe::drop_covered(Instant now) {
  if (next_look_ && now < *next_look_) return;
  next_look_.reset();
  const auto covered = reconciler_->covered_segments();
  if (covered.empty()) {
    if (reconciler_->has_segments()) next_look_ = now + look_interval;
    return;
  }
  if (!store_.is_kept()) {
    next_look_ = now + look_interval;
    return;
  }
  for (const auto& configuration : covered) {
    if (const auto removed = store_.remove_segment(configuration); !removed) {
      options_.tell(removed.error().message);
      continue;
    }
    options_.tell(
        "all lines of " + store_.segment_path_of(configuration) +
        " are in the file now; it was removed");
    reconciler_->drop_segment(configuration);
  }
  offering_.reset();
  collect();
}

}  // namespace ringcast::ringlog
