// SPDX-License-Identifier: Apache-2.0
//
// SinkRunner: a sink gets what it does not have, in order, whatever it answers.
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "tests/unit/tools/journals.hpp"
#include "tools/ringlog-write/sinks/sink_runner.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;

namespace {

constexpr std::chrono::seconds patience{20};

/// What a sink holds, beyond its own life; and how it behaves.
struct Held {
  std::mutex mutex{};
  std::condition_variable changed{};
  std::optional<SinkPosition> position{};
  std::string text{};
  std::string refusal{};  // of every write, while it is not empty
  int refused{0};
  int reopened{0};
  std::vector<std::string> told{};

  bool wait(const std::function<bool()>& holds) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, patience, holds);
  }
  template <class Change>
  void change(Change how) {
    {
      const std::lock_guard lock(mutex);
      how();
    }
    changed.notify_all();
  }
};

class HeldSink : public Sink {
 public:
  explicit HeldSink(Held& held) : held_(held) {}

  Result<std::optional<SinkPosition>> open(const std::string& /*journal*/) override {
    const std::lock_guard lock(held_.mutex);
    return held_.position;
  }
  Result<void> write(const SinkBatch& batch) override {
    Result<void> result;
    held_.change([&] {
      if (!held_.refusal.empty()) {
        ++held_.refused;
        result = Error{Errc::io, held_.refusal};
        return;
      }
      for (const auto& line : batch.lines) {
        held_.text += std::string(line.text) + "\n";
      }
      held_.position = SinkPosition{batch.journal, batch.end};
    });
    return result;
  }
  Result<void> reopen() override {
    held_.change([&] { ++held_.reopened; });
    return {};
  }

 private:
  Held& held_;
};

SinkRunnerOptions options_for(Held& held) {
  SinkRunnerOptions options;
  options.name = "held";
  options.batch_bytes = 4;
  options.tell = [&held](const std::string& sentence) {
    held.change([&] { held.told.push_back(sentence); });
  };
  return options;
}

std::unique_ptr<SinkRunner> runner_of(
    Held& held, TestJournal& journal, const SinkRunnerOptions& options) {
  return std::make_unique<SinkRunner>(std::make_unique<HeldSink>(held), journal.journal(), options);
}

}  // namespace

TEST_CASE("a sink gets the journal from where it was, and goes on", "[sinks]") {
  const TemporaryDirectory directory;
  TestJournal journal(directory / "journal");
  journal.append({{1, 1, {"a", "b", "c"}}});
  Held held;
  {
    const auto runner = runner_of(held, journal, options_for(held));
    REQUIRE(held.wait([&] { return held.text == "a\nb\nc\n"; }));
    journal.append({{1, 4, {"d"}}});
    REQUIRE(held.wait([&] { return held.text == "a\nb\nc\nd\n"; }));
  }
  journal.append({{1, 5, {"e"}}});
  const auto runner = runner_of(held, journal, options_for(held));
  REQUIRE(held.wait([&] { return held.text == "a\nb\nc\nd\ne\n"; }));
  runner->finish(SinkRunner::Clock::now() + patience);
  runner->wait_end();
  const auto figures = runner->figures();
  CHECK((figures.lines == 1 && figures.bytes == 2 && figures.position == 10));
  CHECK((figures.lag_bytes == 0 && figures.errors == 0));
}

TEST_CASE(
    "a new sink may begin at the end, and stays there when it ends before a line", "[sinks]") {
  const TemporaryDirectory directory;
  TestJournal journal(directory / "journal");
  journal.append({{1, 1, {"old"}}});
  Held held;
  auto options = options_for(held);
  options.from_end = true;
  {
    const auto runner = runner_of(held, journal, options);
    REQUIRE(held.wait([&] { return held.position.has_value(); }));
  }
  journal.append({{1, 2, {"new"}}});
  const auto runner = runner_of(held, journal, options);
  REQUIRE(held.wait([&] { return held.text == "new\n"; }));
}

