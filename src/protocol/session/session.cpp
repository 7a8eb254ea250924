// SPDX-License-Identifier: Apache-2.0
#include "protocol/session/session.hpp"

#include <algorithm>
#include <cstring>

#include "protocol/base/assert.hpp"
#include "protocol/session/event_frame.hpp"

namespace ringcast {
namespace {

// An input buffer that grew for one large frame is given back when nothing follows it.
constexpr std::size_t input_bytes_kept = std::size_t{1} << 20U;
constexpr std::size_t believed_bytes = std::size_t{64} << 10U;
// What a publish must show of itself before it can be refused by its ticket.
constexpr std::size_t ticket_end = frame_length_bytes + 1 + 8;

template <class Encode>
BufferRef frame_of(Encode encode) {
  ByteWriter out;
  encode(out);
  return BufferRef::copy_of(out.view());
}

Error too_long(std::size_t size, std::size_t limit) {
  return Error{
      Errc::too_large,
      "a message of at least " + std::to_string(size) + " bytes is longer than the limit of " +
          std::to_string(limit) + "; send it in parts or raise message_bytes_max"};
}

}  // namespace

Session::Session(
    SessionId id, const SessionConfig& config, std::uint32_t message_bytes_max, Instant opened)
    : id_(id), config_(config), message_bytes_max_(message_bytes_max), opened_(opened) {}

void Session::receive(std::span<const std::byte> bytes) {
  lend(bytes);
  keep();
}

void Session::lend(std::span<const std::byte> bytes) {
  RC_ASSERT(lent_.empty());
  if (ended_) return;
  lent_ = bytes;
  skip_lent();
  tidy_input();
  if (input_.empty()) return;
  if (has_request()) {
    keep();  // behind whole frames, which had to wait
  } else {
    lent_ = complete_frame(lent_);
  }
}

void Session::keep() {
  tidy_input();
  if (!ended_) append(lent_);
  lent_ = {};
  if (input_.empty() && input_.capacity() > input_bytes_kept) input_.shrink_to_fit();
}

void Session::append(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  make_room();
  input_.insert(input_.end(), bytes.begin(), bytes.end());
}

/// Gives the frame whose beginning was kept what it lacks, so that it lies in one piece. What is
/// left of the bytes.
std::span<const std::byte> Session::complete_frame(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto kept = input_.size() - consumed_;
    const auto wanted = wanted_bytes();
    if (kept >= wanted) break;
    const auto count = std::min(wanted - kept, bytes.size());
    append(bytes.first(count));
    bytes = bytes.subspan(count);
  }
  return bytes;
}

/// So much of the kept frame, as far as it can tell by now.
std::size_t Session::wanted_bytes() const {
  const auto length = peek_frame_length(pending());
  if (!length) return frame_length_bytes;
  return *length <= frame_bytes_max() ? frame_length_bytes + *length : ticket_end;
}

std::span<const std::byte> Session::pending() const {
  return consumed_ < input_.size() ? std::span{input_}.subspan(consumed_) : lent_;
}

void Session::consume(std::size_t count) {
  if (consumed_ < input_.size()) {
    consumed_ += count;
  } else {
    lent_ = lent_.subspan(count);
  }
}

void Session::skip_lent() {
  const auto skipped = std::min(skip_bytes_, lent_.size());
  skip_bytes_ -= skipped;
  lent_ = lent_.subspan(skipped);
}

// For all of a long frame, of which so much has come that the rest is believed.
void Session::make_room() {
  const auto kept = std::span<const std::byte>{input_}.subspan(consumed_);
  if (kept.size() < believed_bytes) return;
  const auto length = peek_frame_length(kept);
  if (*length <= frame_bytes_max()) input_.reserve(consumed_ + frame_length_bytes + *length);
}

// Every byte is moved a bounded number of times: what is left is moved only when it is less
// than what was consumed since the last time.
void Session::tidy_input() {
  if (consumed_ == input_.size()) {
    input_.clear();
    consumed_ = 0;
  } else if (consumed_ > input_.size() / 2) {
    input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(consumed_));
    consumed_ = 0;
  }
}

Result<std::optional<ClientRequest>> Session::next_request() {
  if (ended_) return std::optional<ClientRequest>{};
  if (consumed_ == input_.size()) tidy_input();
  const auto bytes = pending();
  const auto length = peek_frame_length(bytes);
  if (!length) return std::optional<ClientRequest>{};
  if (*length == 0) return fail(Error{Errc::malformed, "session frame: empty frame [SES-1]"});
  if (*length > frame_bytes_max()) return oversized(*length);
  if (bytes.size() < frame_length_bytes + *length) return std::optional<ClientRequest>{};
  consume(frame_length_bytes + *length);
  auto request = check(decode_request(bytes.subspan(frame_length_bytes, *length)));
  if (!request) return fail(request.error());
  ended_ = std::holds_alternative<GoodbyeRequest>(*request);
  return std::optional<ClientRequest>{std::move(*request)};
}

bool Session::has_request() const {
  if (ended_) return false;
  const auto bytes = pending();
  const auto length = peek_frame_length(bytes);
  if (!length) return false;
  const bool is_kept = *length <= frame_bytes_max();
  return bytes.size() >= (is_kept ? frame_length_bytes + *length : ticket_end);
}

