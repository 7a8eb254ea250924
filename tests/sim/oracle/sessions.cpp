// SPDX-License-Identifier: Apache-2.0
#include "sim/oracle/sessions.hpp"

#include <utility>

namespace ringcast::sim {

namespace {

/// Inputs within which a session beyond its bound must be gone. Not every input closes sessions:
/// a packet, a timer or a client's request does.
constexpr std::uint64_t patience_inputs = 256;

/// One read of a socket and the heads of a request: a bound is looked at before it is used up.
constexpr std::uint64_t slack_bytes = std::uint64_t{256} << 10U;

}  // namespace

void SessionBounds::look(
    const std::string& daemon,
    std::uint64_t inputs,
    const std::vector<SessionInspection>& sessions,
    std::uint64_t queued_bytes,
    const RingConfig& ring,
    const SessionConfig& bounds,
    Report& report) {
  const std::uint64_t request_max = ring.message_bytes_max + slack_bytes;
  std::map<SessionId, std::uint64_t> over;
  std::uint64_t unordered = 0;
  const auto fail = [&](const SessionInspection& session, std::uint64_t bytes, const char* what) {
    report.fail(
        "C4",
        daemon + " keeps " + std::to_string(bytes) + what + std::to_string(session.session.value));
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
    const std::uint64_t since = before == over_.end() ? inputs : before->second;
    if (inputs - since > patience_inputs) {
      fail(session, session.backlog_bytes, " unread bytes for session ");
    }
    over.emplace(session.session, since);
  }
  over_ = std::move(over);
  if (queued_bytes > ring.send_queue_bytes_max + unordered + slack_bytes) {
    report.fail("C4", daemon + " queues " + std::to_string(queued_bytes) + " bytes for the token");
  }
}

}  // namespace ringcast::sim
