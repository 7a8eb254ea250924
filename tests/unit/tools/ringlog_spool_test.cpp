// SPDX-License-Identifier: Apache-2.0
//
// The spool: what was appended comes back after every kind of end, and segments go when all
// their records have settled.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <future>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/unit/temporary_directory.hpp"
#include "tools/ringlog-publish/spool.hpp"
#include "tools/ringlog-publish/spool_frames.hpp"
#include "tools/ringlog-publish/spool_survey.hpp"
#include "tools/ringlog/record.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;

namespace {

Spool::Options options(const TemporaryDirectory& directory) {
  Spool::Options made;
  made.directory = directory / "spool";
  made.segment_bytes = 100;
  made.bytes_max = 1000;
  return made;
}

Spool opened(const TemporaryDirectory& directory, std::size_t notes_expected = 0) {
  std::vector<std::string> notes;
  auto spool = Spool::open(options(directory), notes);
  REQUIRE(spool);
  CHECK(notes.size() == notes_expected);
  return std::move(spool).value();
}

void append(Spool& spool, const std::string& text) {
  REQUIRE(spool.append(std::as_bytes(std::span(text))));
}

std::vector<std::string> read_all(Spool& spool, bool settle) {
  std::vector<std::string> texts;
  while (spool.has_unread()) {
    const auto record = spool.read_next();
    REQUIRE(record);
    std::string text;
    for (const auto byte : record->payload) {
      text += static_cast<char>(byte);
    }
    texts.push_back(text);
    if (settle) REQUIRE(spool.on_settled(record->segment));
  }
  return texts;
}

std::size_t segments(const TemporaryDirectory& directory) {
  std::size_t count = 0;
  for (const auto& item : std::filesystem::directory_iterator(directory / "spool")) {
    if (item.path().extension() == ".spool") ++count;
  }
  return count;
}

std::string only_segment(const TemporaryDirectory& directory) {
  REQUIRE(segments(directory) == 1);
  for (const auto& item : std::filesystem::directory_iterator(directory / "spool")) {
    if (item.path().extension() == ".spool") return item.path().string();
  }
  return {};
}

}  // namespace

TEST_CASE("spooled records come back in order, and again until they settle", "[ringlog]") {
  const TemporaryDirectory directory;
  std::vector<std::string> written;
  {
    auto spool = opened(directory);
    for (int i = 0; i < 12; ++i) {
      written.push_back("record " + std::to_string(i));
      append(spool, written.back());
    }
    CHECK(segments(directory) == 3);
    CHECK(read_all(spool, false) == written);
  }
  {
    auto spool = opened(directory);
    CHECK(spool.unread() == 12);
    CHECK(read_all(spool, true) == written);
    CHECK(spool.bytes() == 0);
  }
  CHECK(segments(directory) == 0);
}

TEST_CASE("a record that reaches past the end of its file is cut off", "[ringlog]") {
  for (std::size_t torn = 1; torn < 12 + 6; ++torn) {
    const TemporaryDirectory directory;
    {
      auto spool = opened(directory);
      append(spool, "first");
      append(spool, "second");
    }
    const auto path = only_segment(directory);
    const auto text = read_text(path);
    write_text(path, text.substr(0, text.size() - torn));
    auto spool = opened(directory, 1);
    CHECK(std::filesystem::file_size(path) == 12 + 5);
    CHECK(read_all(spool, true) == std::vector<std::string>{"first"});
    CHECK_FALSE(std::filesystem::exists(path + ".damaged"));
  }
}

TEST_CASE("an end that is not a torn record is never cut off", "[ringlog]") {
  // Zeros, as a power cut leaves them; a length no record has; a payload that was changed.
  const std::string zeros(30, '\0');
  const std::string too_long = "\xFF\xFF\xFF\xFF" + std::string(30, 'x');
  for (const auto& more : {zeros, too_long, std::string()}) {
    const TemporaryDirectory directory;
    {
      auto spool = opened(directory);
      for (const auto* word : {"first", "second", "third"}) {
        append(spool, word);
      }
    }
    const auto path = only_segment(directory);
    auto text = read_text(path) + more;
    if (more.empty()) text[12 + 5 + 12] ^= 1;  // in the second record; the third is whole
    write_text(path, text);
    auto spool = opened(directory, 1);
    const auto texts = read_all(spool, true);
    CHECK(texts.size() == (more.empty() ? 1U : 3U));
    CHECK(texts.front() == "first");
    CHECK(read_text(path + ".damaged") == text);
    CHECK(segments(directory) == 0);
  }
}

