// SPDX-License-Identifier: Apache-2.0
//
// ZeroMQ PUB/SUB: each client publishes on a TCP port of its own and subscribes to everybody's,
// itself included. No order between senders, no membership, no flow control: what is outstanding
// is counted by our own copy, and the queues are unbounded so that nothing is dropped.
#include <zmq.h>

#include "client/adapters.hpp"

namespace ringcast::bench {
namespace {

constexpr int messages_per_turn = 512;
constexpr const char* port = ":4950";

Error failure(const char* call) {
  return Error{Errc::io, std::string(call) + ": " + zmq_strerror(zmq_errno())};
}

void set_number(void* socket, int option, int value) {
  zmq_setsockopt(socket, option, &value, sizeof(value));
}

class ZeromqAdapter final : public Adapter {
 public:
  explicit ZeromqAdapter(Sink& sink) : sink_(sink) { zmq_msg_init(&message_); }
  ~ZeromqAdapter() override {
    zmq_msg_close(&message_);
    if (publisher_ != nullptr) zmq_close(publisher_);
    if (subscriber_ != nullptr) zmq_close(subscriber_);
    if (context_ != nullptr) zmq_ctx_term(context_);
  }

  Result<void> open(const Setup& setup) {
    context_ = zmq_ctx_new();
    publisher_ = zmq_socket(context_, ZMQ_PUB);
    subscriber_ = zmq_socket(context_, ZMQ_SUB);
    if (publisher_ == nullptr || subscriber_ == nullptr) return failure("zmq_socket");
    for (void* socket : {publisher_, subscriber_}) {
      set_number(socket, ZMQ_LINGER, 0);
      set_number(socket, ZMQ_RECONNECT_IVL, 10);
      set_number(socket, ZMQ_SNDHWM, 0);
      set_number(socket, ZMQ_RCVHWM, 0);
    }
    zmq_setsockopt(subscriber_, ZMQ_SUBSCRIBE, "", 0);
    if (zmq_bind(publisher_, ("tcp://" + setup.peers[setup.rank] + port).c_str()) != 0) {
      return failure("zmq_bind");
    }
    for (const auto& peer : setup.peers) {
      if (zmq_connect(subscriber_, ("tcp://" + peer + port).c_str()) != 0) {
        return failure("zmq_connect");
      }
    }
    std::size_t size = sizeof(fd_);
    if (zmq_getsockopt(subscriber_, ZMQ_FD, &fd_, &size) != 0) return failure("ZMQ_FD");
    return {};
  }

  Result<bool> try_send(std::span<const std::byte> message) override {
    if (zmq_send(publisher_, message.data(), message.size(), ZMQ_DONTWAIT) >= 0) return true;
    if (zmq_errno() == EAGAIN) return false;
    return failure("zmq_send");
  }

  // ZMQ_FD tells changes, not states: only after EAGAIN may one sleep on it.
  Result<bool> receive() override {
    for (int turn = 0; turn < messages_per_turn; ++turn) {
      if (zmq_msg_recv(&message_, subscriber_, ZMQ_DONTWAIT) < 0) {
        if (zmq_errno() == EAGAIN) return false;
        return failure("zmq_msg_recv");
      }
      sink_.on_message(
          {static_cast<const std::byte*>(zmq_msg_data(&message_)), zmq_msg_size(&message_)});
    }
    return true;
  }

  [[nodiscard]] Interest interest() const override {
    Interest interest;
    interest.fd = fd_;
    return interest;
  }

 private:
  Sink& sink_;
  void* context_{nullptr};
  void* publisher_{nullptr};
  void* subscriber_{nullptr};
  zmq_msg_t message_{};
  int fd_{-1};
};

}  // namespace

Opened open_zeromq(const Setup& setup, Sink& sink) {
  auto adapter = std::make_unique<ZeromqAdapter>(sink);
  if (auto opened = adapter->open(setup); !opened.ok()) return opened.error();
  return std::unique_ptr<Adapter>(std::move(adapter));
}

}  // namespace ringcast::bench
