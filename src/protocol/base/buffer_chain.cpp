// SPDX-License-Identifier: Apache-2.0
#include "protocol/base/buffer_chain.hpp"

#include <cstring>
#include <iterator>
#include <utility>

#include "protocol/base/assert.hpp"

namespace ringcast {

BufferChain::BufferChain(const BufferChain& other)
    : front_(other.front_), rest_(other.rest_ ? std::make_unique<Rest>(*other.rest_) : nullptr) {}

std::span<const BufferRef> BufferChain::rest() const {
  if (!rest_) return {};
  return std::span{rest_->buffers}.subspan(rest_->first);
}

void BufferChain::append(BufferRef bytes) {
  if (bytes.empty()) return;
  if (empty()) {
    *this = BufferChain(std::move(bytes));
    return;
  }
  if (!rest_) rest_ = std::make_unique<Rest>();
  rest_->bytes += bytes.size();
  rest_->buffers.push_back(std::move(bytes));
}

void BufferChain::append(BufferChain bytes) {
  append(std::move(bytes.front_));
  if (!bytes.rest_) return;
  if (!rest_) rest_ = std::make_unique<Rest>();
  rest_->bytes += bytes.rest_->bytes;
  const auto more = std::span{bytes.rest_->buffers}.subspan(bytes.rest_->first);
  rest_->buffers.insert(
      rest_->buffers.end(),
      std::make_move_iterator(more.begin()),
      std::make_move_iterator(more.end()));
}

void BufferChain::pop_front() {
  RC_ASSERT(rest_ != nullptr);
  front_ = std::move(rest_->buffers[rest_->first++]);
  rest_->bytes -= front_.size();
  if (rest_->first == rest_->buffers.size()) rest_.reset();
}

void BufferChain::copy_to(std::span<std::byte> to) const {
  RC_ASSERT(to.size() == size());
  const auto add = [&to](const BufferRef& buffer) {
    if (buffer.empty()) return;
    std::memcpy(to.data(), buffer.bytes().data(), buffer.size());
    to = to.subspan(buffer.size());
  };
  add(front_);
  for (const auto& buffer : rest()) {
    add(buffer);
  }
}

BufferRef BufferChain::joined() const {
  if (is_one_piece()) return front_;
  auto whole = BufferRef::allocate(size());
  copy_to(whole.writable());
  return whole;
}

}  // namespace ringcast