TEST_CASE("another journal is noticed and begun with its first line", "[sinks]") {
  const TemporaryDirectory directory;
  TestJournal journal(directory / "journal");
  journal.append({{1, 1, {"a"}}});
  Held held;
  held.position = SinkPosition{"another", 700};
  auto options = options_for(held);
  options.from_end = true;  // it is not new
  const auto runner = runner_of(held, journal, options);
  REQUIRE(held.wait([&] { return held.text == "a\n"; }));
  REQUIRE(held.told.size() == 1);
  CHECK(held.told[0].find("is another journal than the last time") != std::string::npos);
}

TEST_CASE("a sink that fails is tried again, told once, and misses nothing", "[sinks]") {
  const TemporaryDirectory directory;
  TestJournal journal(directory / "journal");
  journal.append({{1, 1, {"a", "b"}}});
  Held held;
  held.refusal = "broken";
  const auto runner = runner_of(held, journal, options_for(held));
  REQUIRE(held.wait([&] { return held.refused >= 2; }));
  const auto figures = runner->figures();
  CHECK((figures.trouble == "broken" && figures.errors >= 1 && figures.lag_bytes == 4));
  held.change([&] { held.refusal.clear(); });
  runner->reopen();  // another try at once
  REQUIRE(held.wait(
      [&] { return held.text == "a\nb\n" && held.reopened == 1 && held.told.size() == 2; }));
  CHECK(held.told[0] == "broken; nothing is lost, trying again");
  CHECK(held.told[1] == "writing again");
}

TEST_CASE("a sink that fails at the end does not hold it up", "[sinks]") {
  const TemporaryDirectory directory;
  TestJournal journal(directory / "journal");
  journal.append({{1, 1, {"a"}}});
  Held held;
  held.refusal = "broken";
  const auto runner = runner_of(held, journal, options_for(held));
  REQUIRE(held.wait([&] { return held.refused >= 1; }));
  runner->finish(SinkRunner::Clock::now() + patience);
  const auto begun = SinkRunner::Clock::now();
  runner->wait_end();
  CHECK(SinkRunner::Clock::now() - begun < patience);
  CHECK(runner->figures().lag_bytes == 2);
}

TEST_CASE("a journal restored from an older copy stops its sinks and says so", "[sinks]") {
  const TemporaryDirectory directory;
  TestJournal journal(directory / "journal");
  journal.append({{1, 1, {"a"}}});
  Held held;
  held.position = SinkPosition{journal.journal().id(), 100};
  const auto runner = runner_of(held, journal, options_for(held));
  REQUIRE(held.wait([&] { return !held.told.empty(); }));
  CHECK(
      held.told[0].find("holds 2 bytes, but this sink is at 100; the journal was restored") !=
      std::string::npos);
}

namespace {

constexpr std::uint64_t limit = std::uint64_t{128} << 10U;

// Records of a hundred lines of a thousand bytes, each told from the others by its numbers.
void append_much(TestJournal& journal, std::uint64_t& seq, int records) {
  for (int i = 0; i < records; ++i) {
    TestRecord record;
    record.first_seq = seq + 1;
    for (int line = 0; line < 100; ++line) {
      auto text = std::to_string(++seq);
      text.resize(999, '.');
      record.lines.push_back(text);
    }
    journal.append({record});
  }
}

SinkRunnerOptions options_of_blocks(Held& held) {
  auto options = options_for(held);
  options.batch_bytes = std::size_t{64} << 10U;
  return options;
}

std::uint64_t begins_of(const TestJournal& journal) { return journal.store().begins().length; }

std::uint64_t blocks_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

}  // namespace

TEST_CASE("a journal keeps what a slow sink has not taken, and says so", "[sinks]") {
  const TemporaryDirectory directory;
  TestJournal journal(directory / "journal", Keep{limit, {}});
  Held slow;
  Held quick;
  slow.refusal = "is slow";
  std::uint64_t seq = 0;
  auto slow_runner = runner_of(slow, journal, options_of_blocks(slow));
  const auto quick_runner = runner_of(quick, journal, options_of_blocks(quick));
  append_much(journal, seq, 10);
  REQUIRE(quick.wait([&] { return quick.text.size() == 1'000'000; }));
  append_much(journal, seq, 1);
  CHECK(begins_of(journal) == 0);
  CHECK(blocks_of(journal.path()) > 8 * limit);
  const auto& told = journal.store_told();
  REQUIRE(told.size() == 1);
  CHECK(told.front().find("a sink has not taken what stands behind byte 0") != std::string::npos);
  slow.change([&] { slow.refusal.clear(); });
  slow_runner->reopen();
  REQUIRE(slow.wait([&] { return slow.text.size() == 1'100'000; }));
  REQUIRE(quick.wait([&] { return quick.text.size() == 1'100'000; }));
  CHECK(slow.text == quick.text);
  // One that is gone from the configuration holds nothing.
  slow.change([&] { slow.refusal = "is slow again"; });
  append_much(journal, seq, 10);
  slow_runner.reset();
  REQUIRE(quick.wait([&] { return quick.text.size() == 2'100'000; }));
  append_much(journal, seq, 1);
  append_much(journal, seq, 1);
  CHECK(begins_of(journal) > 1'500'000);
  CHECK(blocks_of(journal.path()) < 5 * limit);
}

