// SPDX-License-Identifier: Apache-2.0
//
// The messages of the log tools as another member of the group might send them. The first byte
// chooses: a record, a table, a table cut into parts, a progress, or a stream, out of which lines
// are cut and frames of packets.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz/check.hpp"
#include "fuzz/heap.hpp"
#include "fuzz/targets.hpp"
#include "tools/ringlog-publish/line_splitter.hpp"
#include "tools/ringlog-write/markers.hpp"
#include "tools/ringlog/packet_frames.hpp"
#include "tools/ringlog/progress.hpp"
#include "tools/ringlog/record.hpp"
#include "tools/ringlog/record_head.hpp"
#include "tools/ringlog/table_message.hpp"

namespace ringcast::fuzz {
namespace {

using namespace ringcast::ringlog;

void record(Bytes input) {
  const HeapMeter heap;
  const auto decoded = decode_record(input);
  const auto head = head_of_record(input);
  const bool is_packed = head.ok() && head->kind == RecordKind::packed_lines;
  // What is packed may be of any size up to a limit.
  const auto unpacked = is_packed ? std::size_t{20} << 20U : std::size_t{0};
  heap.check_peak(64 * input.size() + 16384 + unpacked, "decoding a record");
  if (!decoded) {
    check_refusal(decoded.error());
    return;
  }
  const auto again = encode(*decoded);
  check(is_packed || same(again, input), "encode(decode(bytes)) is bytes");
  const auto read_again = decode_record(again);
  check(read_again.ok() && *read_again == *decoded, "decode(encode(record)) is the record");
  if (std::holds_alternative<Settle>(decoded->body)) return;
  const Range range = range_of(*decoded);
  check(range.first >= 1 && range.first <= range.last, "a record takes sequence numbers");
  if (!std::holds_alternative<Lines>(decoded->body)) {
    const auto marker = loss_marker(*decoded);
    check(marker.find('\n') == std::string::npos, "a marker is one line");
    const auto parsed = parse_loss_marker(marker);
    check(parsed && parsed->body == decoded->body, "a marker reads as it was written");
  } else {
    const auto marker = pending_head(*decoded, "1.a.00000001/1/1", "why");
    check(marker.find('\n') == std::string::npos, "a marker is one line");
    const auto parsed = parse_pending_head(marker);
    check(parsed && parsed->lines == range.count(), "a pending record's head counts its lines");
  }
}

void table(Bytes input, std::size_t part_bytes) {
  const HeapMeter heap;
  const auto decoded = decode_table(input);
  heap.check_peak(128 * input.size() + 16384, "decoding a table");
  if (!decoded) {
    check_refusal(decoded.error());
    return;
  }
  const auto first = encode(*decoded);
  const auto again = decode_table(first);
  check(again.ok() && *again == *decoded, "decode(encode(x)) is x");
  check(encode(*again) == first, "encoding is stable");

  Table together;
  Table gaps;
  const auto parts = encode_in_parts(*decoded, part_bytes);
  check(!parts.empty(), "a table has a part at least");
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto part = decode_table(parts[i]);
    check(part.ok(), "what the encoder writes the decoder takes");
    check(part->part == i + 1 && part->parts == parts.size(), "parts are numbered");
    together.merge(part->table);
    gaps.merge(part->gaps);
  }
  check(together == decoded->table && gaps == decoded->gaps, "the parts are the whole");
  check(decoded->table.minus(together).empty(), "nothing is missing");
  check(gap_marker(decoded->table).find('\n') == std::string::npos, "a marker is one line");
}

void progress(Bytes input) {
  const auto decoded = decode_progress(input);
  if (!decoded) {
    check_refusal(decoded.error());
    return;
  }
  const auto again = decode_progress(encode(*decoded));
  check(again.ok() && *again == *decoded, "decode(encode(x)) is x");
}

/// Lines come out the same however the stream is cut.
void lines(Bytes input, std::size_t piece) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  constexpr std::size_t line_max = 32;
  std::string whole;
  std::string cut;
  const auto into = [](std::string& out) {
    return [&out](const SplitLine& line) {
      check(line.too_long == (line.bytes > line_max), "too long is what is longer than allowed");
      check(line.too_long || line.text.size() == line.bytes, "a line is whole");
      check(line.text.find('\n') == std::string_view::npos, "a line holds no newline");
      out += std::to_string(line.bytes) + ' ' + std::string(line.text) + '\n';
    };
  };
  LineSplitter one(line_max);
  one.feed(text, into(whole));
  one.end(into(whole));
  LineSplitter other(line_max);
  for (std::size_t at = 0; at < text.size(); at += piece) {
    other.feed(text.substr(at, piece), into(cut));
  }
  other.end(into(cut));
  check(whole == cut, "how the stream is cut makes no difference");
}

/// Its packets and how many were lost.
std::pair<std::string, std::uint64_t> packets(std::string_view text, std::size_t piece) {
  constexpr std::size_t packet_max = 40;
  PacketFrames frames(packet_max);
  std::string all;
  for (std::size_t at = 0; at < text.size();) {
    const auto room = frames.room();
    check(!room.empty(), "there is room for the next bytes");
    const auto size = std::min({piece, room.size(), text.size() - at});
    std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(at), size, room.begin());
    frames.added(size);
    at += size;
    while (const auto packet = frames.next()) {
      all += std::to_string(packet->size()) + ' ' + std::string(*packet) + '\n';
    }
  }
  frames.end();
  check(!frames.is_within_packet(), "nothing is left after the end");
  return {all, frames.lost()};
}

/// So do packets, and one that is written among them is there.
void frames(std::string_view text, std::size_t piece) {
  check(packets(text, text.size() + 1) == packets(text, piece), "a cut loses no packet");
  const auto written = encode_frames("a packet of ours", {1, 1});
  const std::string twice =
      std::string(text) + std::string(frame_bytes_max, '.') + written.front() + written.front();
  check(
      packets(twice, piece).first.ends_with("16 a packet of ours\n"),
      "the frames that follow are found");
}

}  // namespace

void ringlog(Bytes input) {
  if (input.empty()) return;
  const auto kind = std::to_integer<unsigned>(input[0]);
  const auto rest = input.subspan(1);
  switch (kind % 4) {
    case 0:
      record(rest);
      break;
    case 1:
      table(rest, std::size_t{16} * (kind / 4));
      break;
    case 2:
      progress(rest);
      break;
    default:
      lines(rest, 1 + kind / 4);
      frames({reinterpret_cast<const char*>(rest.data()), rest.size()}, std::size_t{1} + kind / 4);
      break;
  }
}

}  // namespace ringcast::fuzz
