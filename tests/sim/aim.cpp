// SPDX-License-Identifier: Apache-2.0
#include "sim/aim.hpp"

#include <algorithm>
#include <array>

namespace ringcast::sim {

namespace {

constexpr std::size_t waiting_max = 12;
constexpr std::array<std::string_view, moments> names = {
    "token received",
    "token sent",
    "token held",
    "token lost",
    "token sent again",
    "originated",
    "gather",
    "commit",
    "recovery",
    "recovery visit",
    "obligation",
    "transitional",
    "installed",
    "merge",
    "exchange",
    "exchange done",
    "persist",
    "restarted"};

bool says(const TraceEvent& event, std::string_view words) {
  return event.text.find(words) != std::string::npos;
}

}  // namespace

std::string_view to_string(Moment moment) { return names[static_cast<std::size_t>(moment)]; }

void Aims::add(Random& random, std::size_t hosts) {
  Aim aim;
  aim.moment = static_cast<Moment>(random.below(moments));
  // A membership change has few of each moment, a rotating token thousands.
  const bool is_common = aim.moment <= Moment::token_held || aim.moment == Moment::originated;
  aim.number = static_cast<unsigned>(is_common ? random.between(1, 80) : random.between(1, 3));
  if (aim.moment == Moment::recovery_visit) {
    aim.number = static_cast<unsigned>(random.between(1, 6));
  }
  if (random.chance(0.3)) aim.host = random.below(hosts);
  wait_for(aim);
}

void Aims::add_break(Random& random) {
  Aim aim;
  aim.moment = random.pick(std::vector<Moment>{
      Moment::recovery_visit,
      Moment::recovery_visit,
      Moment::recovery_visit,
      Moment::recovery,
      Moment::obligation,
      Moment::installed});
  // The token comes four times before an install, more often with packets to give again.
  const bool is_visit = aim.moment == Moment::recovery_visit;
  aim.number = static_cast<unsigned>(random.between(1, is_visit ? 6 : 2));
  aim.breaks = true;
  wait_for(aim);
}

void Aims::wait_for(const Aim& aim) {
  if (waiting_.size() == waiting_max) waiting_.erase(waiting_.begin());
  waiting_.push_back(aim);
}

std::optional<Aim> Aims::take(std::size_t host, Moment moment, unsigned number) {
  const auto hit = std::find_if(waiting_.begin(), waiting_.end(), [&](Aim& aim) {
    if (aim.moment != moment || (aim.host && *aim.host != host)) return false;
    return number > 0 ? aim.number == number : --aim.number == 0;
  });
  if (hit == waiting_.end()) return std::nullopt;
  const Aim aim = *hit;
  waiting_.erase(hit);
  return aim;
}

bool Aims::waits_for(Moment moment) const {
  return std::any_of(
      waiting_.begin(), waiting_.end(), [&](const Aim& aim) { return aim.moment == moment; });
}

std::optional<Moment> moment_of(const TraceEvent& event) {
  switch (event.kind) {
    case TraceKind::started:
      return Moment::restarted;
    case TraceKind::state_entered:
      if (says(event, "-> gather")) return Moment::gather;
      if (says(event, "-> commit")) return Moment::commit;
      if (says(event, "-> recovery")) return Moment::recovery;
      return std::nullopt;
    case TraceKind::configuration_installed:
      return Moment::installed;
    case TraceKind::token_received:
      return Moment::token_received;
    case TraceKind::token_sent:
      return Moment::token_sent;
    case TraceKind::token_held:
      return Moment::token_held;
    case TraceKind::token_lost:
      return Moment::token_lost;
    case TraceKind::token_retransmitted:
      return Moment::token_sent_again;
    case TraceKind::originated:
      return Moment::originated;
    case TraceKind::merge_detected:
      return Moment::merge;
    case TraceKind::exchange:
      return says(event, "clients go on") ? Moment::exchange_done : Moment::exchange;
    case TraceKind::recovery_step:
      if (says(event, "everything received")) return Moment::obligation;
      return std::nullopt;
    case TraceKind::token_dropped:
    case TraceKind::token_released:
    case TraceKind::packet_retransmitted:
    case TraceKind::packet_requested:
    case TraceKind::packet_dropped:
    case TraceKind::discarded:
    case TraceKind::safe_line:
    case TraceKind::session_opened:
    case TraceKind::session_closed:
    case TraceKind::note:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace ringcast::sim
