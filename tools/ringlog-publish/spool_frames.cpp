// SPDX-License-Identifier: Apache-2.0
//
// Spool frames and the names of segments.
#include "tools/ringlog-publish/spool_frames.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <xxhash.h>

#include "tools/ringlog/bytes.hpp"
#include "tools/ringlog/files.hpp"
#include "tools/ringlog/record.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::size_t payload_bytes_max = line_bytes_max + record_overhead_bytes_max + 4096;
constexpr std::string_view ending = ".spool";

}  // namespace

std::string spool_frame(std::span<const std::byte> payload) {
  PayloadWriter out;
  out.number(static_cast<std::uint32_t>(payload.size()));
  out.number(static_cast<std::uint64_t>(XXH3_64bits(payload.data(), payload.size())));
  const auto head = out.take();
  std::string text(reinterpret_cast<const char*>(head.data()), head.size());
  text.append(reinterpret_cast<const char*>(payload.data()), payload.size());
  return text;
}

Result<SpoolFrame> spool_frame_at(
    int fd, std::uint64_t offset, std::uint64_t size, const std::string& path) {
  if (offset >= size) return SpoolFrame{SpoolFrame::Kind::end};
  if (offset + spool_head_bytes > size) return SpoolFrame{SpoolFrame::Kind::torn};
  const auto head = read_part(fd, offset, offset + spool_head_bytes, path);
  if (!head) return head.error();
  PayloadReader in(std::as_bytes(std::span(*head)));
  const auto length = in.number<std::uint32_t>();
  const auto checksum = in.number<std::uint64_t>();
  if (length > payload_bytes_max) return SpoolFrame{SpoolFrame::Kind::damaged};
  if (offset + spool_head_bytes + length > size) return SpoolFrame{SpoolFrame::Kind::torn};
  auto payload = read_part(fd, offset + spool_head_bytes, offset + spool_head_bytes + length, path);
  if (!payload) return payload.error();
  const bool fits = XXH3_64bits(payload->data(), payload->size()) == checksum;
  if (!fits) return SpoolFrame{SpoolFrame::Kind::damaged};
  return SpoolFrame{SpoolFrame::Kind::record, std::move(payload).value()};
}

std::optional<std::uint64_t> spool_segment_number(const std::string& name) {
  const std::string_view text(name);
  if (!text.ends_with(ending)) return std::nullopt;
  const auto digits = text.substr(0, text.size() - ending.size());
  std::uint64_t number = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (result.ec != std::errc{} || result.ptr != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::string spool_segment_name(std::uint64_t number) {
  std::array<char, 32> name{};
  (void)std::snprintf(
      name.data(), name.size(), "%016llu.spool", static_cast<unsigned long long>(number));
  return name.data();
}

Result<std::vector<std::uint64_t>> spool_segments_in(const std::string& directory) {
  std::vector<std::uint64_t> numbers;
  std::error_code error;
  std::filesystem::directory_iterator item(directory, error);
  for (; !error && item != std::filesystem::directory_iterator(); item.increment(error)) {
    if (const auto number = spool_segment_number(item->path().filename().string())) {
      numbers.push_back(*number);
    }
  }
  if (error) return system_error(directory, "cannot list", error.value());
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace ringcast::ringlog
