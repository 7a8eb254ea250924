// SPDX-License-Identifier: Apache-2.0
//
// libmicrohttpd's callbacks. It polls its sockets with an epoll of its own, which we poll.
#include "tools/ringlog-monitor/web/http_server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <list>
#include <microhttpd.h>
#include <optional>
#include <sys/socket.h>
#include <utility>

namespace ringcast::monitor {

namespace {

using Clock = HttpServer::Clock;

constexpr std::size_t memory_per_connection = std::size_t{32} << 10U;  // a request fits in it
constexpr std::size_t stream_block = std::size_t{16} << 10U;
constexpr std::chrono::milliseconds sweep_interval{500};

// Nothing of ours is to be framed, guessed at, embedded by another site, or told to one.
constexpr std::array<std::pair<const char*, const char*>, 5> security_headers = {{
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
}};

struct Connection {
  int fd{-1};
  Clock::time_point deadline;
  bool is_idle{false};          // it had an answer and asks for nothing
  std::size_t answer_bytes{0};  // of an answer that is not taken yet
};

struct Stream {
  HttpServer::Impl* server;
  MHD_Connection* handle;
  Connection* connection;
  std::string channel;
  std::shared_ptr<const std::string> current;
  std::size_t offset{0};
  std::shared_ptr<const std::string> next{};
  bool is_suspended{false};
};

struct Exchange {
  HttpRequest request;
  bool is_too_long{false};
};

std::string header(MHD_Connection* connection, const char* name) {
  const char* const value = ::MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string() : value;
}

// With sizes: a %00 is no end of a value. The parameters are libmicrohttpd's.
// NOLINTNEXTLINE(readability-function-size)
MHD_Result add_parameter(
    void* to,
    MHD_ValueKind /*kind*/,
    const char* key,
    std::size_t key_size,
    const char* value,
    std::size_t value_size) {
  auto& query = *static_cast<decltype(HttpRequest::query)*>(to);
  query[std::string(key, key_size)] = value == nullptr ? "" : std::string(value, value_size);
  return MHD_YES;
}

// A header that is longer than any number is too long, too.
bool is_announced_too_long(MHD_Connection* connection, std::size_t bytes_max) {
  const auto text = header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
  std::uint64_t length = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), length);
  return read.ec == std::errc::result_out_of_range || length > bytes_max;
}

HttpRequest request_of(MHD_Connection* connection, const char* url, const char* method) {
  HttpRequest request;
  request.method = method;
  request.path = url;
  (void)::MHD_get_connection_values_n(
      connection, MHD_GET_ARGUMENT_KIND, &add_parameter, &request.query);
  request.host = header(connection, MHD_HTTP_HEADER_HOST);
  request.authorization = header(connection, MHD_HTTP_HEADER_AUTHORIZATION);
  request.cookie = header(connection, MHD_HTTP_HEADER_COOKIE);
  request.content_type = header(connection, MHD_HTTP_HEADER_CONTENT_TYPE);
  return request;
}

}  // namespace

struct HttpServer::Impl {
  Limits limits;
  Handler handler;
  Now now;
  Listener listener;
  MHD_Daemon* daemon{nullptr};
  std::list<Connection> connections;
  std::list<Stream> streams;
  std::size_t answer_bytes{0};  // of all connections
  Counters counters;
  Clock::time_point next_sweep;

  ~Impl() { stop(); }
  void stop();
  void sweep();
  MHD_Result answer(MHD_Connection* handle, HttpResponse response);
  [[nodiscard]] const char* want_of_room(const HttpResponse& response) const;
  MHD_Response* make_answer(MHD_Connection* handle, HttpResponse& response);
  void end_answer(Connection& connection);
  MHD_Response* make_stream(MHD_Connection* handle, HttpResponse& response);
  static Connection& connection_of(MHD_Connection* handle);

  static MHD_Result on_access(
      void* self,
      MHD_Connection* handle,
      const char* url,
      const char* method,
      const char* version,
      const char* data,
      std::size_t* size,
      void** state);
  static void on_connection(
      void* self, MHD_Connection* handle, void** state, MHD_ConnectionNotificationCode what);
  static void on_completed(
      void* self, MHD_Connection* handle, void** state, MHD_RequestTerminationCode why);
  static ssize_t on_read(void* stream, std::uint64_t offset, char* buffer, std::size_t size);
  static void on_stream_end(void* stream);
  static void on_answer_end(void* body) { delete static_cast<std::string*>(body); }
};

Connection& HttpServer::Impl::connection_of(MHD_Connection* handle) {
  const auto* const info = ::MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return *static_cast<Connection*>(info->socket_context);
}

void HttpServer::Impl::on_connection(
    void* self, MHD_Connection* handle, void** state, MHD_ConnectionNotificationCode what) {
  auto& server = *static_cast<Impl*>(self);
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    const auto* const info = ::MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD);
    const auto deadline = server.now() + server.limits.request_time;
    server.connections.push_back(Connection{info->connect_fd, deadline});
    *state = &server.connections.back();
  } else {
    server.end_answer(*static_cast<Connection*>(*state));
    server.connections.remove_if([&](const Connection& one) { return &one == *state; });
  }
}

