// SPDX-License-Identifier: Apache-2.0
//
// A client's bytes, as a daemon's Session reads them. The first bytes say how the stream is cut
// into pieces; cut or whole, and however many requests are taken at a time, the same requests must
// come out, and the same end.
#include "protocol/session/session.hpp"

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "fuzz/check.hpp"
#include "fuzz/heap.hpp"
#include "fuzz/targets.hpp"

namespace ringcast::fuzz {
namespace {

constexpr std::uint32_t message_bytes_max = 1024;

void append_text(std::ostream& out, std::string_view text) { out << text.size() << ':' << text; }

void append_bytes(std::ostream& out, Bytes bytes) {
  append_text(out, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

/// A request as text that tells it from every other.
struct Describe {
  std::ostream& out;

  void operator()(const HelloRequest& hello) const { append_text(out << "hello ", hello.name); }
  void operator()(const JoinRequest& join) const { append_text(out << "join ", join.group); }
  void operator()(const LeaveRequest& leave) const { append_text(out << "leave ", leave.group); }
  void operator()(const SendRequest& send) const {
    out << "send " << send.ticket << ' ' << static_cast<int>(send.service) << ' ' << send.type
        << ' ' << send.echo << send.confirm << ' ';
    for (const auto& group : send.groups) {
      append_text(out, group);
    }
    append_bytes(out, send.payload);
  }
  void operator()(const StatusRequest& status) const { out << "status " << status.request; }
  void operator()(const GroupsRequest& groups) const {
    append_text(out << "groups " << groups.request << ' ', groups.group);
  }
  void operator()(const PingRequest& ping) const { out << "ping " << ping.request; }
  void operator()(const GoodbyeRequest&) const { out << "goodbye"; }
  void operator()(const Refusal& refusal) const {
    append_text(out << "refused " << refusal.about << ' ', refusal.subject);
    append_text(out, refusal.error.message);
  }
};

std::string describe(const ClientRequest& request) {
  std::ostringstream out;
  std::visit(Describe{out}, request);
  return out.str();
}

/// The frame a client would send for it; nothing for what is no frame.
struct Encode {
  ByteWriter& out;

  void operator()(const HelloRequest& hello) const { encode_hello(out, hello.name); }
  void operator()(const JoinRequest& join) const { encode_join(out, join.group); }
  void operator()(const LeaveRequest& leave) const { encode_leave(out, leave.group); }
  void operator()(const SendRequest& send) const {
    encode_publish_head(out, send);
    out.bytes(send.payload);
  }
  void operator()(const StatusRequest& status) const { encode_status_request(out, status.request); }
  void operator()(const GroupsRequest& groups) const {
    encode_groups_request(out, groups.request, groups.group);
  }
  void operator()(const PingRequest& ping) const { encode_ping(out, ping.request); }
  void operator()(const GoodbyeRequest&) const { encode_goodbye(out); }
  void operator()(const Refusal&) const {}
};

void check_round_trip(const ClientRequest& request) {
  ByteWriter frame;
  std::visit(Encode{frame}, request);
  if (frame.size() == 0) return;
  const auto again = decode_request(frame.view().subspan(frame_length_bytes));
  check(again.ok(), "what the encoder writes the decoder takes");
  check(describe(*again) == describe(request), "decode(encode(x)) is x");
}

class Reader {
 public:
  Reader() : session_(SessionId{1}, config(), message_bytes_max, Instant{}) {}

  void feed(Bytes piece) {
    session_.receive(piece);
    while (take_next()) {
    }
  }
  /// The piece is gone when this returns. Whether there may be more.
  bool feed_and_take(Bytes piece, std::size_t most) {
    const std::vector<std::byte> copy(piece.begin(), piece.end());
    session_.lend(copy);
    bool has_more = true;
    for (std::size_t i = 0; i < most && has_more; ++i) {
      has_more = take_next();
    }
    session_.keep();
    return has_more;
  }
  [[nodiscard]] const std::string& told() const { return told_; }

 private:
  static SessionConfig config() {
    SessionConfig config;
    config.groups_per_session_max = 3;
    return config;
  }

  bool take_next() {
    const bool promised = session_.has_request();
    const auto request = session_.next_request();
    if (!request) {
      check_refusal(request.error());
      told_ += "error " + request.error().message + '\n';
      return false;
    }
    check(request->has_value() == promised || !promised, "has_request() keeps its promise");
    if (*request) take(**request);
    return request->has_value();
  }

  void take(const ClientRequest& request) {
    told_ += describe(request) + '\n';
    check_round_trip(request);
    if (std::holds_alternative<HelloRequest>(request)) session_.establish("me");
    if (const auto* const join = std::get_if<JoinRequest>(&request)) {
      session_.add_group(join->group);
    }
    if (const auto* const leave = std::get_if<LeaveRequest>(&request)) {
      session_.remove_group(leave->group);
    }
  }

  Session session_;
  std::string told_;
};

}  // namespace

void session(Bytes input) {
  ByteReader head(input);
  const auto cuts = head.bytes(head.u8() % 16U);
  const Bytes stream = input.subspan(head.position());

  const HeapMeter heap;
  Reader whole;
  whole.feed(stream);
  Reader pieces;
  Bytes rest = stream;
  std::size_t turn = 0;
  while (!rest.empty()) {
    std::size_t length = rest.size();
    if (!cuts.empty()) length = std::to_integer<std::size_t>(cuts[turn++ % cuts.size()]);
    length = std::clamp<std::size_t>(length, 1, rest.size());
    (void)pieces.feed_and_take(rest.first(length), turn % 4);
    rest = rest.subspan(length);
  }
  while (pieces.feed_and_take({}, 1)) {
  }
  check(whole.told() == pieces.told(), "how the stream is cut makes no difference");
  heap.check_peak(200 * input.size() + 65536, "a session");
}

}  // namespace ringcast::fuzz