bool Session::orders_next() const {
  if (!has_request()) return false;
  const auto frame = pending().subspan(frame_length_bytes);
  if (frame.empty()) return false;
  const auto type = static_cast<FrameType>(frame.front());
  return type == FrameType::publish || type == FrameType::join || type == FrameType::leave;
}

std::size_t Session::frame_bytes_max() const {
  if (!greeted_) return hello_frame_bytes_max;
  return publish_head_bytes_max + message_bytes_max_;
}

// What a single frame cannot tell: the place of the hello, sizes and memberships.
Result<ClientRequest> Session::check(Result<ClientRequest> request) {
  if (!request) return request;
  const bool is_hello = std::holds_alternative<HelloRequest>(*request);
  if (is_hello == greeted_) {
    return Error{
        Errc::malformed,
        greeted_ ? "session frame: a second hello [SES-4]"
                 : "session frame: the first frame is not a hello [SES-4]"};
  }
  greeted_ = true;
  if (const auto* send = std::get_if<SendRequest>(&*request)) {
    if (send->payload.size() <= message_bytes_max_) return request;
    return ClientRequest{Refusal{
        .about = send->ticket,
        .subject = {},
        .error = too_long(send->payload.size(), message_bytes_max_)}};
  }
  const auto refuse = [](const std::string& group, Errc code, std::string_view why) {
    return ClientRequest{Refusal{
        .about = 0, .subject = group, .error = Error{code, "group " + group + std::string(why)}}};
  };
  if (const auto* join = std::get_if<JoinRequest>(&*request)) {
    if (asked_for(join->group)) {
      return refuse(join->group, Errc::already_member, ": this session has joined it already");
    }
    if (group_count() >= config_.groups_per_session_max) {
      return refuse(
          join->group,
          Errc::limit_exceeded,
          ": this session is in " + std::to_string(group_count()) +
              " groups, as many as the daemon allows; leave one or raise groups_per_session_max");
    }
  }
  if (const auto* leave = std::get_if<LeaveRequest>(&*request)) {
    if (!asked_for(leave->group)) {
      return refuse(leave->group, Errc::not_member, ": this session has not joined it");
    }
  }
  return request;
}

// A publish beyond the limit is refused by its ticket and skipped without being kept; any
// other frame of that length is a mistake.
Result<std::optional<ClientRequest>> Session::oversized(std::uint32_t length) {
  const auto bytes = pending();
  if (bytes.size() == frame_length_bytes) return std::optional<ClientRequest>{};
  const auto type = static_cast<FrameType>(bytes[frame_length_bytes]);
  if (!greeted_ || type != FrameType::publish || length > skipped_frame_bytes_max) {
    return fail(Error{
        Errc::limit_exceeded,
        "session frame: " + std::to_string(length) + " bytes where at most " +
            std::to_string(frame_bytes_max()) + " are allowed [SES-3]"});
  }
  if (bytes.size() < ticket_end) return std::optional<ClientRequest>{};
  ByteReader reader(bytes.subspan(frame_length_bytes + 1));
  const auto ticket = reader.u64();
  const auto whole = frame_length_bytes + std::size_t{length};
  const auto here = std::min(whole, bytes.size());
  consume(here);
  skip_bytes_ = whole - here;
  skip_lent();
  return std::optional<ClientRequest>{Refusal{
      .about = ticket,
      .subject = {},
      .error = too_long(length - publish_head_bytes_max, message_bytes_max_)}};
}

Result<std::optional<ClientRequest>> Session::fail(Error error) {
  ended_ = true;
  return error;
}

BufferRef Session::encode_welcome(const WelcomeInfo& info) {
  return frame_of([&](ByteWriter& out) { ringcast::encode_welcome(out, info); });
}

BufferRef Session::encode_daemons(const DaemonTable& daemons) {
  return frame_of([&](ByteWriter& out) { ringcast::encode_daemons(out, daemons); });
}

BufferChain Session::encode_event(ClientEvent event) { return EventFrame(event).alone(); }

BufferRef Session::encode_status(std::uint64_t request, const NodeStatus& status) {
  return frame_of([&](ByteWriter& out) { encode_status_reply(out, request, status); });
}

BufferRef Session::encode_groups(std::uint64_t request, const GroupList& groups) {
  return frame_of([&](ByteWriter& out) { encode_groups_reply(out, request, groups); });
}

BufferRef Session::encode_pong(std::uint64_t request) {
  return frame_of([&](ByteWriter& out) { ringcast::encode_pong(out, request); });
}

BufferRef Session::encode_refused(
    std::uint64_t about, std::string_view subject, const Error& error) {
  return frame_of([&](ByteWriter& out) { ringcast::encode_refused(out, about, subject, error); });
}

BufferRef Session::encode_closed(const Error& reason) {
  return frame_of([&](ByteWriter& out) { ringcast::encode_closed(out, reason); });
}

void Session::written(std::size_t count) {
  RC_ASSERT(count <= backlog_bytes_);
  backlog_bytes_ -= count;
}

std::optional<Instant> Session::handshake_deadline() const {
  if (established()) return std::nullopt;
  return opened_ + config_.handshake;
}

}  // namespace ringcast
