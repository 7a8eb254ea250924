// SPDX-License-Identifier: Apache-2.0
//
// ringcast through its public client library: publish without confirmation, views as members.
#include <functional>
#include <optional>
#include <utility>
#include <variant>

#include "ringcast/client.hpp"

#include "client/adapters.hpp"

namespace ringcast::bench {
namespace {

constexpr int events_per_turn = 256;
constexpr std::size_t coalesce_bytes = std::size_t{64} << 10U;

class RingcastAdapter final : public Adapter {
 public:
  RingcastAdapter(Client client, const Setup& setup, Sink& sink)
      : client_(std::move(client)), sink_(sink) {
    publication_.groups = {setup.group};
    publication_.service = setup.service;
    publication_.confirm = false;
  }

  Result<bool> try_send(std::span<const std::byte> message) override {
    publication_.payload = message;
    const auto sent = client_.try_publish(publication_);
    if (sent.ok()) return true;
    const auto code = sent.error().code;
    if (code == Errc::would_block || code == Errc::inbox_full) return false;
    return sent.error();
  }

  Result<void> flush() override { return client_.write_coalesced(); }

  Result<bool> receive() override {
    for (int turn = 0; turn < events_per_turn; ++turn) {
      const auto any = client_.try_receive(on_message_, on_other_);
      if (!any.ok()) return any.error();
      if (failure_) return *failure_;
      if (!*any) return false;
    }
    return true;
  }

  Result<void> join(const std::string& group) override { return client_.join(group); }
  Result<void> leave(const std::string& group) override { return client_.leave(group); }

  [[nodiscard]] Interest interest() const override {
    Interest interest;
    interest.fd = client_.fd();
    interest.write = client_.wants_write();
    if (client_.has_event()) interest.retry = std::chrono::nanoseconds::zero();
    return interest;
  }

 private:
  void take(const Event& event) {
    if (const auto* view = std::get_if<View>(&event)) {
      sink_.on_members(view->members.size());
    } else if (std::holds_alternative<Left>(event)) {
      sink_.on_left();
    } else if (const auto* closed = std::get_if<Closed>(&event)) {
      failure_ = Error{Errc::closed, closed->reason};
    } else if (const auto* refused = std::get_if<Refused>(&event)) {
      failure_ = refused->error;
    }
  }

  Client client_;
  Sink& sink_;
  Publication publication_;
  std::optional<Error> failure_;
  std::function<void(const MessageView&)> on_message_{
      [this](const MessageView& message) { sink_.on_message(message.payload); }};
  std::function<void(Event)> on_other_{[this](const Event& event) { take(event); }};
};

}  // namespace

Opened open_ringcast(const Setup& setup, Sink& sink) {
  ClientOptions options;
  options.socket = setup.socket;
  options.coalesce_bytes = coalesce_bytes;
  auto client = Client::connect(std::move(options));
  if (!client.ok()) return client.error();
  if (auto joined = client->join(setup.group); !joined.ok()) return joined.error();
  return std::unique_ptr<Adapter>(
      std::make_unique<RingcastAdapter>(std::move(client).value(), setup, sink));
}

}  // namespace ringcast::bench
