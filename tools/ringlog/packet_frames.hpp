// SPDX-License-Identifier: Apache-2.0
//
// Packets (group_packet.hpp) on a pipe that many processes write at the same time. A write() of up
// to PIPE_BUF bytes, 4096 on Linux, is whole or does not happen (pipe(7)), so a packet is one
// frame of that size at most, or several when it is longer; frames of several packets may lie
// between each other, and those of one are put together by their number.
//
//   frame   = MAGIC kind length payload       kind: one byte; length: of the payload, two bytes,
//   payload = packet                          little-endian
//           | process number offset part      four bytes each, little-endian; the part's offset
//   kind    = "W" a whole packet | "F" the first part | "N" a next one | "L" the last
//
// Who begins to read in the middle of a frame, since who read before was killed there, looks for
// the next MAGIC: what is lost is counted, and no more is lost. A process writes its long packets
// one after the other, so that one that begins tells that an unfinished one of that process will
// stay so. Standard library only; not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringcast::ringlog {

/// PIPE_BUF.
inline constexpr std::size_t frame_bytes_max = 4096;
inline constexpr std::size_t frame_head_bytes = 6;
/// The longest packet that is one frame.
inline constexpr std::size_t whole_packet_bytes_max = frame_bytes_max - frame_head_bytes;

/// Which of the long packets of all processes.
struct PacketNumber {
  std::uint32_t process{0};
  std::uint32_t number{0};
};

/// The frame of a packet that lies in pieces, in `room`. REQUIRES: together no longer than
/// whole_packet_bytes_max.
std::string_view encode_whole(
    std::array<char, frame_bytes_max>& room,
    std::string_view head,
    std::span<const std::string_view> parts);
/// The frames of any packet, in the order in which they are to be written.
std::vector<std::string> encode_frames(std::string_view packet, PacketNumber number);

/// Bytes in, packets out.
class PacketFrames {
 public:
  /// Longer packets than `longest` are lost. There is room for `buffer_bytes` at a time.
  explicit PacketFrames(std::size_t longest, std::size_t buffer_bytes = std::size_t{256} << 10U);

  /// Where the next bytes are to be put; never empty once next() had nothing any more. Becomes
  /// memory only as far as it is used.
  std::span<char> room();
  /// How many bytes the frame that has begun lacks, or, when none has, how many a frame begins
  /// with: who puts no more there ends where a frame ends.
  [[nodiscard]] std::size_t missing() const;
  void added(std::size_t bytes) { end_ += bytes; }
  /// The next packet, valid until the next call of anything here.
  std::optional<std::string_view> next();

  /// Whether a packet, or a frame, has begun whose rest has not come.
  [[nodiscard]] bool is_within_packet() const { return begin_ < end_ || !unfinished_.empty(); }
  /// No more bytes will come: what has begun is lost.
  void end();
  /// Packets that were lost since their rest never came, and stretches of bytes without frames.
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  /// Parts of long packets that have come.
  [[nodiscard]] std::uint64_t parts() const { return parts_; }

 private:
  struct Unfinished {
    std::uint32_t number{0};
    std::uint64_t since{0};  // in the order of parts
    std::string packet;
  };

  void skip_to_magic();
  bool add_part(char kind, std::string_view payload);
  void lose(std::map<std::uint32_t, Unfinished>::iterator packet);
  void keep_in_bounds();

  std::size_t longest_;
  std::size_t buffer_bytes_;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_{0};
  std::size_t end_{0};
  std::map<std::uint32_t, Unfinished> unfinished_;  // by process
  std::size_t unfinished_bytes_{0};
  std::uint64_t parts_{0};
  std::string finished_;
  bool is_skipping_{false};
  std::uint64_t lost_{0};
};

}  // namespace ringcast::ringlog
