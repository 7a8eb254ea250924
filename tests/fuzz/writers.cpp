// SPDX-License-Identifier: Apache-2.0
//
// What another writer, or a damaged disk, may give to ringlog-write. The first byte chooses: a
// message among writers, a request for history, a reply with lines, a history file beside its
// file, or a pending file. Checksums of entries are made true, unless a line begins with '!'.
#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>
#include <xxhash.h>

#include "fuzz/check.hpp"
#include "fuzz/heap.hpp"
#include "fuzz/input.hpp"
#include "fuzz/targets.hpp"
#include "protocol/base/bytes.hpp"
#include "tools/ringlog-write/entry_lines.hpp"
#include "tools/ringlog-write/history.hpp"
#include "tools/ringlog-write/history_message.hpp"
#include "tools/ringlog-write/reconciler.hpp"
#include "tools/ringlog-write/segment.hpp"
#include "tools/ringlog-write/writer_message.hpp"
#include "unit/temporary_directory.hpp"

namespace ringcast::fuzz {
namespace {

using namespace ringcast::ringlog;

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// One for the whole process: making it costs more than a run.
const TemporaryDirectory& directory() {
  static const TemporaryDirectory made;
  return made;
}

std::string sealed_lines(std::string_view lines) {
  std::string text;
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    const auto line = lines.substr(0, end);
    std::array<char, 17> sum{};
    const auto hash = static_cast<unsigned long long>(XXH3_64bits(line.data(), line.size()));
    (void)std::snprintf(sum.data(), sum.size(), "%016llx", hash);
    text += line.starts_with('!') ? std::string(line.substr(1))
                                  : std::string(sum.data()) + ' ' + std::string(line);
    text += '\n';
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return text;
}

void message(Bytes input) {
  const auto decoded = decode_writer_message(input);
  if (!decoded) {
    check_refusal(decoded.error());
    return;
  }
  const auto again = decode_writer_message(encode(*decoded));
  check(again.ok() && *again == *decoded, "decode(encode(x)) is x");
}

void request(Bytes input) {
  const auto decoded = decode_history_request(input);
  if (!decoded) {
    check_refusal(decoded.error());
    return;
  }
  const auto again = decode_history_request(encode(*decoded));
  check(again.ok() && *again == *decoded, "decode(encode(x)) is x");
}

/// Whatever an entry says of its lines, it can be gone through and split anywhere.
void lines_of(const FileEntry& entry, std::string_view data) {
  EntryLines lines(entry, data);
  while (const auto line = lines.next()) {
    check(line->text.find('\n') == std::string_view::npos, "a line is one line");
    const auto [front, back] = lines.split();
    check(front.after == back.before, "the parts follow one another");
    check(front.before == entry.before && back.after == entry.after, "and are the whole");
  }
}

/// Head and entries as text, then data: `cut` says where one ends and the other begins.
void reply(Bytes input) {
  ByteReader reader(input);
  const auto entries = sealed_lines(text_of(up_to(reader, reader.u16())));
  const auto data = text_of(input.subspan(reader.position()));
  HistoryReply made;
  made.is_served = true;
  made.data = data;
  auto bytes = encode(made);
  // The entries go in behind a length of none.
  const auto at = static_cast<std::ptrdiff_t>(bytes.size() - data.size() - 8);
  bytes.erase(bytes.begin() + at, bytes.begin() + at + 4);
  ByteWriter text;
  text.u32(static_cast<std::uint32_t>(entries.size()));
  text.bytes(std::as_bytes(std::span(entries)));
  bytes.insert(bytes.begin() + at, text.view().begin(), text.view().end());
  const auto decoded = decode_history_reply(bytes);
  if (!decoded) {
    check_refusal(decoded.error());
    return;
  }
  std::string_view rest(decoded->data);
  for (const auto& entry : decoded->entries) {
    const auto size = static_cast<std::size_t>(entry.after.length - entry.before.length);
    check(size <= rest.size(), "entries are as long as the data");
    lines_of(entry, rest.substr(0, size));
    rest.remove_prefix(size);
  }
  Reconciler reconciler("g", FileState{});
  const auto taken = reconciler.append_fetched(decoded->entries, decoded->data);
  if (!taken) {
    check_refusal(taken.error());
    check(reconciler.end() == FilePoint{}, "what is refused is not taken");
    return;
  }
  const auto output = reconciler.take();
  check(output.data == decoded->data, "what is taken is written");
  check(reconciler.end().length == output.data.size(), "the file is as long as what is written");
}

void history(Bytes input) {
  ByteReader reader(input);
  const auto content = up_to(reader, reader.u8());
  const std::string path = directory() / "lines";
  write_text(path, text_of(content));
  write_text(history_path(path), sealed_lines(text_of(input.subspan(reader.position()))));
  LoadedState loaded;
  loaded.state.end = FilePoint{content.size(), 1, 7};
  const auto opened = History::open(path, loaded);
  if (!opened) {
    check_refusal(opened.error());
    return;
  }
  check(opened->end() == loaded.state.end, "a history ends where its file does");
  const auto all = opened->from(0, content.size() + 1);
  if (!all) return;
  FilePoint here = all->empty() ? loaded.state.end : all->front().before;
  for (const auto& entry : *all) {
    check(entry.before == here, "entries follow one another");
    here = entry.after;
  }
  check(here == loaded.state.end, "and end where the file does");
  (void)opened->points(0, content.size(), 3);
  (void)opened->at_line(2);
  (void)opened->at_time(3);
}

void segment(Bytes input) {
  const std::string path = directory() / "pending";
  write_text(path, text_of(input));
  Segment segment(path);
  while (const auto record = segment.next()) {
    check(record->record.first_seq > 0, "a record of a pending file has numbers");
    const auto decoded = decode_record(encode(record->record));
    check(decoded.ok() && *decoded == record->record, "and can be sent");
  }
  check(segment.whole_bytes() <= input.size(), "no more is read than there is");
}

}  // namespace

void writers(Bytes input) {
  if (input.empty()) return;
  const HeapMeter heap;
  const auto rest = input.subspan(1);
  switch (std::to_integer<unsigned>(input[0]) % 5) {
    case 0:
      message(rest);
      break;
    case 1:
      request(rest);
      break;
    case 2:
      reply(rest);
      break;
    case 3:
      history(rest);
      break;
    default:
      segment(rest);
      break;
  }
  heap.check_peak(1024 * input.size() + (std::size_t{1} << 20U), "reading what others wrote");
}

}  // namespace ringcast::fuzz
