// SPDX-License-Identifier: Apache-2.0
//
// SinkRunner: a sink gets what it does not have, in order, whatever it answers.
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>

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
