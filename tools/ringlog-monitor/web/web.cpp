// SPDX-License-Identifier: Apache-2.0
//
// Who may ask, then what is asked for.
#include "tools/ringlog-monitor/web/web.hpp"

#include <array>
#include <ctime>
#include <optional>
#include <unistd.h>
#include <utility>

#include "tools/ringlog-monitor/web/metrics.hpp"
#include "tools/ringlog-monitor/web/open_metrics.hpp"

namespace ringcast::monitor {

namespace {

constexpr std::chrono::seconds event_interval{1};
constexpr std::string_view channel_head = "events:";
constexpr std::size_t host_name_max = 256;

constexpr int unauthorized = 401;
constexpr int not_found = 404;
constexpr int not_allowed = 405;
constexpr int misdirected = 421;
constexpr int too_many = 429;

// Names under which a browser on this host, or beside it, reaches us.
std::vector<std::string> host_names(const std::string& listen) {
  std::vector<std::string> names = {"localhost"};
  if (auto address = parse_listen_address(listen)) names.push_back(address->host);
  std::array<char, host_name_max> own{};
  if (::gethostname(own.data(), own.size() - 1) == 0) names.emplace_back(own.data());
  return names;
}

// Of this thread, which does everything.
Web::Clock::duration processor_time() {
  timespec time{};
  (void)::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

HttpResponse refuse_method(const char* allowed) {
  auto response = error_response(not_allowed, std::string("allowed here: ") + allowed);
  response.headers.emplace_back("Allow", allowed);
  return response;
}

}  // namespace

Result<Listener> Web::listen(const WebOptions& options) {
  auto address = parse_listen_address(options.listen);
  if (!address) return address.error();
  auto listener = listen_at(*address);
  if (!listener) return listener;
  if (listener->is_loopback || !options.token.empty() || options.no_token) return listener;
  return Error{
      Errc::invalid_argument,
      "--listen " + options.listen +
          ": other hosts reach this address; give --token-file FILE, listen on loopback, or say "
          "--no-token"};
}

Result<std::unique_ptr<Web>> Web::open(
    Listener listener,
    const WebOptions& options,
    const GroupAnalyses& analyses,
    const RingState* ring,
    HttpServer::Now now) {
  std::unique_ptr<Web> web(new Web(options, listener, analyses, ring, now));
  auto server = HttpServer::start(
      std::move(listener),
      HttpServer::Limits{},
      [self = web.get()](const HttpRequest& request) { return self->answer(request); },
      std::move(now));
  if (!server) return server.error();
  web->server_ = std::move(server).value();
  return web;
}

Web::Web(
    const WebOptions& options,
    const Listener& listener,
    const GroupAnalyses& analyses,
    const RingState* ring,
    HttpServer::Now now)
    : access_(options.token, host_names(options.listen), listener.bound.port),
      api_(analyses, ring, access_.has_token()),
      analyses_(analyses),
      ring_(ring),
      now_(std::move(now)),
      page_(make_page()) {}

Web::Clock::time_point Web::next_step(Clock::time_point otherwise) const {
  if (is_waiting_) return std::min(otherwise, budget_.next());
  return server_->next_step(std::min(otherwise, next_event_));
}

void Web::step() {
  is_waiting_ = !budget_.allows(now_());
  if (is_waiting_) return;
  charged_until_ = processor_time();
  if (now_() >= next_event_) publish();
  server_->step();
  charge();
}

void Web::charge() {
  const auto now = processor_time();
  budget_.take(now - std::exchange(charged_until_, now));
}

void Web::publish() {
  next_event_ = now_() + event_interval;
  for (const auto& channel : server_->channels()) {
    server_->publish(channel, api_.event(channel.substr(channel_head.size())));
  }
}

HttpResponse Web::answer(const HttpRequest& request) {
  const auto verdict = access_.judge(request);
  if (verdict == Access::Verdict::wrong_host) {
    return error_response(
        misdirected,
        "this is not the monitor of \"" + request.host +
            "\"; ask for it by its address, or start it with a token");
  }
  if (request.path == "/login") {
    return request.method == "POST" ? log_in(request) : refuse_method("POST");
  }
  if (request.path == "/logout") {
    if (request.method != "POST") return refuse_method("POST");
    auto response = json_response({{"logged_in", false}});
    response.headers.emplace_back("Set-Cookie", access_.log_out());
    return response;
  }
  const bool is_page = request.path == "/";
  const bool is_data = request.path.starts_with("/api/") || request.path == "/metrics";
  if (!is_page && !is_data) {
    return error_response(not_found, "nothing here; there are /, /metrics and /api/groups");
  }
  if (request.method != "GET" && request.method != "HEAD") return refuse_method("GET, HEAD");
  if (is_page) return page();
  if (verdict != Access::Verdict::allowed) {
    auto response = error_response(
        unauthorized, "a token is needed: send the header Authorization: Bearer TOKEN");
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"ringlog-monitor\"");
    return response;
  }
  return answer_data(request);
}

HttpResponse Web::answer_data(const HttpRequest& request) {
  charge();  // many may have come in one step
  if (!budget_.allows(now_())) {
    auto response = error_response(too_many, "too much is asked for at once; ask again later");
    response.headers.emplace_back("Retry-After", "1");
    return response;
  }
  auto response = request.path == "/metrics" ? metrics() : api_.answer(request);
  response.headers.emplace_back("Cache-Control", "no-store");
  if (request.method == "HEAD") response.channel.clear();
  return response;
}

HttpResponse Web::page() const {
  HttpResponse response{200, "text/html; charset=utf-8", page_.html};
  response.headers = {
      {"Content-Security-Policy", page_.security_policy},
      {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
      {"Cache-Control", "no-cache"}};
  return response;
}

HttpResponse Web::log_in(const HttpRequest& request) const {
  if (!access_.has_token()) return json_response({{"logged_in", true}});
  const auto cookie = access_.log_in(request.body);
  if (!cookie) return error_response(unauthorized, "this is not the token");
  auto response = json_response({{"logged_in", true}});
  response.headers.emplace_back("Set-Cookie", *cookie);
  return response;
}

HttpResponse Web::metrics() const {
  const auto counters = server_->counters();
  return {
      200,
      OpenMetrics::content_type,
      metrics_text(MetricsSource{analyses_, ring_, counters, started_})};
}

}  // namespace ringcast::monitor