TEST_CASE(
    "a sink that is new begins where the journal does, and one that was away hears what it lost",
    "[sinks]") {
  const TemporaryDirectory directory;
  TestJournal journal(directory / "journal", Keep{limit, {}});
  std::uint64_t seq = 0;
  append_much(journal, seq, 20);
  const auto begins = journal.store().begins();
  REQUIRE(begins.length > 1'000'000);
  const auto kept = journal.journal().kept() - begins.length;
  Held fresh;
  Held late;
  late.position = SinkPosition{journal.journal().id(), 300'000};
  {
    const auto one = runner_of(fresh, journal, options_of_blocks(fresh));
    const auto other = runner_of(late, journal, options_of_blocks(late));
    REQUIRE(fresh.wait([&] { return fresh.text.size() == kept; }));
    REQUIRE(late.wait([&] { return late.text.size() > kept; }));
    REQUIRE(late.wait([&] { return late.position->offset == begins.length + kept; }));
  }
  CHECK(fresh.text.starts_with(std::to_string(begins.lines + 1) + "."));
  REQUIRE(fresh.told.size() == 1);
  CHECK(fresh.told.front().find("beginning there") != std::string::npos);
  const auto marker = late.text.substr(0, late.text.find('\n') + 1);
  CHECK(
      marker == R"(#ringlog-gap {"lines":0,"missing":[],"bytes":[300000,)" +
                    std::to_string(begins.length) + "]}\n");
  CHECK(late.text.substr(marker.size()) == fresh.text);
}

TEST_CASE(
    "where a journal goes on behind another front, sinks read up to there and hear of it",
    "[sinks]") {
  const TemporaryDirectory directory;
  TestJournal journal(directory / "journal", Keep{limit, {}});
  Held held;
  held.refusal = "is slow";
  auto runner = runner_of(held, journal, options_of_blocks(held));
  std::uint64_t seq = 0;
  append_much(journal, seq, 5);
  FileFront front;
  front.begins = FilePoint{1'000'000, 1000, 77};
  (void)front.table.add(test_producer(1), {1, 1000});
  journal.go_on_behind(front);
  CHECK(journal.store().written().table == front.table);
  seq = 1000;
  append_much(journal, seq, 1);
  const auto is_restarted = GENERATE(false, true);
  if (is_restarted) {
    runner.reset();
    journal.restart();
    runner = runner_of(held, journal, options_of_blocks(held));
    journal.sync();
  }
  CHECK(blocks_of(journal.path()) > 500'000);  // the part in front, which the sink still reads
  held.change([&] { held.refusal.clear(); });
  runner->reopen();
  REQUIRE(held.wait([&] { return held.position && held.position->offset == 1'100'000; }));
  const auto at = held.text.find("#ringlog-gap");
  CHECK(at == 500'000);
  const auto marker = held.text.substr(at, held.text.find('\n', at) - at);
  CHECK(marker.find("\"bytes\":[500000,1000000]") != std::string::npos);
  CHECK(marker.find("\"lines\":500,") != std::string::npos);
  CHECK(marker.find("\"numbers\":[501,1000]") != std::string::npos);
  CHECK(marker.find("\"ranges\":[[501,1000]]") != std::string::npos);
  CHECK(held.text.substr(at + marker.size() + 1, 5) == "1001.");
  append_much(journal, seq, 1);
  CHECK(blocks_of(journal.path()) < 300'000);
  REQUIRE(held.wait([&] { return held.position->offset == 1'200'000; }));
}
