// SPDX-License-Identifier: Apache-2.0
#include "protocol/base/trace.hpp"

namespace ringcast {

std::string_view to_string(TraceLevel level) {
  switch (level) {
    case TraceLevel::error:
      return "error";
    case TraceLevel::warn:
      return "warn";
    case TraceLevel::info:
      return "info";
    case TraceLevel::debug:
      return "debug";
    case TraceLevel::trace:
      return "trace";
  }
  return "unknown";
}

std::string_view to_string(TraceKind kind) {
  switch (kind) {
    case TraceKind::started:
      return "started";
    case TraceKind::state_entered:
      return "state_entered";
    case TraceKind::configuration_installed:
      return "configuration_installed";
    case TraceKind::token_received:
      return "token_received";
    case TraceKind::token_sent:
      return "token_sent";
    case TraceKind::token_retransmitted:
      return "token_retransmitted";
    case TraceKind::token_dropped:
      return "token_dropped";
    case TraceKind::token_lost:
      return "token_lost";
    case TraceKind::token_held:
      return "token_held";
    case TraceKind::token_released:
      return "token_released";
    case TraceKind::originated:
      return "originated";
    case TraceKind::packet_retransmitted:
      return "packet_retransmitted";
    case TraceKind::packet_requested:
      return "packet_requested";
    case TraceKind::packet_dropped:
      return "packet_dropped";
    case TraceKind::discarded:
      return "discarded";
    case TraceKind::safe_line:
      return "safe_line";
    case TraceKind::recovery_step:
      return "recovery_step";
    case TraceKind::merge_detected:
      return "merge_detected";
    case TraceKind::session_opened:
      return "session_opened";
    case TraceKind::session_closed:
      return "session_closed";
    case TraceKind::exchange:
      return "exchange";
    case TraceKind::note:
      return "note";
  }
  return "unknown";
}

}  // namespace ringcast
