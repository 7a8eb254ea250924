// SPDX-License-Identifier: Apache-2.0
//
// The sidecar: file and table agree after every kind of interrupted write.
#include <cerrno>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/unit/temporary_directory.hpp"
#include "tools/ringlog-write/sidecar.hpp"
#include "tools/ringlog/chain.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;

namespace {

Producer producer() {
  Producer made;
  made.id.bytes[0] = 1;
  made.name = "web1";
  return made;
}

// Adds one line to the planned state and returns the entry of its write.
FileEntry entry_for(const FileState& state, const std::string& line, std::uint64_t seq) {
  FileEntry entry;
  entry.before = state.end;
  entry.after.length = state.end.length + line.size() + 1;
  entry.after.lines = state.end.lines + 1;
  entry.after.chain = chain_line(state.end.chain, line);
  entry.position = Position{ConfigurationId{17, "web1", 0x5f0c9a31}, seq, 2};
  entry.additions = {Addition{producer(), {seq, seq}, AddedAs::line}};
  return entry;
}

struct Written {
  TemporaryDirectory directory;
  std::string path = directory / "access.log";
  std::vector<FileState> states;  // after 0, 1, 2... lines
};

void write_lines(Written& written, std::uint64_t count) {
  FileState state;
  state.group = "weblogs";
  auto file = AppendFile::open(written.path, 0);
  auto sidecar = Sidecar::create(written.path, state);
  REQUIRE(file);
  REQUIRE(sidecar);
  written.states.push_back(state);
  for (std::uint64_t seq = 1; seq <= count; ++seq) {
    const auto line = "line " + std::to_string(seq);
    const auto entry = entry_for(state, line, seq);
    file->append(line + "\n");
    REQUIRE(file->flush());
    sidecar->append(entry);
    REQUIRE(sidecar->flush());
    apply(state, entry);
    written.states.push_back(state);
  }
}

FileState loaded(const Written& written, std::size_t notes_expected = 0) {
  std::vector<std::string> notes;
  auto state = load_state(written.path, notes);
  REQUIRE(state);
  REQUIRE(state->has_value());
  CHECK(notes.size() == notes_expected);
  return (*state)->state;
}

}  // namespace

TEST_CASE("after a kill the sidecar knows every line that was written", "[ringlog]") {
  Written written;
  write_lines(written, 5);
  CHECK(loaded(written) == written.states[5]);
}

TEST_CASE("data without its entry is cut off: it counts as not written", "[ringlog]") {
  Written written;
  write_lines(written, 3);
  append_text_to(written.path, "line 4\nline");
  const auto state = loaded(written, 1);
  CHECK(state == written.states[3]);
  const auto file = AppendFile::open(written.path, state.end.length);
  REQUIRE(file);
  CHECK(read_text(written.path) == "line 1\nline 2\nline 3\n");
}

TEST_CASE("entries whose data a power cut took do not count, wherever it stopped", "[ringlog]") {
  for (std::uint64_t length = 0; length <= 21; ++length) {
    Written written;
    write_lines(written, 3);
    REQUIRE(::truncate(written.path.c_str(), static_cast<off_t>(length)) == 0);
    const auto state = loaded(written, length == 21 ? 0 : 1);
    CHECK(state == written.states[length / 7]);
  }
}

TEST_CASE("data that is not what was written ends the run of good entries", "[ringlog]") {
  Written written;
  write_lines(written, 3);
  auto text = read_text(written.path);
  text[9] = 'X';
  write_text(written.path, text);
  CHECK(loaded(written, 1) == written.states[1]);
}

TEST_CASE("a torn sidecar counts up to its last whole entry", "[ringlog]") {
  Written whole;
  write_lines(whole, 3);
  const auto text = read_text(sidecar_path(whole.path));
  const auto snapshot = text.find('\n') + 1;
  for (auto length = snapshot; length < text.size(); length += 13) {
    write_text(sidecar_path(whole.path), text.substr(0, length));
    std::vector<std::string> notes;
    const auto state = load_state(whole.path, notes);
    REQUIRE(state);
    const auto entries = static_cast<std::size_t>(
        std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(length), '\n'));
    CHECK((*state)->state == whole.states[entries - 1]);
  }
  write_text(sidecar_path(whole.path), text.substr(0, snapshot - 5));
  std::vector<std::string> notes;
  const auto damaged = load_state(whole.path, notes);
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().code == Errc::corrupt);
}

TEST_CASE("a file shorter than its snapshot is refused, not taken for an empty one", "[ringlog]") {
  Written written;
  write_lines(written, 3);
  auto sidecar = Sidecar::create(written.path, written.states[3]);
  REQUIRE(sidecar);
  CHECK(loaded(written) == written.states[3]);
  write_text(written.path, "line 1\n");
  std::vector<std::string> notes;
  const auto state = load_state(written.path, notes);
  REQUIRE_FALSE(state);
  CHECK(state.error().message.find("21") != std::string::npos);
}

TEST_CASE("no sidecar is no state", "[ringlog]") {
  const TemporaryDirectory directory;
  std::vector<std::string> notes;
  const auto state = load_state(directory / "none", notes);
  REQUIRE(state);
  CHECK_FALSE(state->has_value());
}

TEST_CASE("what the disk does not take is kept and written later, once", "[ringlog]") {
  const TemporaryDirectory directory;
  auto file = AppendFile::open(directory / "log", 0);
  REQUIRE(file);
  std::size_t room = 4;
  file->set_write_function(
      [&](int fd, const void* data, std::size_t bytes, off_t offset) -> ssize_t {
        if (room == 0) {
          errno = ENOSPC;
          return -1;
        }
        const auto put = ::pwrite(fd, data, std::min(bytes, room), offset);
        room -= static_cast<std::size_t>(put);
        return put;
      });
  file->append("one\ntwo\n");
  const auto full = file->flush();
  REQUIRE_FALSE(full);
  CHECK(full.error().message.find("No space left") != std::string::npos);
  CHECK(file->length() == 4);
  CHECK(file->buffered() == 4);
  file->append("three\n");
  room = 100;
  REQUIRE(file->flush());
  CHECK(read_text(directory / "log") == "one\ntwo\nthree\n");
}
