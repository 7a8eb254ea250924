// SPDX-License-Identifier: Apache-2.0
//
// The head first, the lines behind it, then the numbers into the head.
#include "tools/ringlog/lines_encoder.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "tools/ringlog/packing.hpp"
#include "tools/ringlog/record.hpp"
#include "tools/ringlog/record_head.hpp"

namespace ringcast::ringlog {

namespace {

template <class T>
void put_number(std::byte* place, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    place[i] = static_cast<std::byte>((value >> (8 * i)) & 255U);
  }
}

}  // namespace

LinesEncoder::LinesEncoder(Producer producer, Options options) : options_(options) {
  PayloadWriter out;
  RecordHead head;
  head.kind = RecordKind::lines;
  head.wants_receipt = options.wants_receipt;
  head.producer = std::move(producer);
  write_head(out, head);
  head_ = out.take();
}

void LinesEncoder::add(std::string_view line) {
  if (empty()) {
    bytes_.reserve(std::max(reserve_, head_.size() + line.size() + line_overhead_bytes));
    bytes_ = head_;
  }
  const auto place = bytes_.size();
  bytes_.resize(place + line_overhead_bytes + line.size());
  put_number(bytes_.data() + place, static_cast<std::uint32_t>(line.size()));
  if (!line.empty()) {
    std::memcpy(bytes_.data() + place + line_overhead_bytes, line.data(), line.size());
  }
  ++count_;
}

std::vector<std::byte> LinesEncoder::packed() const {
  const auto body = std::span(bytes_).subspan(head_.size());
  const auto packed = pack(body, options_.packing_level);
  if (!packed) return {};
  std::vector<std::byte> record;
  record.reserve(head_.size() + packed->size());
  record.assign(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(head_.size()));
  record[record_kind_offset] ^=
      static_cast<std::byte>(RecordKind::lines) ^ static_cast<std::byte>(RecordKind::packed_lines);
  record.insert(record.end(), packed->begin(), packed->end());
  return record;
}

std::vector<std::byte> LinesEncoder::take(std::uint64_t first_seq) {
  put_number(bytes_.data() + record_first_offset, first_seq);
  put_number(bytes_.data() + record_count_offset, count_);
  reserve_ = std::max(reserve_, bytes_.size());
  auto record = options_.packing_level > 0 ? packed() : std::vector<std::byte>();
  if (record.empty()) record = std::exchange(bytes_, {});
  bytes_.clear();
  count_ = 0;
  return record;
}

}  // namespace ringcast::ringlog