// Called first with the head, then with each part of the body, then at its end. The parameters
// are libmicrohttpd's.
// NOLINTNEXTLINE(readability-function-size)
MHD_Result HttpServer::Impl::on_access(
    void* self,
    MHD_Connection* handle,
    const char* url,
    const char* method,
    const char* /*version*/,
    const char* data,
    std::size_t* size,
    void** state) {
  auto& server = *static_cast<Impl*>(self);
  const auto too_long = [&] {
    return error_response(
        MHD_HTTP_CONTENT_TOO_LARGE,
        "a body has at most " + std::to_string(server.limits.body_bytes) + " bytes");
  };
  if (*state == nullptr) {
    connection_of(handle).is_idle = false;
    if (is_announced_too_long(handle, server.limits.body_bytes)) {
      return server.answer(handle, too_long());
    }
    *state = std::make_unique<Exchange>(Exchange{request_of(handle, url, method)}).release();
    return MHD_YES;
  }
  auto& exchange = *static_cast<Exchange*>(*state);
  if (*size > 0) {
    auto& body = exchange.request.body;
    if (body.size() + *size > server.limits.body_bytes) exchange.is_too_long = true;
    if (!exchange.is_too_long) body.append(data, *size);
    *size = 0;
    return MHD_YES;
  }
  if (exchange.is_too_long) return server.answer(handle, too_long());
  return server.answer(handle, server.handler(exchange.request));
}

MHD_Result HttpServer::Impl::answer(MHD_Connection* handle, HttpResponse response) {
  if (const char* const want = want_of_room(response); want != nullptr) {
    response = error_response(MHD_HTTP_SERVICE_UNAVAILABLE, want);
    response.headers.emplace_back(MHD_HTTP_HEADER_RETRY_AFTER, "10");
  }
  connection_of(handle).deadline = now() + limits.answer_time;
  MHD_Response* const made =
      response.channel.empty() ? make_answer(handle, response) : make_stream(handle, response);
  if (made == nullptr) return MHD_NO;  // no memory: the connection is closed
  (void)::MHD_add_response_header(
      made, MHD_HTTP_HEADER_CONTENT_TYPE, response.content_type.c_str());
  for (const auto& [name, value] : security_headers) {
    (void)::MHD_add_response_header(made, name, value);
  }
  for (const auto& [name, value] : response.headers) {
    (void)::MHD_add_response_header(made, name.c_str(), value.c_str());
  }
  const auto queued = ::MHD_queue_response(handle, static_cast<unsigned>(response.status), made);
  ::MHD_destroy_response(made);
  ++counters.responses[response.status];
  return queued;
}

// Why there is no room for it, or null.
const char* HttpServer::Impl::want_of_room(const HttpResponse& response) const {
  if (!response.channel.empty() && streams.size() >= limits.streams) {
    return "too many pages are open at once; close some of them";
  }
  if (answer_bytes > 0 && answer_bytes + response.body.size() > limits.answer_bytes) {
    return "too many answers wait for slow readers; ask for less, or again later";
  }
  return nullptr;
}

// The body is libmicrohttpd's until the answer is taken, or its connection is closed.
MHD_Response* HttpServer::Impl::make_answer(MHD_Connection* handle, HttpResponse& response) {
  auto body = std::make_unique<std::string>(std::move(response.body));
  auto* const made = ::MHD_create_response_from_buffer_with_free_callback_cls(
      body->size(), body->data(), &on_answer_end, body.get());
  if (made == nullptr) return nullptr;
  auto& connection = connection_of(handle);
  connection.answer_bytes = body->size();
  answer_bytes += body->size();
  (void)body.release();
  return made;
}

void HttpServer::Impl::end_answer(Connection& connection) {
  answer_bytes -= std::exchange(connection.answer_bytes, 0);
}

MHD_Response* HttpServer::Impl::make_stream(MHD_Connection* handle, HttpResponse& response) {
  streams.push_back(Stream{
      this,
      handle,
      &connection_of(handle),
      response.channel,
      std::make_shared<const std::string>(std::move(response.body))});
  auto* const made = ::MHD_create_response_from_callback(
      MHD_SIZE_UNKNOWN, stream_block, &on_read, &streams.back(), &on_stream_end);
  if (made == nullptr) streams.pop_back();
  return made;
}

