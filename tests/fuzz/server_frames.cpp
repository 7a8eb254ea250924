// SPDX-License-Identifier: Apache-2.0
//
// The input is one frame of a daemon, without its length, as a client's decoder sees it.
#include <algorithm>

#include "fuzz/check.hpp"
#include "fuzz/heap.hpp"
#include "fuzz/targets.hpp"
#include "protocol/session/frames.hpp"

namespace ringcast::fuzz {
namespace {

struct Encode {
  ByteWriter& out;

  void operator()(const WelcomeInfo& info) const { encode_welcome(out, info); }
  void operator()(const DaemonsFrame& table) const { encode_daemons(out, table.daemons); }
  void operator()(const MessageFrame& message) const {
    MessageEvent event = message.event;
    event.payload = BufferRef::copy_of(message.payload);
    encode_message_head(out, event);
    out.bytes(message.payload);
  }
  void operator()(const ViewEvent& view) const { encode_view(out, view); }
  void operator()(const TransitionalEvent& signal) const { encode_transitional(out, signal.group); }
  void operator()(const LeftEvent& left) const { encode_left(out, left.group); }
  void operator()(const ConfigurationEvent& event) const { encode_configuration(out, event); }
  void operator()(const ConfirmEvent& event) const { encode_confirm(out, event); }
  void operator()(const StatusFrame& frame) const {
    encode_status_reply(out, frame.request, frame.status);
  }
  void operator()(const GroupsFrame& frame) const {
    // That something was left out is the encoder's own finding: it cannot be asked for.
    if (!frame.truncated) encode_groups_reply(out, frame.request, frame.groups);
  }
  void operator()(const PongFrame& frame) const { encode_pong(out, frame.request); }
  void operator()(const RefusedFrame& frame) const {
    encode_refused(out, frame.about, frame.subject, frame.error);
  }
  void operator()(const ClosedFrame& frame) const { encode_closed(out, frame.reason); }
};

}  // namespace

void server_frames(Bytes input) {
  const HeapMeter heap;
  const auto decoded = decode_server_frame(input);
  heap.check_peak(64 * input.size() + 16384, "decoding a frame");
  const bool is_message = decoded.ok() && std::holds_alternative<MessageFrame>(*decoded);
  check(decode_message(input).has_value() == is_message, "two ways to decode a message");
  if (!decoded) {
    check_refusal(decoded.error());
    check(decoded.error().code == Errc::malformed, "a refused frame is malformed");
    return;
  }
  ByteWriter first;
  std::visit(Encode{first}, *decoded);
  if (first.size() == 0) return;
  const auto again = decode_server_frame(first.view().subspan(frame_length_bytes));
  check(again.ok(), "what the encoder writes the decoder takes");
  ByteWriter second;
  std::visit(Encode{second}, *again);
  check(same(first.view(), second.view()), "decode(encode(x)) is x");
}

}  // namespace ringcast::fuzz
