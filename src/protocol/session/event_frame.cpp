// SPDX-License-Identifier: Apache-2.0
#include "protocol/session/event_frame.hpp"

#include <cstring>
#include <variant>

#include "protocol/session/frames.hpp"

namespace ringcast {
namespace {

struct HeadEncoder {
  ByteWriter& out;

  void operator()(const MessageEvent& message) const { encode_message_head(out, message); }
  void operator()(const ViewEvent& view) const { encode_view(out, view); }
  void operator()(const TransitionalEvent& signal) const { encode_transitional(out, signal.group); }
  void operator()(const LeftEvent& left) const { encode_left(out, left.group); }
  void operator()(const ConfigurationEvent& configuration) const {
    encode_configuration(out, configuration);
  }
  void operator()(const ConfirmEvent& confirm) const { encode_confirm(out, confirm); }
};

}  // namespace

EventFrame::EventFrame(ClientEvent& event) {
  std::visit(HeadEncoder{head_}, event);
  auto* const message = std::get_if<MessageEvent>(&event);
  payload_ = message == nullptr ? &nothing_ : &message->payload;
}

void EventFrame::copy_to(std::span<std::byte> to) const {
  std::memcpy(to.data(), head_.view().data(), head_.size());
  payload_->copy_to(to.subspan(head_.size()));
}

BufferChain EventFrame::alone() && {
  if (has_room()) {
    payload_->prepend(head_.view());
    return std::move(*payload_);
  }
  if (is_copied()) {
    auto bytes = BufferRef::allocate(size());
    copy_to(bytes.writable());
    return bytes;
  }
  BufferChain frames(BufferRef::copy_of(head_.view()));
  frames.append(std::move(*payload_));
  return frames;
}

}  // namespace ringcast
