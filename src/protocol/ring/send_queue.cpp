// SPDX-License-Identifier: Apache-2.0
#include "protocol/ring/send_queue.hpp"

#include <utility>

#include "protocol/base/assert.hpp"

namespace ringcast {
namespace {

// Charged for each message beside its bytes, so that empty ones are not free.
constexpr std::uint64_t overhead = 64;

}  // namespace

void SendQueue::push_client(BufferRef&& bytes, Service service) {
  client_bytes_ += bytes.size() + overhead;
  auto& message = client_.emplace_back();
  message.bytes = std::move(bytes);
  message.service = service;
}

void SendQueue::push_exchange(BufferRef bytes) {
  exchange_bytes_ += bytes.size() + overhead;
  exchange_.push_back(Outgoing{.bytes = std::move(bytes), .service = Service::agreed});
}

Outgoing* SendQueue::front(bool gate_open) {
  if (!exchange_.empty()) return &exchange_.front();
  if (gate_open && !client_.empty()) return &client_.front();
  return nullptr;
}

void SendQueue::pop(bool gate_open) {
  if (!exchange_.empty()) {
    exchange_bytes_ -= exchange_.front().bytes.size() + overhead;
    exchange_.pop_front();
    return;
  }
  RC_ASSERT(gate_open);
  RC_ASSERT(!client_.empty());
  client_bytes_ -= client_.front().bytes.size() + overhead;
  client_.pop_front();
}

void SendQueue::restart() {
  exchange_.clear();
  exchange_bytes_ = 0;
  if (client_.empty()) return;
  client_.front().sent = 0;
  client_.front().started = false;
}

bool SendQueue::empty(bool gate_open) const {
  return exchange_.empty() && (!gate_open || client_.empty());
}

}  // namespace ringcast
