// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/client/fake_daemon.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>

namespace ringcast {
namespace {

constexpr int patience_ms = 20000;

bool ready(int fd, short events) {
  pollfd entry{.fd = fd, .events = events, .revents = 0};
  return ::poll(&entry, 1, patience_ms) == 1;
}

}  // namespace

bool FakeDaemon::shares_memory() { return std::getenv("RINGCAST_FAKE_DAEMON_MEMORY") != nullptr; }

FakeDaemon::FakeDaemon() {
  path_ = directory_.emplace() / "daemon.sock";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path_.size() < sizeof(address.sun_path));
  std::memcpy(address.sun_path, path_.data(), path_.size());
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(listener_ != -1);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  REQUIRE(::bind(listener_, generic, sizeof(address)) == 0);
  REQUIRE(::listen(listener_, 8) == 0);
}

FakeDaemon::FakeDaemon(Tcp /*tcp*/) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(listener_ != -1);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(listener_, generic, length) == 0);
  REQUIRE(::getsockname(listener_, generic, &length) == 0);
  REQUIRE(::listen(listener_, 8) == 0);
  port_ = ntohs(address.sin_port);
}

FakeDaemon::~FakeDaemon() {
  hang_up();
  vanish();
}

ClientOptions FakeDaemon::options() const {
  ClientOptions options;
  if (port_ == 0) {
    options.socket = path_;
  } else {
    options.server = "127.0.0.1:" + std::to_string(port_);
  }
  options.connect_timeout = std::chrono::seconds{20};
  options.reconnect_delay_min = std::chrono::milliseconds{1};
  options.reconnect_delay_max = std::chrono::milliseconds{4};
  return options;
}

WelcomeInfo FakeDaemon::welcome() {
  return WelcomeInfo{
      .name = "pub",
      .daemon = "web1",
      .message_bytes_max = 8U << 20U,
      .credit_bytes = 4U << 20U,
      .daemons = {{NodeId{9}, "log1"}, {NodeId{7}, "web1"}}};
}

bool FakeDaemon::accept() {
  hang_up();
  if (!ready(listener_, POLLIN)) return false;
  fd_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  is_first_ = true;
  return fd_ != -1;
}

bool FakeDaemon::greet(const WelcomeInfo& info) {
  if (!accept() || !hear_a<HelloRequest>()) return false;
  return say([&](ByteWriter& out) { encode_welcome(out, info); });
}

Client FakeDaemon::meet(ClientOptions options) {
  bool greeted = false;
  auto client = [&] {
    const Meanwhile daemon([&] { greeted = greet(); });
    return Client::connect(std::move(options));
  }();
  REQUIRE(greeted);
  REQUIRE(client);
  return std::move(*client);
}

void FakeDaemon::hang_up() {
  if (fd_ != -1) (void)::close(fd_);
  fd_ = -1;
  memory_.reset();
  input_.clear();
  consumed_ = 0;
}

void FakeDaemon::vanish() {
  if (listener_ == -1) return;
  (void)::close(listener_);
  if (!path_.empty()) (void)::unlink(path_.c_str());
  listener_ = -1;
}

bool FakeDaemon::send_to_memory(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto count = memory_->out().add(bytes);
    bytes = bytes.subspan(count);
    const bool must_ring = count > 0 && memory_->out().publish();
    if (must_ring && !ring_bell(fd_)) return false;
    const bool sleeps = !bytes.empty() && memory_->out().sleep();
    if (sleeps && !(ready(fd_, POLLIN) && answer_bells(fd_))) return false;
  }
  return true;
}

bool FakeDaemon::send(std::span<const std::byte> bytes) {
  if (memory_) return send_to_memory(bytes);
  while (!bytes.empty()) {
    if (!ready(fd_, POLLOUT)) return false;
    const auto count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

bool FakeDaemon::say_message(std::string_view payload) {
  const MessageEvent event{
      .configuration = {.seq = 17, .representative = NodeId{7}, .boot = BootId{0x5f0c9a31}},
      .seq = Seq{4211},
      .index = 3,
      .sender_node = NodeId{9},
      .sender_name = "w",
      .groups = {"weblogs"},
      .service = Service::safe,
      .type = 5,
      .transitional = false,
      .payload = BufferRef::copy_of(payload)};
  return say([&](ByteWriter& out) {
    encode_message_head(out, event);
    out.bytes(event.payload.front().bytes());
  });
}

bool FakeDaemon::say_closed(Errc code, std::string_view why) {
  return say([&](ByteWriter& out) { encode_closed(out, Error{code, std::string(why)}); });
}

std::size_t FakeDaemon::hear_goodbye() {
  std::size_t publishes = 0;
  while (const auto request = hear()) {
    if (std::holds_alternative<SendRequest>(*request)) ++publishes;
    if (!std::holds_alternative<GoodbyeRequest>(*request)) continue;
    (void)say_closed(Errc::closed, "goodbye");
    break;
  }
  return publishes;
}

bool FakeDaemon::fill() {
  if (consumed_ > 0) {
    input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(consumed_));
  }
  consumed_ = 0;
  if (memory_) return fill_from_memory();
  if (!ready(fd_, POLLIN)) return false;
  std::array<std::byte, 65536> piece{};
  Descriptor offered;
  const auto count = receive_with_descriptor(fd_, piece, offered);
  if (std::exchange(is_first_, false) && shares_memory()) memory_ = SessionMemory::accept(offered);
  return count > 0 && take(std::span{piece}.first(static_cast<std::size_t>(count)));
}

bool FakeDaemon::take(std::span<const std::byte> bytes) {
  input_.insert(input_.end(), bytes.begin(), bytes.end());
  return true;
}

bool FakeDaemon::fill_from_memory() {
  auto& in = memory_->in();
  bool is_open = true;
  while (is_open && in.readable().empty()) {
    if (in.sleep()) is_open = ready(fd_, POLLIN) && answer_bells(fd_);
  }
  const auto bytes = in.readable();
  if (bytes.empty()) return false;
  (void)take(bytes);
  return !in.take(bytes.size()) || ring_bell(fd_);
}

std::optional<ClientRequest> FakeDaemon::hear() {
  for (;;) {
    const auto bytes = std::span<const std::byte>{input_}.subspan(consumed_);
    const auto length = peek_frame_length(bytes);
    if (length && bytes.size() >= frame_length_bytes + *length) {
      consumed_ += frame_length_bytes + *length;
      auto request = decode_request(bytes.subspan(frame_length_bytes, *length));
      if (!request) return std::nullopt;
      return std::move(*request);
    }
    if (!fill()) return std::nullopt;
  }
}

}  // namespace ringcast
