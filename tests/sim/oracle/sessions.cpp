// SPDX-License-Identifier: Apache-2.0
#include "sim/oracle/sessions.hpp"

#include <utility>

namespace ringcast::sim {

namespace {

/// Within which a session beyond its bound must be gone: both, since it is closed at the next
/// packet, timer or request. In a crowd a thousand slices of deliveries and writes can lie between
/// two of these; a daemon that stands still has no input at all.
constexpr std::uint64_t patience_inputs = 256;
constexpr Duration patience = std::chrono::seconds{1};

/// One read of a socket and the heads of a request: a bound is looked at before it is used up.
constexpr std::uint64_t slack_bytes = std::uint64_t{256} << 10U;

}  // namespace

void SessionBounds::look(
    const Daemon& daemon,
    const std::vector<SessionInspection>& sessions,
    const RingConfig& ring,
    const SessionConfig& bounds,
    Report& report) {
  const std::uint64_t request_max = ring.message_bytes_max + slack_bytes;
  std::map<SessionId, Since> over;
  std::uint64_t unordered = 0;
  const auto fail = [&](const SessionInspection& session, std::uint64_t bytes, const char* what) {
    report.fail(
        "C4",
        daemon.name + " keeps " + std::to_string(bytes) + what +
            std::to_string(session.session.value));
  };
  for (const SessionInspection& session : sessions) {
    unordered += session.unordered_bytes;
    // One request may be there in part while the next read is added to it.
    if (session.input_bytes > request_max) {
      fail(session, session.input_bytes, " bytes of requests of session ");
    }
    // Asked before every request, so one request may go beyond.
    if (session.unordered_bytes > bounds.credit_bytes + request_max) {
      fail(session, session.unordered_bytes, " unordered bytes of session ");
    }
    if (session.backlog_bytes <= bounds.backlog_bytes_max) continue;
    const auto before = over_.find(session.session);
    const Since since = before == over_.end() ? Since{daemon.inputs, daemon.now} : before->second;
    if (daemon.inputs - since.inputs > patience_inputs && daemon.now - since.now > patience) {
      fail(session, session.backlog_bytes, " unread bytes for session ");
    }
    over.emplace(session.session, since);
  }
  over_ = std::move(over);
  if (daemon.queued_bytes > ring.send_queue_bytes_max + unordered + slack_bytes) {
    report.fail(
        "C4",
        daemon.name + " queues " + std::to_string(daemon.queued_bytes) + " bytes for the token");
  }
}

}  // namespace ringcast::sim