TEST_CASE("a damaged segment is read up to the damage and set aside", "[ringlog]") {
  const TemporaryDirectory directory;
  {
    auto spool = opened(directory);
    for (int i = 0; i < 12; ++i) {
      append(spool, "record " + std::to_string(i));
    }
  }
  const auto path = (directory / "spool") + "/0000001000000000.spool";
  auto text = read_text(path);
  text[12 + 8 + 12 + 3] ^= 1;  // in the second record
  write_text(path, text);
  auto spool = opened(directory, 1);
  const auto texts = read_all(spool, true);
  CHECK(texts.front() == "record 0");
  CHECK(texts[1] == "record 5");
  CHECK(spool.has_lost());
  CHECK(std::filesystem::exists(path + ".damaged"));
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("what is damaged while it is in use is set aside at once", "[ringlog]") {
  const TemporaryDirectory directory;
  auto spool = opened(directory);
  append(spool, "first");
  append(spool, "second");
  const auto path = only_segment(directory);
  auto text = read_text(path);
  text[12 + 5 + 12] ^= 1;  // in the second record
  write_text(path, text);
  const auto first = spool.read_next();
  REQUIRE(first);
  REQUIRE(spool.on_settled(first->segment));
  CHECK_FALSE(spool.has_lost());
  const auto second = spool.read_next();
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::corrupt);
  CHECK(spool.has_lost());
  CHECK_FALSE(spool.has_unread());
  CHECK(read_text(path + ".damaged") == text);
  CHECK_FALSE(std::filesystem::exists(path));
  append(spool, "third");
  CHECK(read_all(spool, true) == std::vector<std::string>{"third"});
}

TEST_CASE("a read error is not taken for damage: the record can be read later", "[ringlog]") {
  const TemporaryDirectory directory;
  auto spool = opened(directory);
  append(spool, "first");
  const auto path = only_segment(directory);
  const auto text = read_text(path);
  write_text(path, "");  // as short as nobody left it: read_part() says so
  const auto failed = spool.read_next();
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Errc::io);
  CHECK(spool.unread() == 1);
  write_text(path, text);
  CHECK(read_all(spool, true) == std::vector<std::string>{"first"});
}

TEST_CASE("the spool is bounded and belongs to one process", "[ringlog]") {
  const TemporaryDirectory directory;
  auto spool = opened(directory);
  CHECK(spool.has_room(900));
  CHECK_FALSE(spool.has_room(1000));
  append(spool, std::string(600, 'x'));
  CHECK_FALSE(spool.has_room(500));
  std::vector<std::string> notes;
  const auto second = Spool::open(options(directory), notes);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::invalid_argument);
}

namespace {

std::vector<std::byte> record_of(const Producer& producer, std::uint64_t seq, std::size_t lines) {
  return encode(Record{producer, seq, Lines{std::vector<std::string>(lines, "0123456789")}});
}

// Records of two lines each, from number 1 on.
void append_records(Spool& spool, const Producer& producer, std::size_t records) {
  for (std::size_t i = 0; i < records; ++i) {
    REQUIRE(spool.append(record_of(producer, 1 + 2 * i, 2)));
  }
}

// Of a payload for which so many bytes are missing.
std::size_t room_beside(const Spool& spool, std::size_t missing) {
  constexpr std::size_t bytes_max = 1000;
  return bytes_max - spool.bytes() - spool_head_bytes + missing;
}

std::vector<Record> records_in(Spool& spool) {
  std::vector<Record> records;
  while (spool.has_unread()) {
    auto spooled = spool.read_next();
    REQUIRE(spooled);
    auto record = decode_record(spooled->payload);
    REQUIRE(record);
    records.push_back(std::move(record).value());
    REQUIRE(spool.on_settled(spooled->segment));
  }
  return records;
}

}  // namespace

TEST_CASE("the oldest segment makes room and leaves a note with its numbers", "[ringlog]") {
  const TemporaryDirectory directory;
  const Producer producer{random_producer(), "p"};
  {
    auto spool = opened(directory);
    append_records(spool, producer, 6);  // two to a segment
    REQUIRE(segments(directory) == 3);
    const auto before = spool.bytes();
    const auto dropped = spool.drop_for(room_beside(spool, 1));
    REQUIRE(dropped);
    CHECK(*dropped == 4U);
    CHECK(spool.bytes() < before);
    CHECK(segments(directory) == 3);
    CHECK(spool.drop_for(room_beside(spool, 1))->value() == 4U);
    CHECK(segments(directory) == 2);  // their notes are one
  }
  auto spool = opened(directory);  // the same after a kill
  const auto records = records_in(spool);
  REQUIRE(records.size() == 3);
  CHECK(std::get<Dropped>(records[0].body) == Dropped{8, 80, 8});
  CHECK(range_of(records[0]) == Range{1, 8});
  CHECK(range_of(records[1]) == Range{9, 10});
  CHECK(segments(directory) == 0);
}

