// SPDX-License-Identifier: Apache-2.0
//
// Events of the session, a batch at a time.
#include "tools/ringlog-monitor/ring_source.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "tools/common/exit_codes.hpp"
#include "tools/common/utf8.hpp"

namespace ringcast::monitor {

namespace {

constexpr auto program = "ringlog-monitor";
constexpr std::size_t batch_bytes = std::size_t{1} << 20U;
constexpr std::size_t event_bytes = 256;
constexpr std::size_t outgoing_max = 64;
constexpr std::chrono::milliseconds status_time{300};
constexpr std::chrono::seconds goodbye_time{2};

}  // namespace

RingSource::RingSource(
    const ClientOptions& options, std::vector<std::string> groups, LineSink& sink)
    : groups_(std::move(groups)), sink_(sink), link_(options, program) {}

void RingSource::step(Instant now) {
  if (link_.try_connect(Clock::now())) begin_session();
  state_.last_error = link_.last_error();
  has_more_ = false;
  std::size_t bytes = 0;
  while (link_.client() != nullptr) {
    if (bytes >= batch_bytes) {
      has_more_ = true;
      break;
    }
    auto event = link_.client()->try_receive();
    if (!event) {
      end_session(event.error().message);
    } else if (!event->has_value()) {
      break;
    } else {
      const auto* message = std::get_if<Message>(&**event);
      bytes += event_bytes + (message == nullptr ? 0 : message->payload.size());
      take(**event, now);
    }
  }
  send();
}

void RingSource::begin_session() {
  ++state_.sessions;
  state_.session = to_string(link_.client()->name());
  for (const auto& group : groups_) {
    if (auto joined = link_.client()->join(group); !joined) {
      end_session(joined.error().message);
      return;
    }
  }
}

void RingSource::end_session(const std::string& reason) {
  state_.session.clear();
  state_.members.clear();
  state_.configuration.reset();
  state_.status.reset();
  link_.drop(reason);
}

void RingSource::take(const Event& event, Instant now) {
  if (const auto* message = std::get_if<Message>(&event)) {
    lines_.take(*message, sink_, now);
    state_.counters = lines_.counters();
  } else if (const auto* view = std::get_if<View>(&event)) {
    state_.members[view->group] = view->members;
  } else if (const auto* configuration = std::get_if<Configuration>(&event)) {
    state_.configuration = *configuration;
  } else if (const auto* closed = std::get_if<Closed>(&event)) {
    end_session(closed->reason);
  } else if (const auto* refused = std::get_if<Refused>(&event)) {
    if (refused->ticket == 0) {
      end_session(refused->error.message);
    } else {
      tools::report(program, "an alert was not published: " + refused->error.message);
    }
  }
}

void RingSource::publish(const std::string& group, const std::string& text) {
  if (outgoing_.size() >= outgoing_max) {
    tools::report(program, "the daemon is away; an alert was not published");
    outgoing_.pop_front();
  }
  outgoing_.push_back(Outgoing{group, text});
}

void RingSource::send() {
  while (link_.client() != nullptr && !outgoing_.empty()) {
    Publication publication;
    publication.groups = {outgoing_.front().group};
    publication.payload = tools::as_bytes(outgoing_.front().text);
    publication.confirm = false;
    const auto published = link_.client()->try_publish(publication);
    if (!published) {
      const auto code = published.error().code;
      const bool is_later = code == Errc::would_block || code == Errc::inbox_full ||
                            code == Errc::closed;  // the event of the end follows
      if (is_later) return;
      tools::report(program, "an alert was not published: " + published.error().message);
    }
    outgoing_.pop_front();
  }
}

void RingSource::ask_status() {
  if (link_.client() == nullptr) return;
  auto status = link_.client()->status(Clock::now() + status_time);
  if (status) state_.status = std::move(status).value();
}

int RingSource::fd() { return link_.client() == nullptr ? -1 : link_.client()->fd(); }

bool RingSource::wants_write() {
  return link_.client() != nullptr && link_.client()->wants_write();
}

RingSource::Clock::time_point RingSource::next_step(Clock::time_point otherwise) {
  if (link_.client() == nullptr) return std::min(otherwise, link_.next_attempt());
  return has_more_ || link_.client()->has_event() ? Clock::now() : otherwise;
}

void RingSource::close() {
  if (link_.client() == nullptr) return;
  send();
  (void)link_.client()->close(Clock::now() + goodbye_time);
}

}  // namespace ringcast::monitor
