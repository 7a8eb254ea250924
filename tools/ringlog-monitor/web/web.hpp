// SPDX-License-Identifier: Apache-2.0
//
// Web: what --listen serves. / is the page, /api/ JSON and the stream of events, /metrics
// OpenMetrics, /login and /logout take and end a session. Part of the monitor's poll loop.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-monitor/group_analyses.hpp"
#include "tools/ringlog-monitor/ring_state.hpp"
#include "tools/ringlog-monitor/web/access.hpp"
#include "tools/ringlog-monitor/web/http_server.hpp"
#include "tools/ringlog-monitor/web/json_api.hpp"
#include "tools/ringlog-monitor/web/listen_address.hpp"
#include "tools/ringlog-monitor/web/page.hpp"
#include "tools/ringlog-monitor/web/work_budget.hpp"

namespace ringcast::monitor {

struct WebOptions {
  std::string listen;    ///< as --listen has it; empty: no web server
  std::string token;     ///< empty: none is asked for
  bool no_token{false};  ///< other hosts may reach it although there is no token
};

class Web {
 public:
  using Clock = HttpServer::Clock;

  /// Listens, so that what is wrong with the address is known before anything else is done.
  /// Errors: invalid_argument (also for an address that other hosts reach, without a token), io.
  static Result<Listener> listen(const WebOptions& options);

  /// What is shown outlives this; `ring` is null when a file is read. `now` is Clock::now, or
  /// what a test puts in its place. Errors: io.
  static Result<std::unique_ptr<Web>> open(
      Listener listener,
      const WebOptions& options,
      const GroupAnalyses& analyses,
      const RingState* ring,
      HttpServer::Now now = &Clock::now);

  /// Readable when step() has something to do; -1 while readers have had their share of time.
  [[nodiscard]] int fd() const { return is_waiting_ ? -1 : server_->fd(); }
  [[nodiscard]] Clock::time_point next_step(Clock::time_point otherwise) const;
  /// Answers, and sends events once a second. Never blocks.
  void step();

 private:
  Web(const WebOptions& options,
      const Listener& listener,
      const GroupAnalyses& analyses,
      const RingState* ring,
      HttpServer::Now now);

  HttpResponse answer(const HttpRequest& request);
  HttpResponse answer_data(const HttpRequest& request);
  [[nodiscard]] HttpResponse page() const;
  [[nodiscard]] HttpResponse log_in(const HttpRequest& request) const;
  [[nodiscard]] HttpResponse metrics() const;
  void publish();
  /// The time on the processor since the last call was the readers'.
  void charge();

  Access access_;
  JsonApi api_;
  const GroupAnalyses& analyses_;
  const RingState* ring_;
  HttpServer::Now now_;
  Page page_;
  WorkBudget budget_;
  bool is_waiting_{false};  // until the budget allows more
  Clock::duration charged_until_{};
  std::chrono::system_clock::time_point started_{std::chrono::system_clock::now()};
  Clock::time_point next_event_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace ringcast::monitor
