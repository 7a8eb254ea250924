// SPDX-License-Identifier: Apache-2.0
//
// Packets as frames, and back.
#include "tools/ringlog/packet_frames.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ringcast::ringlog {

namespace {

constexpr std::string_view magic = "\x1eRC";
constexpr char whole = 'W';
constexpr char first = 'F';
constexpr char next_one = 'N';
constexpr char last = 'L';
constexpr std::size_t part_head_bytes = 12;
constexpr std::size_t part_bytes_max = whole_packet_bytes_max - part_head_bytes;
constexpr std::size_t unfinished_bytes_max = std::size_t{64} << 20U;
constexpr unsigned byte_bits = 8;
constexpr unsigned byte_mask = 0xff;

template <class Number>
char* put(char* to, Number value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) {
    *to++ = static_cast<char>((value >> (byte_bits * i)) & byte_mask);
  }
  return to;
}

std::uint32_t number_at(std::string_view text, std::size_t at, std::size_t bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(text[at + i]))
             << (byte_bits * i);
  }
  return value;
}

char* put(char* to, std::string_view text) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

char* put_head(char* to, char kind, std::size_t payload_bytes) {
  to = put(to, magic);
  *to++ = kind;
  return put(to, payload_bytes, 2);
}

std::string part_frame(char kind, PacketNumber number, std::size_t offset, std::string_view part) {
  std::string frame(frame_head_bytes + part_head_bytes + part.size(), '\0');
  char* to = put_head(frame.data(), kind, part_head_bytes + part.size());
  to = put(to, number.process, 4);
  to = put(to, number.number, 4);
  to = put(to, offset, 4);
  (void)put(to, part);
  return frame;
}

bool is_kind(char kind) {
  return kind == whole || kind == first || kind == next_one || kind == last;
}

}  // namespace

std::string_view encode_whole(
    std::array<char, frame_bytes_max>& room,
    std::string_view head,
    std::span<const std::string_view> parts) {
  char* to = put(room.data() + frame_head_bytes, head);
  for (const auto part : parts) {
    to = put(to, part);
  }
  const auto bytes = static_cast<std::size_t>(to - room.data());
  (void)put_head(room.data(), whole, bytes - frame_head_bytes);
  return {room.data(), bytes};
}

std::vector<std::string> encode_frames(std::string_view packet, PacketNumber number) {
  std::vector<std::string> frames;
  if (packet.size() <= whole_packet_bytes_max) {
    std::array<char, frame_bytes_max> room{};
    frames.emplace_back(encode_whole(room, packet, {}));
    return frames;
  }
  for (std::size_t at = 0; at < packet.size(); at += part_bytes_max) {
    const bool is_last = packet.size() - at <= part_bytes_max;
    const char kind = at == 0 ? first : is_last ? last : next_one;
    frames.push_back(part_frame(kind, number, at, packet.substr(at, part_bytes_max)));
  }
  return frames;
}

PacketFrames::PacketFrames(std::size_t longest, std::size_t buffer_bytes)
    : longest_(longest),
      buffer_bytes_(std::max(buffer_bytes, 2 * frame_bytes_max)),
      buffer_(new char[buffer_bytes_]) {}  // not make_unique(), which would touch all of it

std::span<char> PacketFrames::room() {
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return {buffer_.get() + end_, buffer_bytes_ - end_};
}

std::size_t PacketFrames::missing() const {
  const std::string_view begun(buffer_.get() + begin_, end_ - begin_);
  if (begun.size() < frame_head_bytes) return frame_head_bytes - begun.size();
  return frame_head_bytes + number_at(begun, magic.size() + 1, 2) - begun.size();
}

std::optional<std::string_view> PacketFrames::next() {
  for (;;) {
    const std::string_view rest(buffer_.get() + begin_, end_ - begin_);
    if (rest.size() < frame_head_bytes) return std::nullopt;
    const std::size_t length = number_at(rest, magic.size() + 1, 2);
    const char kind = rest[magic.size()];
    if (!rest.starts_with(magic) || !is_kind(kind) || length > whole_packet_bytes_max) {
      skip_to_magic();
      continue;
    }
    is_skipping_ = false;
    if (rest.size() < frame_head_bytes + length) return std::nullopt;
    begin_ += frame_head_bytes + length;
    const auto payload = rest.substr(frame_head_bytes, length);
    if (kind == whole) return payload;
    if (add_part(kind, payload)) return finished_;
  }
}

void PacketFrames::skip_to_magic() {
  if (!std::exchange(is_skipping_, true)) ++lost_;
  const std::string_view rest(buffer_.get() + begin_, end_ - begin_);
  const auto found = rest.find(magic, 1);
  // Its end may be the beginning of one.
  begin_ += found != std::string_view::npos ? found : rest.size() - (magic.size() - 1);
}

// Whether the packet is finished with it.
bool PacketFrames::add_part(char kind, std::string_view payload) {
  if (payload.size() < part_head_bytes) {
    ++lost_;
    return false;
  }
  ++parts_;
  const auto process = number_at(payload, 0, 4);
  const auto number = number_at(payload, 4, 4);
  const auto offset = number_at(payload, 8, 4);
  payload.remove_prefix(part_head_bytes);
  auto found = unfinished_.find(process);
  if (found != unfinished_.end() &&
      (kind == first || found->second.number != number || found->second.packet.size() != offset)) {
    lose(found);
    found = unfinished_.end();
  }
  if (kind == first) {
    found = unfinished_.emplace(process, Unfinished{number, parts_, {}}).first;
  } else if (found == unfinished_.end()) {
    if (kind == last) ++lost_;  // its beginning went to who was killed
    return false;
  }
  auto& packet = found->second.packet;
  packet += payload;
  unfinished_bytes_ += payload.size();
  if (packet.size() > longest_) {
    lose(found);
    return false;
  }
  if (kind != last) {
    keep_in_bounds();
    return false;
  }
  finished_ = std::move(packet);
  unfinished_bytes_ -= finished_.size();
  unfinished_.erase(found);
  return true;
}

void PacketFrames::end() {
  if (begin_ < end_) ++lost_;
  begin_ = end_;
  lost_ += std::exchange(unfinished_, {}).size();
  unfinished_bytes_ = 0;
}

void PacketFrames::lose(std::map<std::uint32_t, Unfinished>::iterator packet) {
  ++lost_;
  unfinished_bytes_ -= packet->second.packet.size();
  unfinished_.erase(packet);
}

// Processes that were killed in the middle leave what they had begun.
void PacketFrames::keep_in_bounds() {
  while (unfinished_bytes_ > unfinished_bytes_max) {
    lose(std::min_element(
        unfinished_.begin(), unfinished_.end(), [](const auto& one, const auto& other) {
          return one.second.since < other.second.since;
        }));
  }
}

}  // namespace ringcast::ringlog