TEST_CASE("however many segments make room, their notes are written and synced once", "[ringlog]") {
  const TemporaryDirectory directory;
  const Producer producer{random_producer(), "p"};
  int replaced = 0;
  auto counted = options(directory);
  counted.bytes_max = 2000;
  counted.replace = [&](const std::string& path, std::string_view content) {
    ++replaced;
    return replace_file(path, content);
  };
  std::vector<std::string> notes;
  auto spool = Spool::open(counted, notes);
  REQUIRE(spool);
  append_records(*spool, producer, 12);
  REQUIRE(segments(directory) == 6);
  CHECK(spool->drop_for(2000 - spool->bytes() + 300)->value() > 8);
  CHECK(replaced == 1);
  const auto now = std::chrono::file_clock::now();
  const auto left = spool->drop_older_than(now + std::chrono::hours(1));
  REQUIRE(left);
  CHECK(*left > 0);
  CHECK(replaced == 2);
  CHECK(segments(directory) == 1);
  const auto records = records_in(*spool);
  REQUIRE(records.size() == 1);
  CHECK(std::get<Dropped>(records[0].body) == Dropped{24, 240, 24});
}

TEST_CASE("when the notes cannot be written all is as it was", "[ringlog]") {
  const TemporaryDirectory directory;
  const Producer producer{random_producer(), "p"};
  auto failing = options(directory);
  failing.replace = [](const std::string& path, std::string_view /*content*/) {
    return Result<void>(Error{Errc::io, path + ": no space"});
  };
  std::vector<std::string> notes;
  auto spool = Spool::open(failing, notes);
  REQUIRE(spool);
  append_records(*spool, producer, 6);
  CHECK_FALSE(spool->drop_for(room_beside(*spool, 1)));
  CHECK(records_in(*spool).size() == 6);
}

TEST_CASE("nothing is dropped for what has no room in an empty spool", "[ringlog]") {
  const TemporaryDirectory directory;
  const Producer producer{random_producer(), "p"};
  auto spool = opened(directory);
  append_records(spool, producer, 6);
  const auto none = spool.drop_for(1000);
  REQUIRE(none);
  CHECK_FALSE(none->has_value());
  CHECK(records_in(spool).size() == 6);
}

TEST_CASE("of a damaged segment that is dropped a copy is kept", "[ringlog]") {
  const TemporaryDirectory directory;
  const Producer producer{random_producer(), "p"};
  {
    auto spool = opened(directory);
    append_records(spool, producer, 2);
    const auto path = only_segment(directory);
    auto text = read_text(path);
    text.back() = static_cast<char>(text.back() ^ 1);
    write_text(path, text);
  }
  auto spool = opened(directory, 1);
  CHECK(spool.drop_for(room_beside(spool, 1))->value() == 2U);
  CHECK(spool.has_lost());
  CHECK(std::filesystem::exists(only_segment(directory) + ".damaged"));
  CHECK(records_in(spool).size() == 1);
}

TEST_CASE("when all is dropped there is nothing more to drop, and appending goes on", "[ringlog]") {
  const TemporaryDirectory directory;
  const Producer producer{random_producer(), "p"};
  auto spool = opened(directory);
  append_records(spool, producer, 3);
  REQUIRE(spool.read_next());  // of the first segment: it is on its way
  REQUIRE(spool.drop_for(room_beside(spool, 1)));
  const auto none = spool.drop_for(room_beside(spool, 1));
  REQUIRE(none);
  CHECK_FALSE(none->has_value());
  REQUIRE(spool.append(record_of(producer, 7, 2)));
  CHECK(records_in(spool).size() == 3);
}

TEST_CASE("what lies in the spool for too long is dropped", "[ringlog]") {
  const TemporaryDirectory directory;
  const Producer producer{random_producer(), "p"};
  auto spool = opened(directory);
  append_records(spool, producer, 2);
  const auto old = only_segment(directory);
  append_records(spool, producer, 1);
  const auto now = std::chrono::file_clock::now();
  std::filesystem::last_write_time(old, now - std::chrono::hours(2));
  const auto none = spool.drop_older_than(now - std::chrono::hours(3));
  REQUIRE(none);
  CHECK(*none == 0);
  const auto dropped = spool.drop_older_than(now - std::chrono::hours(1));
  REQUIRE(dropped);
  CHECK(*dropped == 4);
  const auto records = records_in(spool);
  REQUIRE(records.size() == 2);
  CHECK(std::holds_alternative<Dropped>(records[0].body));
  CHECK(std::holds_alternative<Lines>(records[1].body));
}

