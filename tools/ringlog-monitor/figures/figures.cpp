// SPDX-License-Identifier: Apache-2.0
//
// One line goes to every figure it touches.
#include "tools/ringlog-monitor/figures/figures.hpp"

namespace ringcast::monitor {

namespace {

constexpr std::size_t text_bytes_max = 512;
constexpr std::uint16_t first_error = 400;
constexpr std::uint16_t status_step = 100;

std::size_t class_of(const Request& request) {
  const auto place = static_cast<std::size_t>(request.status.value_or(0) / status_step);
  return place < Classes{}.size() ? place : 0;
}

Tally tally_of(const Request& request) {
  const bool is_error = request.status.value_or(0) >= first_error;
  return Tally{1, request.bytes.value_or(0), is_error ? 1U : 0U};
}

}  // namespace

Figures::Figures(const Limits& limits)
    : servers_(limits.servers),
      pages_(limits.counters),
      clients_(limits.counters),
      referrers_(limits.counters),
      agents_(limits.counters),
      visits_(limits.visits, limits.visit_timeout, limits.clicks) {}

std::optional<Instant> Figures::since() const {
  return since_ == Instant{} ? std::nullopt : std::optional(since_);
}

void Figures::begin(Instant now) {
  if (since_ == Instant{}) since_ = now;
  advance(now);
}

void Figures::advance(Instant now) {
  now_ = now;
  visits_.expire(now);
}

void Figures::add(const Request& request, std::string_view server, Instant now) {
  begin(now);
  add_to(all_, request);
  add_to(servers_.find(server), request);
  if (request.status) ++codes_.at(*request.status);
  std::optional<std::uint64_t> latency;
  if (request.latency) latency = static_cast<std::uint64_t>(request.latency->count());
  if (latency) recent_latency_.add(*latency, now);
  for (auto* const line : {&recent_, &history_}) {
    line->add(tally_of(request), latency, now);
  }
  rank(request, server);
}

void Figures::add_to(ServerFigures& server, const Request& request) const {
  const auto tally = tally_of(request);
  ++server.lines;
  server.total += tally;
  server.window.add(tally, now_);
  ++server.classes.at(class_of(request));
  if (request.bytes) server.sizes.add(*request.bytes);
  if (request.latency) server.latency.add(static_cast<std::uint64_t>(request.latency->count()));
}

void Figures::rank(const Request& request, std::string_view server) {
  const auto bytes = request.bytes.value_or(0);
  if (!request.page.empty()) pages_.add(request.page, bytes);
  if (!request.referrer.empty()) referrers_.add(request.referrer, bytes);
  if (!request.agent.empty()) agents_.add(request.agent, bytes);
  if (request.client.empty()) return;
  clients_.add(request.client, bytes);
  const auto status = request.status.value_or(0);
  visits_.add(Hit{request.client, request.agent, server, request.page, status}, now_);
}

void Figures::add_unparsed(std::string_view line, std::string_view server, Instant now) {
  begin(now);
  for (auto* figures : {&all_, &servers_.find(server)}) {
    ++figures->lines;
    ++figures->unparsed;
  }
  if (unparsed_.size() >= unparsed_kept) unparsed_.pop_front();
  unparsed_.push_back(
      UnparsedLine{std::string(server), std::string(line.substr(0, text_bytes_max))});
}

void Figures::add_lost(std::uint64_t lines, std::string_view server, Instant now) {
  advance(now);
  all_.lost += lines;
  servers_.find(server).lost += lines;
}

Rate Figures::rate(const ServerFigures& server, std::chrono::seconds span) const {
  return server.window.rate(span, since_, now_);
}

}  // namespace ringcast::monitor
