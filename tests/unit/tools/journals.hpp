// SPDX-License-Identifier: Apache-2.0
//
// TestJournal: a writer's file that grows as the test says, as sinks see it; no ring.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/unit/temporary_directory.hpp"
#include "tools/ringlog-write/sinks/journal.hpp"
#include "tools/ringlog-write/sinks/journal_reader.hpp"
#include "tools/ringlog-write/sinks/line_rules.hpp"
#include "tools/ringlog-write/sinks/sink.hpp"
#include "tools/ringlog-write/store.hpp"
#include "tools/ringlog/chain.hpp"

namespace ringcast::ringlog {

/// Lines of one record.
struct TestRecord {
  std::uint8_t producer{1};
  std::uint64_t first_seq{1};
  std::vector<std::string> lines;
  std::string daemon{"d1"};
  bool is_marker{false};
};

inline Producer test_producer(std::uint8_t number) {
  Producer made;
  made.id.bytes[0] = number;
  made.name = "p" + std::to_string(number);
  return made;
}

class TestJournal {
 public:
  explicit TestJournal(std::string path, Keep keep = {}) : path_(std::move(path)), keep_(keep) {
    start();
  }

  /// As after a kill: nothing is ended in order.
  void restart() {
    store_.reset();
    start();
  }

  /// Written, synced, and with that visible to sinks.
  void append(const std::vector<TestRecord>& records) {
    take(records);
    sync();
  }
  void take(const std::vector<TestRecord>& records) {
    ReconcilerOutput output;
    for (const auto& record : records) {
      add(output, record);
    }
    store_->take(output);
    store_->flush(now_);
  }
  void cut(std::uint64_t length) {
    const auto point = store_->point_at(length);
    REQUIRE(point.ok());
    REQUIRE(point->has_value());
    REQUIRE(store_->cut(**point, now_).ok());
    end_ = **point;
  }
  void sync() {
    now_ += std::chrono::seconds{1};
    store_->sync_if_due(now_);
    store_->release_if_due(now_);
  }
  void go_on_behind(const FileFront& front) {
    REQUIRE(store_->go_on_behind(front, now_).ok());
    end_ = front.begins;
    sync();
  }

  [[nodiscard]] Journal& journal() { return *journal_; }
  [[nodiscard]] const Store& store() const { return *store_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::vector<std::string>& told() const { return told_; }
  /// By the store.
  [[nodiscard]] const std::vector<std::string>& store_told() const { return store_told_; }

 private:
  void start() {
    journal_ = std::make_unique<Journal>(JournalOptions{
        path_, "weblogs", [this](const std::string& sentence) { told_.push_back(sentence); }});
    StoreOptions options;
    options.group = "weblogs";
    options.path = path_;
    options.tell = [this](const std::string& sentence) { store_told_.push_back(sentence); };
    options.keep = keep_;
    options.observer = journal_.get();
    store_.emplace(std::move(options));
    REQUIRE(store_->open(now_).ok());
    end_ = store_->written().end;
  }

  void add(ReconcilerOutput& output, const TestRecord& record) {
    const Range range{record.first_seq, record.first_seq + record.lines.size() - 1};
    FileEntry entry;
    entry.before = end_;
    if (record.is_marker) {
      entry.markers.push_back(FileMarker{end_.length, 1});
      entry.additions = {Addition{test_producer(record.producer), range, AddedAs::gap}};
    } else {
      entry.additions = {
          Addition{test_producer(record.producer), range, AddedAs::line, record.daemon}};
      end_.lines += record.lines.size();
      output.origins.push_back(LineOrigin{
          output.data.size(),
          record.lines.size(),
          test_producer(record.producer),
          record.first_seq,
          record.daemon,
          Position{ConfigurationId{1, "a", 1}, record.first_seq, 0}});
    }
    for (const auto& line : record.lines) {
      end_.chain = chain_line(end_.chain, line);
      end_.length += line.size() + 1;
      output.data += line + "\n";
    }
    entry.after = end_;
    output.entries.push_back(std::move(entry));
  }

  std::string path_;
  Keep keep_;
  std::unique_ptr<Journal> journal_;
  std::optional<Store> store_;
  FilePoint end_;
  Store::Instant now_{std::chrono::hours{1}};
  std::vector<std::string> told_;
  std::vector<std::string> store_told_;
};

/// The journal from `begin` on, as one batch that a sink may take.
struct TestBatch {
  explicit TestBatch(
      TestJournal& journal,
      std::uint64_t begin = 0,
      const LineRuleOptions& options = {},
      std::size_t bytes_max = std::size_t{64} << 20U)
      : rules(options) {
    auto opened = JournalReader::open(journal.path(), begin);
    REQUIRE(opened.ok());
    reader.emplace(std::move(opened).value());
    auto read = reader->read(journal.journal().kept(), bytes_max);
    REQUIRE(read.ok());
    lines = std::move(read).value();
    batch = rules.apply(lines, journal.journal().id());
  }

  LineRules rules;
  std::optional<JournalReader> reader;  // whose sources the lines name
  JournalBatch lines;
  SinkBatch batch;
};

}  // namespace ringcast::ringlog
