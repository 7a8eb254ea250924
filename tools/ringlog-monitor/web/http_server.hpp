// SPDX-License-Identifier: Apache-2.0
//
// HttpServer: HTTP/1.1 by libmicrohttpd, inside the poll loop of whoever owns it: no thread.
// Everything a client can use up is bounded: connections, of all and of one address; the bytes
// of a request; the bytes of answers that wait to be taken, all together; the time it takes to
// send a request, to take its answer, or to take an event. Whoever takes longer is cut off. A
// stream that is slow skips events instead of holding them. What a handler has to say of a wrong
// request is its affair; the server adds the security headers.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-monitor/web/http.hpp"
#include "tools/ringlog-monitor/web/listen_address.hpp"

namespace ringcast::monitor {

class HttpServer {
 public:
  using Clock = std::chrono::steady_clock;
  /// Answers at once; called from step().
  using Handler = std::function<HttpResponse(const HttpRequest&)>;
  /// Clock::now, or what a test puts in its place.
  using Now = std::function<Clock::time_point()>;

  struct Limits {
    unsigned connections{256};
    unsigned connections_per_address{64};  ///< not of loopback, where a proxy may sit
    std::size_t streams{64};
    std::size_t body_bytes{4096};
    /// Of answers that are not taken yet. A single one may have more.
    std::size_t answer_bytes{std::size_t{64} << 20U};
    std::chrono::milliseconds request_time{15000};  ///< until a request is there as a whole
    std::chrono::milliseconds answer_time{60000};   ///< until an answer, or an event, is taken
  };

  struct Counters {
    std::map<int, std::uint64_t> responses;  ///< by status
    std::uint64_t cut_off{0};                ///< connections whose client was too slow
    std::uint64_t skipped{0};                ///< events that slow streams did not get
    std::size_t connections{0};              ///< now
    std::size_t streams{0};                  ///< now
  };

  /// Errors: io.
  static Result<std::unique_ptr<HttpServer>> start(
      Listener listener, const Limits& limits, Handler handler, Now now = &Clock::now);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Readable when step() has something to do.
  [[nodiscard]] int fd() const;
  /// When to call step() at the latest.
  [[nodiscard]] Clock::time_point next_step(Clock::time_point otherwise) const;
  /// Takes and answers what has come. Never blocks.
  void step();

  /// Channels that somebody listens to.
  [[nodiscard]] std::vector<std::string> channels() const;
  /// Sends `event`, which is a whole one as the stream has them, to all that listen.
  void publish(std::string_view channel, const std::string& event);

  [[nodiscard]] Counters counters() const;

  struct Impl;

 private:
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ringcast::monitor
