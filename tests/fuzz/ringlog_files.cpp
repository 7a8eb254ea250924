// SPDX-License-Identifier: Apache-2.0
//
// The files the log tools find when they start, damaged in any way. The first byte chooses: a
// sidecar and its file, a checkpoint, or a segment of a spool. Checksums are made true, unless
// the input says otherwise, for behind them is where the reading begins.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>
#include <xxhash.h>

#include "fuzz/check.hpp"
#include "fuzz/heap.hpp"
#include "fuzz/input.hpp"
#include "fuzz/targets.hpp"
#include "protocol/base/bytes.hpp"
#include "tools/ringlog-publish/checkpoint.hpp"
#include "tools/ringlog-publish/spool.hpp"
#include "tools/ringlog-write/sidecar.hpp"
#include "tools/ringlog/files.hpp"
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

/// "CHECKSUM LINE"; a line that begins with '!' stays as it is behind that.
std::string sealed(std::string_view line) {
  if (line.starts_with('!')) return std::string(line.substr(1)) + '\n';
  std::array<char, 17> sum{};
  const auto hash = static_cast<unsigned long long>(XXH3_64bits(line.data(), line.size()));
  (void)std::snprintf(sum.data(), sum.size(), "%016llx", hash);
  return std::string(sum.data()) + ' ' + std::string(line) + '\n';
}

void sidecar(Bytes input) {
  ByteReader reader(input);
  const auto content = up_to(reader, reader.u8());
  std::string_view lines = text_of(input.subspan(reader.position()));
  std::string text;
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    text += sealed(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  const std::string path = directory() / "lines";
  write_text(path, text_of(content));
  write_text(sidecar_path(path), text);
  std::vector<std::string> notes;
  const auto loaded = load_state(path, notes);
  if (!loaded) {
    check_refusal(loaded.error());
    return;
  }
  check(loaded->has_value(), "there is a sidecar");
  const FileState& state = (*loaded)->state;
  check(state.end.length <= content.size(), "a sidecar vouches for what is there");
  // What it says is written again, and reads the same.
  check(Sidecar::create(path, state).ok(), "a snapshot can be written");
  write_text(path, text_of(content.first(state.end.length)));
  const auto again = load_state(path, notes);
  check(again.ok() && again->has_value(), "a snapshot can be read");
  check((*again)->state == state, "a snapshot reads as it was written");
}

void checkpoint(Bytes input) {
  const std::string path = directory() / "checkpoint";
  write_text(path, text_of(input));
  const auto loaded = load_checkpoint(path);
  if (!loaded) {
    check_refusal(loaded.error());
    return;
  }
  check(save_checkpoint(path, *loaded).ok(), "a checkpoint can be written");
  const auto again = load_checkpoint(path);
  check(again.ok(), "a checkpoint can be read");
  check(again->size() == loaded->size(), "a checkpoint keeps its files");
  for (std::size_t i = 0; i < again->size(); ++i) {
    check((*again)[i].id == (*loaded)[i].id, "a checkpoint keeps whose they are");
    check((*again)[i].offset == (*loaded)[i].offset, "a checkpoint keeps how far they are");
    check((*again)[i].seq == (*loaded)[i].seq, "a checkpoint keeps their lines' numbers");
  }
}

/// A run of records as a spool keeps them, up to the first that the input broke.
struct Segment {
  std::string text;
  std::vector<std::string> good;
};

Segment read_segment(ByteReader& reader) {
  Segment segment;
  bool is_broken = false;
  while (reader.ok() && reader.remaining() > 0) {
    const std::uint8_t what = reader.u8();
    const auto payload = up_to(reader, reader.u8());
    const bool breaks = what < 32;
    ByteWriter frame;
    frame.u32(
        static_cast<std::uint32_t>(payload.size() + (what < 8 ? std::size_t{what} << 20U : 0U)));
    frame.u64(XXH3_64bits(payload.data(), payload.size()) ^ (what >= 8 && breaks ? what : 0U));
    frame.bytes(payload);
    segment.text += text_of(frame.view());
    is_broken = is_broken || (breaks && what != 0);
    if (!is_broken) segment.good.emplace_back(text_of(payload));
  }
  return segment;
}

/// Reads all there is; a spool that is damaged says so and gives what stood before.
void check_records(Spool& spool, const std::vector<std::string>& expected) {
  for (const auto& record : expected) {
    check(spool.has_unread(), "no record is lost");
    const auto read = spool.read_next();
    check(read.ok(), "a good record can be read");
    check(text_of(read->payload) == record, "records come in their order");
  }
  check(!spool.has_unread(), "no record is made up");
}

void spool(Bytes input) {
  ByteReader reader(input);
  const std::uint8_t cut = reader.u8();
  Segment segment = read_segment(reader);
  const Spool::Options options{.directory = directory() / "spool"};
  std::filesystem::remove_all(options.directory);
  std::filesystem::create_directory(options.directory);
  if (cut < 128 && cut > 0 && !segment.text.empty()) {
    segment.text.resize(segment.text.size() - std::min<std::size_t>(cut, segment.text.size()));
    std::size_t whole = 0;
    std::size_t bytes = 0;
    while (whole < segment.good.size() &&
           bytes + 12 + segment.good[whole].size() <= segment.text.size()) {
      bytes += 12 + segment.good[whole++].size();
    }
    segment.good.resize(whole);
  }
  write_text(options.directory + "/0000000001000000.spool", segment.text);
  std::vector<std::string> notes;
  const std::string more = "one more";
  {
    auto opened = Spool::open(options, notes);
    check(opened.ok(), "a spool opens whatever is in it");
    check(opened->append(std::as_bytes(std::span{more})).ok(), "a spool takes a record");
    segment.good.push_back(more);
    check(opened->sync().ok(), "a spool syncs");
  }
  auto again = Spool::open(options, notes);
  check(again.ok(), "a spool opens again");
  check_records(*again, segment.good);
}

}  // namespace

void ringlog_files(Bytes input) {
  if (input.empty()) return;
  const HeapMeter heap;
  const auto rest = input.subspan(1);
  switch (std::to_integer<unsigned>(input[0]) % 3) {
    case 0:
      sidecar(rest);
      break;
    case 1:
      checkpoint(rest);
      break;
    default:
      spool(rest);
      break;
  }
  heap.check_peak(1024 * input.size() + (std::size_t{1} << 20U), "reading a file");
}

}  // namespace ringcast::fuzz
