// SPDX-License-Identifier: Apache-2.0
#include "sim/history.hpp"

#include <cstdio>
#include <utility>

#include "protocol/base/assert.hpp"
#include "protocol/groups/envelope.hpp"

namespace ringcast::sim {

namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

std::optional<GroupChange> find_change(std::span<const std::byte> bytes) {
  const Result<Envelope> envelope = decode_envelope(bytes);
  if (!envelope) return std::nullopt;
  if (const auto* const join = std::get_if<JoinChange>(&*envelope)) {
    return GroupChange{
        .is_join = true, .session = join->session, .group = std::string(join->group)};
  }
  if (const auto* const leave = std::get_if<LeaveChange>(&*envelope)) {
    return GroupChange{
        .is_join = false, .session = leave->session, .group = std::string(leave->group)};
  }
  return std::nullopt;
}

}  // namespace

std::string show(Instant time) {
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  char text[48];
  std::snprintf(
      text,
      sizeof text,
      "%lld.%03lldms",
      static_cast<long long>(micros / 1000),
      static_cast<long long>(micros % 1000));
  return text;
}

ProcessIndex History::start_process(Process process) {
  names[process.node] = process.daemon;
  processes.push_back(std::move(process));
  return processes.size() - 1;
}

void History::end_process(ProcessIndex process, Instant time, Ending ending) {
  processes[process].ended = time;
  processes[process].ending = ending;
}

MessageIndex History::intern(const MessageRecord& message) {
  const MessageIndex next = messages.size();
  const MessageIndex known =
      message.payload
          ? by_payload_.try_emplace(message.payload->id, next).first->second
          : anonymous_.try_emplace(Anonymous{message.hash, message.originator, message.label}, next)
                .first->second;
  if (known == next) messages.push_back(message);
  return known;
}

void History::ordered(ProcessIndex process, Instant time, const OrderedEvent& event) {
  std::vector<ProcessEvent>& events = processes[process].events;
  std::visit(
      Overloaded{
          [&](const ConfigurationChange& change) {
            ProcessEvent& added = events.emplace_back();
            added.time = time;
            added.what = change;
          },
          [&](const OrderedMessage& message) {
            MessageRecord record;
            record.originator = message.originator;
            record.label = {
                .ring = message.configuration, .seq = message.seq, .index = message.index};
            record.service = message.service;
            const auto payload = message.payload.joined();
            const Content content = look_into(payload.bytes());
            record.hash = content.hash;
            record.payload = content.payload;
            if (!record.payload) record.change = find_change(payload.bytes());
            const Delivered delivered{
                .message = intern(record),
                .label = record.label,
                .originator = record.originator,
                .service = record.service,
                .hash = record.hash,
                .transitional = message.transitional};
            ProcessEvent& added = events.emplace_back();
            added.time = time;
            added.what = delivered;
          }},
      event);
}

void History::originated(ProcessIndex process, Instant time, const Originated& originated) {
  ProcessEvent& event = processes[process].events.emplace_back();
  event.time = time;
  event.what = originated;
}

void History::entered(
    ProcessIndex process, Instant time, const RingId& ring, std::string_view text) {
  constexpr std::string_view arrow = " -> ";
  const std::size_t middle = text.find(arrow);
  const std::size_t end = text.find("  ", middle + arrow.size());
  RC_ASSERT(middle != std::string_view::npos && end != std::string_view::npos);
  Entered event;
  event.from = text.substr(0, middle);
  event.to = text.substr(middle + arrow.size(), end - middle - arrow.size());
  event.reason = text.substr(end + 2);
  event.ring = ring;
  ProcessEvent& added = processes[process].events.emplace_back();
  added.time = time;
  added.what = std::move(event);
}

SessionRecord& History::open_session(
    std::string daemon, std::optional<ProcessIndex> process, Instant time) {
  SessionRecord record;
  record.client = sessions.size() + 1;
  record.node = node_id(daemon);
  record.daemon = std::move(daemon);
  record.process = process;
  record.opened = time;
  sessions.push_back(std::move(record));
  return sessions.back();
}

void History::add(std::uint64_t client, Instant time, ClientHistoryEvent event) {
  session(client).events.push_back({.time = time, .what = std::move(event)});
}

std::string History::name_of(NodeId node) const {
  const auto at = names.find(node);
  return at == names.end() ? to_string(node) : at->second;
}

std::string History::show(const RingId& ring) const {
  return std::to_string(ring.seq) + "." + name_of(ring.representative) + "." +
         std::to_string(ring.boot.value);
}

std::string History::describe(MessageIndex message) const {
  const MessageRecord& record = messages[message];
  std::string text = show(record.label.ring) + " seq " + std::to_string(record.label.seq.value) +
                     "/" + std::to_string(record.label.index) + " of " +
                     name_of(record.originator) + " " + std::string(to_string(record.service));
  if (record.payload) {
    text += " (client " + std::to_string(record.payload->id.client) + " no " +
            std::to_string(record.payload->id.number) + ")";
  }
  return text;
}

std::string History::describe_process(ProcessIndex process) const {
  const Process& p = processes[process];
  return p.daemon + "#" + std::to_string(p.incarnation);
}

}  // namespace ringcast::sim