ssize_t HttpServer::Impl::on_read(
    void* stream, std::uint64_t /*offset*/, char* buffer, std::size_t size) {
  auto& self = *static_cast<Stream*>(stream);
  if (self.offset == self.current->size() && self.next) {
    self.current = std::exchange(self.next, nullptr);
    self.offset = 0;
    self.connection->deadline = self.server->now() + self.server->limits.answer_time;
  }
  const auto count = std::min(size, self.current->size() - self.offset);
  if (count == 0) {
    self.is_suspended = true;
    self.connection->deadline = Clock::time_point::max();
    ::MHD_suspend_connection(self.handle);
    return 0;
  }
  self.current->copy(buffer, count, self.offset);
  self.offset += count;
  return static_cast<ssize_t>(count);
}

void HttpServer::Impl::on_stream_end(void* stream) {
  auto& streams = static_cast<Stream*>(stream)->server->streams;
  streams.remove_if([&](const Stream& one) { return &one == stream; });
}

void HttpServer::Impl::on_completed(
    void* self, MHD_Connection* handle, void** state, MHD_RequestTerminationCode /*why*/) {
  const std::unique_ptr<Exchange> ended(static_cast<Exchange*>(*state));
  auto& server = *static_cast<Impl*>(self);
  auto& connection = connection_of(handle);
  server.end_answer(connection);
  connection.is_idle = true;
  connection.deadline = server.now() + server.limits.request_time;
}

void HttpServer::Impl::sweep() {
  const auto time = now();
  if (time < next_sweep) return;
  next_sweep = time + sweep_interval;
  for (auto& connection : connections) {
    if (connection.deadline > time) continue;
    if (!connection.is_idle) ++counters.cut_off;
    (void)::shutdown(connection.fd, SHUT_RDWR);  // libmicrohttpd finds it ended
    connection.deadline = Clock::time_point::max();
  }
}

void HttpServer::Impl::stop() {
  if (daemon == nullptr) return;
  for (auto& stream : streams) {
    if (stream.is_suspended) ::MHD_resume_connection(stream.handle);
  }
  ::MHD_stop_daemon(daemon);
  daemon = nullptr;
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::start(
    Listener listener, const Limits& limits, Handler handler, Now now) {
  auto impl = std::make_unique<Impl>();
  impl->limits = limits;
  impl->handler = std::move(handler);
  impl->now = std::move(now);
  impl->listener = std::move(listener);
  const unsigned per_address = impl->listener.is_loopback ? 0 : limits.connections_per_address;
  // It closes the socket; ours is a second name of it. Programs that we run get neither.
  const int socket = ::fcntl(impl->listener.socket.get(), F_DUPFD_CLOEXEC, 0);
  if (socket < 0) return ringlog::system_error("--listen", "cannot keep the socket", errno);
  impl->daemon = ::MHD_start_daemon(
      MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME,
      0,
      nullptr,
      nullptr,
      &Impl::on_access,
      impl.get(),
      MHD_OPTION_LISTEN_SOCKET,
      socket,
      MHD_OPTION_CONNECTION_LIMIT,
      limits.connections,
      MHD_OPTION_PER_IP_CONNECTION_LIMIT,
      per_address,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      memory_per_connection,
      MHD_OPTION_STRICT_FOR_CLIENT,
      1,
      MHD_OPTION_NOTIFY_CONNECTION,
      &Impl::on_connection,
      impl.get(),
      MHD_OPTION_NOTIFY_COMPLETED,
      &Impl::on_completed,
      impl.get(),
      MHD_OPTION_END);
  if (impl->daemon == nullptr) return Error{Errc::io, "cannot start the web server"};
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

int HttpServer::fd() const {
  return ::MHD_get_daemon_info(impl_->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

Clock::time_point HttpServer::next_step(Clock::time_point otherwise) const {
  MHD_UNSIGNED_LONG_LONG milliseconds = 0;
  const bool is_awaited = ::MHD_get_timeout(impl_->daemon, &milliseconds) == MHD_YES;
  if (is_awaited) {
    otherwise = std::min(otherwise, impl_->now() + std::chrono::milliseconds(milliseconds));
  }
  return impl_->connections.empty() ? otherwise : std::min(otherwise, impl_->next_sweep);
}

void HttpServer::step() {
  impl_->sweep();
  (void)::MHD_run(impl_->daemon);
}

std::vector<std::string> HttpServer::channels() const {
  std::vector<std::string> names;
  for (const auto& stream : impl_->streams) {
    names.push_back(stream.channel);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void HttpServer::publish(std::string_view channel, const std::string& event) {
  const auto shared = std::make_shared<const std::string>(event);
  for (auto& stream : impl_->streams) {
    if (stream.channel != channel) continue;
    if (stream.next) ++impl_->counters.skipped;
    stream.next = shared;
    if (!stream.is_suspended) continue;
    stream.is_suspended = false;
    stream.connection->deadline = impl_->now() + impl_->limits.answer_time;
    ::MHD_resume_connection(stream.handle);
  }
}

HttpServer::Counters HttpServer::counters() const {
  auto counters = impl_->counters;
  counters.connections = impl_->connections.size();
  counters.streams = impl_->streams.size();
  return counters;
}

}  // namespace ringcast::monitor
