// SPDX-License-Identifier: Apache-2.0
//
// Side: several reconcilers under one order, with joins, kills, partitions and merges; nothing
// here touches a disk or a socket.
#pragma once

#include <deque>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "tools/ringlog-write/entry_lines.hpp"
#include "tools/ringlog-write/reconciler.hpp"

namespace ringcast::ringlog {

inline const std::string group = "weblogs";

inline Producer producer(std::uint8_t number) {
  Producer made;
  made.id.bytes[0] = number;
  made.name = "p" + std::to_string(number);
  return made;
}

inline Configuration configuration(std::uint64_t seq, std::vector<std::string> daemons) {
  return Configuration{ConfigurationId{seq, "a", 1}, std::move(daemons), {"a", "b", "c"}};
}

inline std::string line_text(std::uint8_t from, std::uint64_t seq) {
  return std::to_string(from) + ":" + std::to_string(seq);
}

inline Message record_message(std::uint64_t ring, std::uint8_t from, Range range) {
  Lines lines;
  for (auto seq = range.first; seq <= range.last; ++seq) {
    lines.lines.push_back(line_text(from, seq));
  }
  Message message;
  message.position.configuration = ConfigurationId{ring, "a", 1};
  message.groups = {group};
  message.service = Service::safe;
  message.type = record_type;
  message.payload = encode(Record{producer(from), range.first, std::move(lines)});
  return message;
}

inline std::size_t count_of(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    ++found;
  }
  return found;
}

struct TestWriter {
  MemberName name;
  Reconciler mind{group, FileState{}};
  std::string file;
  std::vector<FileEntry> entries;
  std::size_t table_bytes_max{std::size_t{1} << 20U};
  std::size_t tables{0};  // messages with tables, sent
  std::vector<PendingRecord> pending;
  std::vector<std::string> reports;

  void collect(std::deque<Message>& out) {
    auto output = mind.take();
    file += output.data;
    pending.insert(pending.end(), output.pending.begin(), output.pending.end());
    reports.insert(reports.end(), output.reports.begin(), output.reports.end());
    entries.insert(entries.end(), output.entries.begin(), output.entries.end());
    for (auto& sent : output.messages) {
      tables += sent.type == table_type ? 1 : 0;
      REQUIRE(sent.payload.size() <= table_bytes_max);
      Message message;
      message.sender = name;
      message.groups = {writers_group(group)};
      message.service = Service::safe;
      message.type = sent.type;
      message.payload = std::move(sent.payload);
      out.push_back(std::move(message));
    }
  }
  // What its target asks for, out of the file of one who has it.
  void fetch_from(const TestWriter& other) {
    REQUIRE(mind.target());
    const auto begin = mind.end().length;
    const auto end = mind.target()->end.length;
    for (auto entry : other.entries) {
      if (entry.after.length <= mind.end().length || entry.before.length >= end) continue;
      const auto text = other.file.substr(static_cast<std::size_t>(entry.before.length));
      if (entry.after.length > end) entry = split_at(entry, text, end)->first;
      if (entry.before.length < begin) entry = split_at(entry, text, begin)->second;
      const auto data = other.file.substr(
          static_cast<std::size_t>(entry.before.length),
          static_cast<std::size_t>(entry.after.length - entry.before.length));
      REQUIRE(mind.append_fetched({entry}, data));
    }
    std::deque<Message> nowhere;
    collect(nowhere);
  }
};

// One side of a network: who is in it sees the same events in the same order.
class Side {
 public:
  explicit Side(std::uint64_t ring, std::vector<std::string> daemons = {"a", "b", "c"})
      : ring_(ring), daemons_(std::move(daemons)) {}

