// SPDX-License-Identifier: Apache-2.0
//
// The web server with real sockets: bounds in bytes, in number and in time.
#include <arpa/inet.h>
#include <fcntl.h>
#include <filesystem>
#include <netinet/in.h>
#include <poll.h>
#include <set>
#include <string>
#include <sys/socket.h>

#include <catch2/catch.hpp>

#include "tools/ringlog-monitor/web/http_server.hpp"
#include "tools/ringlog-monitor/web/web.hpp"

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
  if (request.path == "/sizes") {
    return {200, "text/plain", std::to_string(request.parameter("a").size()) + "."};
  }
  return {200, "text/plain", request.path + "|" + request.body};
}

struct Running {
  explicit Running(const HttpServer::Limits& limits) {
    auto listening = listen_at({"127.0.0.1", 0});
    auto listener = std::move(listening).value();
    port = listener.bound.port;
    auto started = HttpServer::start(
        std::move(listener), limits, echo, [this] { return HttpServer::Clock::now() + later; });
    server = std::move(started).value();
  }

  // Turns until it is so.
  bool until(const std::function<bool()>& is_so) const {
    const auto deadline = HttpServer::Clock::now() + patience;
    while (!is_so()) {
      if (HttpServer::Clock::now() > deadline) return false;
      pollfd fd{server->fd(), POLLIN, 0};
      constexpr int look_again_ms = 5;
      const auto now = HttpServer::Clock::now() + later;
      (void)::poll(&fd, 1, server->next_step(now + 1s) < now + 1ms ? 0 : look_again_ms);
      server->step();
    }
    return true;
  }

  std::uint16_t port{0};
  HttpServer::Clock::duration later{};  // than it is
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

// Of this process.
std::set<int> descriptors() {
  std::set<int> all;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename());
    if (::fcntl(fd, F_GETFD) >= 0) all.insert(fd);
  }
  return all;
}

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

TEST_CASE("a stream that takes each event in time goes on, however slow it is", "[web]") {
  HttpServer::Limits limits;
  limits.answer_time = 60s;
  Running running(limits);
  Socket stream(running.port);
  stream.send(get("/events"));
  CHECK(running.until([&] { return stream.has("data: first\n\n"); }));
  const auto has = [&](const std::string& wanted) {
    stream.text.clear();  // what is passed is not looked through again
    return stream.has(wanted);
  };
  const std::string event = std::string(16U << 20U, 'x') + "!";
  running.server->publish("one", event);
  for (int i = 0; i < 3; ++i) {
    CHECK(running.until([&] { return has("x"); }));
    running.server->publish("one", event);  // before this one has been taken
    CHECK(running.until([&] { return has("!"); }));
    running.later += 40s;
  }
  CHECK(running.until([&] { return has("!"); }));
  CHECK(running.server->counters().streams == 1);
  CHECK(running.server->counters().cut_off == 0);
}

TEST_CASE("answers that nobody takes are bounded in bytes, all together", "[web]") {
  HttpServer::Limits limits;
  limits.answer_bytes = 9U << 20U;
  const Running running(limits);
  Socket lazy(running.port);
  lazy.send(get("/large"));
  CHECK(running.until([&] { return running.server->counters().responses[200] == 1; }));
  Socket another(running.port);
  another.send(get("/large"));
  CHECK(running.until([&] { return another.has("HTTP/1.1 503"); }));
  CHECK(another.has("Retry-After: 10"));
  another.send(get("/small"));
  CHECK(running.until([&] { return another.has("/small|"); }));
  CHECK(running.until([&] { return lazy.has("xxx") && lazy.text.size() > 8U << 20U; }));
  another.send(get("/large"));
  CHECK(running.until(
      [&] { return another.text.find("xxx") != std::string::npos || another.has("xxx"); }));
  another.fd.close();
  CHECK(running.until([&] { return running.server->counters().connections == 1; }));
  lazy.send(get("/large"));
  CHECK(running.until([&] { return lazy.has("xxx") && lazy.text.size() > 16U << 20U; }));
}

TEST_CASE("a zero byte ends no parameter", "[web]") {
  const Running running({});
  Socket socket(running.port);
  socket.send(get("/sizes?a=12%00456"));
  CHECK(running.until([&] { return socket.has("\r\n\r\n6."); }));
}

TEST_CASE("programs that are run get none of the server's descriptors", "[web]") {
  const auto before = descriptors();
  const Running running({});
  Socket socket(running.port);
  socket.send(get("/"));
  CHECK(running.until([&] { return socket.has("/|"); }));
  for (const int fd : descriptors()) {
    if (before.contains(fd)) continue;
    INFO("descriptor " << fd);
    CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  }
}

TEST_CASE("who asks without end waits for the lines, and is answered again", "[web]") {
  const GroupAnalyses analyses(*LineParser::make({}), {}, {"web"});
  WebOptions options;
  options.listen = "0";
  auto listener = Web::listen(options);
  const auto port = listener->bound.port;
  auto now = HttpServer::Clock::now();  // stands still
  auto opened =
      Web::open(std::move(listener).value(), options, analyses, nullptr, [&now] { return now; });
  const auto web = std::move(opened).value();
  Socket socket(port);
  std::size_t answers = 0;
  const auto is_answered = [&] {
    const auto deadline = HttpServer::Clock::now() + patience;
    socket.text.clear();
    socket.send("HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    while (HttpServer::Clock::now() < deadline && !socket.has("\r\n\r\n")) {
      if (web->fd() < 0) return false;
      web->step();
    }
    ++answers;
    return socket.text.starts_with("HTTP/1.1 200");
  };
  while (is_answered()) {
  }
  CHECK(web->fd() == -1);
  CHECK(answers > 10);
  CHECK(web->next_step(now + 1h) > now);
  web->step();
  CHECK(web->fd() == -1);
  now = web->next_step(now + 1h);
  web->step();
  CHECK(web->fd() >= 0);
  CHECK(socket.has("HTTP/1.1 200"));
}

TEST_CASE("a server can end while its streams wait", "[web]") {
  Running running({});
  Socket stream(running.port);
  stream.send(get("/events"));
  CHECK(running.until([&] { return stream.has("data: first"); }));
  running.server.reset();
  CHECK(stream.ended());
}
