// SPDX-License-Identifier: Apache-2.0
//
// The web server with real sockets: bounds in bytes, in number and in time.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>

#include <catch2/catch.hpp>

#include "tools/ringlog-monitor/web/http_server.hpp"

using namespace ringcast;
using namespace ringcast::monitor;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 20s;

HttpResponse echo(const HttpRequest& request) {
  if (request.path == "/events") {
    HttpResponse response{200, "text/event-stream", "data: first\n\n"};
    response.channel = "one";
    return response;
  }
  if (request.path == "/large") return {200, "text/plain", std::string(8U << 20U, 'x')};
  return {200, "text/plain", request.path + "|" + request.body};
}

struct Running {
  explicit Running(const HttpServer::Limits& limits) {
    auto listening = listen_at({"127.0.0.1", 0});
    auto listener = std::move(listening).value();
    port = listener.bound.port;
    auto started = HttpServer::start(std::move(listener), limits, echo);
    server = std::move(started).value();
  }

  // Turns until it is so.
  bool until(const std::function<bool()>& is_so) const {
    const auto deadline = HttpServer::Clock::now() + patience;
    while (!is_so()) {
      if (HttpServer::Clock::now() > deadline) return false;
      pollfd fd{server->fd(), POLLIN, 0};
      constexpr int look_again_ms = 5;
      (void)::poll(&fd, 1, look_again_ms);
      server->step();
    }
    return true;
  }

  std::uint16_t port{0};
  std::unique_ptr<HttpServer> server;
};

struct Socket {
  explicit Socket(std::uint16_t port) : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* const any = reinterpret_cast<const sockaddr*>(&address);
    REQUIRE(::connect(fd.get(), any, sizeof address) == 0);
  }

  void send(const std::string& bytes) const {
    REQUIRE(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0);
  }
  // Takes what is there.
  void read() {
    std::string part(65536, '\0');
    for (;;) {
      const auto count = ::recv(fd.get(), part.data(), part.size(), MSG_DONTWAIT);
      if (count == 0) is_over = true;
      if (count < 0) is_over = is_over || (errno != EAGAIN && errno != EWOULDBLOCK);
      if (count <= 0) return;
      text.append(part, 0, static_cast<std::size_t>(count));
    }
  }
  bool has(const std::string& wanted) {
    read();
    return text.find(wanted) != std::string::npos;
  }
  bool ended() {
    read();
    return is_over;
  }

  ringlog::Descriptor fd;
  std::string text;
  bool is_over{false};
};

std::string get(const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n"; }

}  // namespace

TEST_CASE("requests are answered, one after the other on a connection", "[web]") {
  const Running running({});
  Socket socket(running.port);
  socket.send(get("/a%20b"));
  CHECK(running.until([&] { return socket.has("/a b|"); }));
  socket.send("POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
  CHECK(running.until([&] { return socket.has("/c|body"); }));
  CHECK(socket.has("X-Content-Type-Options: nosniff"));
  CHECK(running.server->counters().responses.at(200) == 2);
  CHECK(running.server->counters().connections == 1);
}

TEST_CASE("a body that is too long is refused, also when it does not say so", "[web]") {
  HttpServer::Limits limits;
  limits.body_bytes = 10;
  const Running running(limits);
  Socket announced(running.port);
  announced.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");
  CHECK(running.until([&] { return announced.has("HTTP/1.1 413"); }));
  Socket huge(running.port);
  huge.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n");
  CHECK(running.until([&] { return huge.has("HTTP/1.1 413") || huge.ended(); }));
  Socket chunked(running.port);
  chunked.send(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "b\r\n01234567890\r\n0\r\n\r\n");
  CHECK(running.until([&] { return chunked.has("HTTP/1.1 413"); }));
}

TEST_CASE("who takes too long over a request or an answer is cut off", "[web]") {
  HttpServer::Limits limits;
  limits.request_time = 50ms;
  limits.answer_time = 50ms;
  const Running running(limits);
  Socket silent(running.port);
  Socket half(running.port);
  half.send("GET / HTTP/1.1\r\n");
  Socket lazy(running.port);
  lazy.send(get("/large"));
  CHECK(running.until([&] { return running.server->counters().cut_off == 3; }));
  CHECK(running.until([&] { return silent.ended() && half.ended() && lazy.ended(); }));
  CHECK(running.until([&] { return running.server->counters().connections == 0; }));
  Socket idle(running.port);
  idle.send(get("/"));
  CHECK(running.until([&] { return idle.ended(); }));
  CHECK(idle.has("HTTP/1.1 200"));
  CHECK(running.server->counters().cut_off == 3);
}

TEST_CASE("streams get what is published, and there are not too many", "[web]") {
  HttpServer::Limits limits;
  limits.streams = 1;
  limits.answer_time = 100ms;
  const Running running(limits);
  Socket stream(running.port);
  stream.send(get("/events"));
  CHECK(running.until([&] { return stream.has("data: first\n\n"); }));
  CHECK(running.server->channels() == std::vector<std::string>{"one"});
  Socket another(running.port);
  another.send(get("/events"));
  CHECK(running.until([&] { return another.has("HTTP/1.1 503"); }));
  running.server->publish("other", "data: not for it\n\n");
  running.server->publish("one", "data: second\n\n");
  CHECK(running.until([&] { return stream.has("data: second\n\n"); }));
  CHECK_FALSE(stream.has("not for it"));
  stream.fd.close();
  CHECK(running.until([&] {
    running.server->publish("one", "data: into the void\n\n");
    return running.server->counters().streams == 0;
  }));
}

TEST_CASE("a stream that does not read skips events, and is cut off in the end", "[web]") {
  HttpServer::Limits limits;
  limits.answer_time = 200ms;
  const Running running(limits);
  Socket stream(running.port);
  stream.send(get("/events"));
  CHECK(running.until([&] { return running.server->counters().streams == 1; }));
  const std::string event(16U << 20U, 'x');
  running.server->publish("one", event);
  running.server->publish("one", event);
  CHECK(running.server->counters().skipped == 1);
  CHECK(running.until([&] { return running.server->counters().cut_off == 1; }));
  CHECK(running.until([&] { return running.server->counters().streams == 0; }));
}

TEST_CASE("a server can end while its streams wait", "[web]") {
  Running running({});
  Socket stream(running.port);
  stream.send(get("/events"));
  CHECK(running.until([&] { return stream.has("data: first"); }));
  running.server.reset();
  CHECK(stream.ended());
}