  void add(TestWriter& writer) { start(writer), join_writers(writer); }
  void start(TestWriter& writer) {
    writer.mind.on_session(writer.name, writer.table_bytes_max);
    writer.mind.on_event(configuration(ring_, daemons_));
    starting_.push_back(&writer);
    View view;
    view.group = group;
    view.id = "g" + std::to_string(++views_);
    view.members = view.who = view.with_me = {writer.name};
    writer.mind.on_event(view);
    REQUIRE(writer.mind.in_group());
  }
  void join_writers(TestWriter& writer) {
    std::erase(starting_, &writer);
    const auto before = names();
    members_.push_back(&writer);
    for (auto* member : members_) {
      View view = writers_view(Cause::join);
      view.who = {writer.name};
      view.with_me = member == &writer ? std::vector<MemberName>{writer.name} : before;
      member->mind.on_event(view);
      member->collect(in_flight_);
    }
    ++views_;
  }
  void remove(TestWriter& writer) {
    std::erase(members_, &writer);
    std::erase_if(
        in_flight_, [&](const Message& message) { return message.sender == writer.name; });
    writer.mind.on_session_end();
    std::deque<Message> nowhere;
    writer.collect(nowhere);
    for (auto* member : members_) {
      View view = writers_view(Cause::disconnect);
      view.who = {writer.name};
      view.with_me = names();
      member->mind.on_event(view);
      member->collect(in_flight_);
    }
    ++views_;
  }
  void publish(std::uint8_t from, Range range, bool transitional = false) {
    auto message = record_message(ring_, from, range);
    message.position.seq = ++seq_;
    message.transitional = transitional;
    deliver(message);
  }
  // Delivers the writers' tables that are under way, or so many of them.
  void settle(std::size_t count = std::numeric_limits<std::size_t>::max()) {
    for (; count > 0 && !in_flight_.empty(); --count) {
      auto message = in_flight_.front();
      in_flight_.pop_front();
      message.position = Position{ConfigurationId{ring_, "a", 1}, ++seq_, 0};
      deliver(message);
    }
  }
  // The network changes: those in `with` come along from other sides.
  void reconfigure(
      std::uint64_t ring, const std::vector<std::string>& daemons, std::vector<Side*> with) {
    ring_ = ring;
    daemons_ = daemons;
    std::map<TestWriter*, std::vector<MemberName>> came_with;
    for (auto* member : members_) {
      came_with[member] = names();
    }
    for (auto* side : with) {
      for (auto* member : side->members_) {
        came_with[member] = side->names();
      }
      in_flight_.insert(in_flight_.end(), side->in_flight_.begin(), side->in_flight_.end());
      members_.insert(members_.end(), side->members_.begin(), side->members_.end());
      side->members_.clear();
      side->in_flight_.clear();
    }
    ++views_;
    for (auto* member : members_) {
      member->mind.on_event(configuration(ring_, daemons_));
      View view = writers_view(Cause::network);
      view.with_me = came_with[member];
      if (view.with_me.size() != view.members.size()) {
        member->mind.on_event(Transitional{view.group});
        member->mind.on_event(view);
      }
      member->collect(in_flight_);
    }
  }
  // Those on the other side go; the ones who stay see them gone.
  Side split(const std::vector<TestWriter*>& gone, std::uint64_t ring, std::uint64_t their_ring) {
    Side other(their_ring, {"c"});
    other.views_ = views_ + 100;
    for (auto* writer : gone) {
      std::erase(members_, writer);
      other.members_.push_back(writer);
    }
    daemons_ = {"a", "b"};
    ring_ = ring;
    for (auto* side : {this, &other}) {
      for (auto* member : side->members_) {
        member->mind.on_event(configuration(side->ring_, side->daemons_));
        View view = side->writers_view(Cause::network);
        view.with_me = side->names();
        member->mind.on_event(view);
        member->collect(side->in_flight_);
      }
    }
    return other;
  }

  void deliver(const Message& message) {
    for (auto* writer : starting_) {
      if (message.type == record_type) writer->mind.on_event(message);
      writer->collect(in_flight_);
    }
    for (auto* member : members_) {
      member->mind.on_event(message);
      member->collect(in_flight_);
    }
  }
  // What that writer said and nobody has heard is lost.
  void drop_from(const std::string& name) {
    std::erase_if(
        in_flight_, [&](const Message& message) { return message.sender.session == name; });
  }

 private:
  [[nodiscard]] std::vector<MemberName> names() const {
    std::vector<MemberName> made;
    for (const auto* member : members_) {
      made.push_back(member->name);
    }
    return made;
  }
  [[nodiscard]] View writers_view(Cause cause) const {
    View view;
    view.group = writers_group(group);
    view.id = std::to_string(ring_) + "/" + std::to_string(views_);
    view.cause = cause;
    view.members = names();
    return view;
  }

  std::uint64_t ring_;
  std::vector<std::string> daemons_;
  std::uint64_t views_{0};
  std::uint64_t seq_{0};
  std::vector<TestWriter*> members_;
  std::vector<TestWriter*> starting_;  // in the group, not yet in the writers' group
  std::deque<Message> in_flight_;
};

inline TestWriter writer(const std::string& name) {
  TestWriter made;
  made.name = MemberName{name, "a"};
  return made;
}

}  // namespace ringcast::ringlog