TEST_CASE("a survey finds every whole record behind damage", "[ringlog]") {
  const TemporaryDirectory directory;
  const Producer producer{random_producer(), "p"};
  {
    auto options_of_one = options(directory);
    options_of_one.segment_bytes = 1 << 20;
    std::vector<std::string> notes;
    auto spool = Spool::open(options_of_one, notes);
    REQUIRE(spool);
    append_records(*spool, producer, 5);
  }
  const auto path = only_segment(directory);
  const auto good = read_text(path);
  const auto frame = good.size() / 5;
  const auto survey_of = [&](const std::string& text, std::vector<std::uint64_t>& seqs) {
    write_text(path, text);
    seqs.clear();
    const auto survey = survey_segment(
        path, [&](std::string_view, const Record& record) { seqs.push_back(record.first_seq); });
    REQUIRE(survey);
    return *survey;
  };
  std::vector<std::uint64_t> seqs;
  CHECK(survey_of(good, seqs).is_whole());
  CHECK(seqs.size() == 5);
  for (std::size_t i = 0; i < frame; ++i) {  // any byte of the second record
    auto bad = good;
    bad[frame + i] = static_cast<char>(bad[frame + i] ^ 1);
    const auto survey = survey_of(bad, seqs);
    CHECK(survey.damaged_bytes == frame);
    CHECK(seqs == std::vector<std::uint64_t>{1, 5, 7, 9});
  }
  const auto torn = survey_of(good.substr(0, good.size() - 3), seqs);
  CHECK(torn.torn_bytes == frame - 3);
  CHECK(torn.damaged_bytes == 0);
  CHECK(seqs.size() == 4);
}

TEST_CASE("a damaged length is no torn end: what is whole behind it is not cut off", "[ringlog]") {
  const TemporaryDirectory directory;
  const Producer producer{random_producer(), "p"};
  auto roomy = options(directory);
  roomy.segment_bytes = 1000;
  std::vector<std::string> notes;
  {
    auto spool = Spool::open(roomy, notes);
    REQUIRE(spool);
    append_records(*spool, producer, 3);
  }
  const auto path = only_segment(directory);
  auto text = read_text(path);
  const auto frame_bytes = text.size() / 3;
  text[frame_bytes + 2] = 1;  // the second record is 64 KiB longer now
  write_text(path, text);
  auto spool = Spool::open(roomy, notes);
  REQUIRE(spool);
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].find("damaged") != std::string::npos);
  CHECK(records_in(*spool).size() == 1);
  CHECK(read_text(path + ".damaged") == text);
}

TEST_CASE("what was set aside before keeps its name", "[ringlog]") {
  const TemporaryDirectory directory;
  std::string path;
  for (const auto* const word : {"first", "second"}) {
    {
      auto spool = opened(directory);
      append(spool, word);
    }
    path = only_segment(directory);
    auto text = read_text(path);
    text.back() = '?';
    write_text(path, text);
    auto spool = opened(directory, 1);
    CHECK(segments(directory) == 0);
  }
  std::vector<std::string> kept;
  for (const auto& item : std::filesystem::directory_iterator(directory / "spool")) {
    if (item.path().extension() == ".damaged") kept.push_back(read_text(item.path()).substr(12));
  }
  std::sort(kept.begin(), kept.end());
  CHECK(kept == std::vector<std::string>{"firs?", "secon?"});
}

TEST_CASE("a disk that takes its time holds nobody up who appends", "[ringlog]") {
  const TemporaryDirectory directory;
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::atomic<int> synced{0};
  auto slow = options(directory);
  slow.sync = [&synced, released](int /*fd*/) {
    released.wait();
    ++synced;
    return 0;
  };
  std::vector<std::string> notes;
  auto spool = Spool::open(slow, notes);
  REQUIRE(spool);
  for (int i = 0; i < 20; ++i) {  // several segments
    append(*spool, "record " + std::to_string(i));
    REQUIRE(spool->sync());
  }
  CHECK(synced == 0);
  release.set_value();
  REQUIRE(spool->sync_now());
  CHECK(synced > static_cast<int>(segments(directory)));
  CHECK(read_all(*spool, true).size() == 20);
}

TEST_CASE("a sync that failed is told, and made again", "[ringlog]") {
  const TemporaryDirectory directory;
  std::atomic<int> calls{0};
  auto failing = options(directory);
  failing.sync = [&calls](int /*fd*/) {
    if (++calls > 1) return 0;
    errno = EIO;
    return -1;
  };
  std::vector<std::string> notes;
  auto spool = Spool::open(failing, notes);
  REQUIRE(spool);
  append(*spool, "record");
  auto synced = spool->sync();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (synced && std::chrono::steady_clock::now() < deadline) {
    synced = spool->sync();
    std::this_thread::yield();
  }
  REQUIRE_FALSE(synced);
  CHECK(synced.error().message.find("cannot sync") != std::string::npos);
  REQUIRE(spool->sync_now());
  CHECK(calls == 2);
  REQUIRE(spool->sync_now());
  CHECK(calls == 2);
}
