// SPDX-License-Identifier: Apache-2.0
//
// Reading syslog sockets.
#include "tools/ringlog-publish/syslog_source.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "tools/ringlog-publish/syslog_message.hpp"

namespace ringcast::ringlog {

namespace {

// What may stand before the text of a message whose text is as long as a line may be.
constexpr std::size_t header_bytes = 8192;
constexpr std::size_t stream_slice = 65536;
constexpr std::size_t datagrams_in_turn = 512;  // from one socket
constexpr rlim_t connections_most = 1024;
constexpr rlim_t other_descriptors = 128;  // for spool, checkpoints, daemons
constexpr std::size_t shown_bytes_max = 80;

// As many as leave descriptors for all else.
std::size_t connections_allowed() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return other_descriptors;
  constexpr auto wanted = connections_most + other_descriptors;
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, wanted);
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
    (void)::getrlimit(RLIMIT_NOFILE, &limit);
  }
  const auto least = std::max(limit.rlim_cur, 2 * other_descriptors) - other_descriptors;
  return std::min(least, connections_most);
}

}  // namespace

SyslogSource::SyslogSource(
    Options options, const Producer& producer, Filter& filter, Intake& intake)
    : options_(std::move(options)),
      intake_(intake),
      entry_(options_.entry, producer, filter, intake),
      connections_max_(connections_allowed()),
      packets_(options_.entry.line_bytes_max + header_bytes),
      buffer_(stream_slice),
      rest_(options_.entry.linger) {}

SyslogSource::~SyslogSource() {
  for (const auto& listener : listeners_) {
    if (listener.address.is_unix()) (void)::unlink(listener.address.path.c_str());
  }
}

Result<std::unique_ptr<SyslogSource>> SyslogSource::open(
    Options options, const Producer& producer, Filter& filter, Intake& intake) {
  std::unique_ptr<SyslogSource> source(
      new SyslogSource(std::move(options), producer, filter, intake));
  auto longest_rest = source->options_.entry.linger;
  for (const auto& text : source->options_.addresses) {
    auto address = parse_syslog_address(text);
    if (!address) return address.error();
    auto socket = listen_at(*address);
    if (!socket) return socket.error();
    constexpr int yes = 1;
    (void)::setsockopt(socket->get(), SOL_SOCKET, SO_RXQ_OVFL, &yes, sizeof yes);
    const auto room = room_of(*address, socket->get());
    if (!address->is_stream()) longest_rest = std::min(longest_rest, rest_within(*address, room));
    source->listeners_.push_back(
        Listener{std::move(address).value(), std::move(socket).value(), {}, 0, 0, room});
  }
  source->rest_ = Rest(longest_rest);
  return source;
}

void SyslogSource::watch(std::vector<pollfd>& fds, Instant now) {
  if (is_over_ || rest_.is_on(now) || !entry_.wants_data(now)) return;
  for (const auto& listener : listeners_) {
    const bool is_full = connections_.size() >= connections_max_ || !accepting_.may_try(now);
    if (listener.address.is_stream() && is_full) continue;
    fds.push_back(pollfd{listener.socket.get(), POLLIN, 0});
  }
  for (const auto& connection : connections_) {
    fds.push_back(pollfd{connection.socket.get(), POLLIN, 0});
  }
}

std::optional<Source::Instant> SyslogSource::wake_up(Instant now) const {
  if (is_over_) return std::nullopt;
  auto next = entry_.wake_up(now);
  const auto again = accepting_.retry_at();
  if (again && *again > now) next = earlier(next, again);
  // An unfinished batch that waits for records before it is woken by their confirmation.
  if (entry_.has_lines() && next_flush_ > now) next = earlier(next, std::optional(next_flush_));
  return earlier(next, rest_.end(now));
}

void SyslogSource::read(Instant now) {
  if (is_over_) return;
  if (is_stopping_) rest_.cancel();
  if (!rest_.is_on(now)) look(now);
  if (is_stopping_ && !is_ready_) close_all(now);
  if (!is_ready_ && entry_.has_lines() && may_flush(now)) {
    entry_.flush(now);
    next_flush_ = now + options_.entry.linger;
  }
}

void SyslogSource::look(Instant now) {
  is_ready_ = false;
  for (auto& listener : listeners_) {
    is_ready_ |=
        listener.address.is_stream() ? accept_all(listener, now) : read_datagrams(listener, now);
  }
  for (auto& connection : connections_) {
    is_ready_ |= read_stream(connection, now);
  }
  connections_.remove_if([](const auto& connection) { return !connection.socket.is_open(); });
  if (!is_ready_) rest_.begin(std::exchange(share_, 0), now);
}

void SyslogSource::note_share(double part, std::size_t room) {
  share_ = std::max(share_, part / static_cast<double>(std::max<std::size_t>(room, 1)));
}

// While records wait to be sent, or few lines came, a batch may as well grow.
bool SyslogSource::may_flush(Instant now) const {
  return now >= next_flush_ && !intake_.outbox().has_waiting();
}

// True when there may be more.
bool SyslogSource::read_datagrams(Listener& listener, Instant now) {
  std::size_t bytes = 0;
  std::size_t count = 0;
  bool has_more = true;
  while (has_more && count < datagrams_in_turn && entry_.wants_data(now)) {
    const auto got = packets_.receive(listener.socket.get());
    if (got < 0) {
      has_more = errno == EINTR;
      continue;
    }
    has_more = static_cast<std::size_t>(got) == PacketBlocks::at_once;
    for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
      take_datagram(listener, i, now);
      bytes += packets_.length(i) + datagram_cost;
    }
    count += static_cast<std::size_t>(got);
  }
  note_share(static_cast<double>(bytes), listener.room.bytes);
  const auto datagrams = listener.room.datagrams;
  if (datagrams > 0) note_share(static_cast<double>(count), datagrams);
  return has_more;
}

void SyslogSource::take_datagram(Listener& listener, std::size_t i, Instant now) {
  if (const auto lost = packets_.overflowed(i)) note_overflow(listener, *lost);
  SyslogFrame frame;
  frame.bytes = packets_.length(i);
  frame.too_long = packets_.is_cut(i);
  if (!frame.too_long) frame.text = packets_.packet(i);
  take(listener, frame, now);
}

void SyslogSource::note_overflow(Listener& listener, std::uint32_t count) {
  if (listener.overflowed == 0 && count > 0) {
    notes_.push_back(
        listener.address.text +
        ": the kernel drops messages, they come faster than they are read; further ones are "
        "only counted");
  }
  listener.overflowed = count;
}

bool SyslogSource::accept_all(Listener& listener, Instant now) {
  if (!accepting_.may_try(now)) return false;
  while (connections_.size() < connections_max_) {
    Descriptor socket(
        ::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket.is_open()) {
      accepting_.on_success(now);
    } else {
      if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) refuse(listener, errno, now);
      return false;
    }
    connections_.push_back(Connection{
        listener, std::move(socket), SyslogFraming(options_.entry.line_bytes_max + header_bytes)});
  }
  if (!std::exchange(told_full_, true)) {
    notes_.push_back(
        listener.address.text + ": " + std::to_string(connections_max_) +
        " connections are open; further senders wait until one ends");
  }
  return false;
}

// Out of descriptors or memory: the listener stays readable, and must not be asked all the time.
void SyslogSource::refuse(const Listener& listener, int error, Instant now) {
  const auto what = system_error(listener.address.text, "cannot accept a connection", error);
  if (accepting_.on_failure(what.message, now)) {
    notes_.push_back(what.message + "; trying again");
  }
}

bool SyslogSource::read_stream(Connection& connection, Instant now) {
  std::size_t total = 0;
  while (total < stream_slice) {
    if (!entry_.wants_data(now)) return true;
    const auto got = ::read(connection.socket.get(), buffer_.data(), stream_slice);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) {
      end_stream(connection, got == 0, now);
      return false;
    }
    total += static_cast<std::size_t>(got);
    note_share(static_cast<double>(got), stream_slice);
    connection.framing.feed(
        {buffer_.data(), static_cast<std::size_t>(got)},
        [&](const SyslogFrame& frame) { take(connection.listener, frame, now); });
  }
  return true;
}

// A last line without newline is a line where the sender ended, not where the network did.
void SyslogSource::end_stream(Connection& connection, bool is_ended, Instant now) {
  connection.socket.close();
  const auto sink = [&](const SyslogFrame& frame) { take(connection.listener, frame, now); };
  note_unfinished(
      connection, is_ended ? connection.framing.end(sink) : connection.framing.abandon());
}

void SyslogSource::note_unfinished(const Connection& connection, std::uint64_t bytes) {
  if (bytes == 0) return;
  unfinished_ += bytes;
  notes_.push_back(
      connection.listener.address.text + ": a connection ended inside a message; its " +
      std::to_string(bytes) + " bytes are not sent");
}

void SyslogSource::take(Listener& listener, const SyslogFrame& frame, Instant now) {
  if (const auto length = listener.cuts.see(frame.bytes)) {
    notes_.push_back(
        listener.address.text + ": messages are " + std::to_string(*length) +
        " bytes long and never longer: their sender seems to cut them there; raise its limit "
        "(HAProxy: `log ... len 65535`)");
  }
  if (frame.too_long) {
    entry_.take_too_long(frame.bytes, now);
    return;
  }
  const auto message = parse_syslog(frame.text);
  if (!message.is_valid || !frame.is_valid) note_invalid(listener, frame.text);
  auto rest = options_.keep_whole ? frame.text : message.text;
  while (!rest.empty() && (rest.back() == '\n' || rest.back() == '\0')) {
    rest.remove_suffix(1);
  }
  // A message of several lines is several lines.
  for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    entry_.take(rest.substr(0, end), now);
    rest.remove_prefix(end + 1);
  }
  entry_.take(rest, now);
}

void SyslogSource::note_invalid(Listener& listener, std::string_view frame) {
  if (listener.invalid++ > 0) return;
  notes_.push_back(
      listener.address.text + ": got what is no syslog message and is sent as it is: \"" +
      std::string(frame.substr(0, shown_bytes_max)) + "\"; further ones are only counted");
}

void SyslogSource::stop(Instant /*now*/) { is_stopping_ = true; }

void SyslogSource::close_all(Instant now) {
  // A line of which only the beginning was read must not go out as one.
  for (auto& connection : connections_) {
    note_unfinished(connection, connection.framing.abandon());
  }
  connections_.clear();
  entry_.end(now);
  is_over_ = true;
}

bool SyslogSource::leave(Instant now) {
  if (!is_over_) close_all(now);
  return true;
}

SourceCounters SyslogSource::counters() const {
  SourceCounters all{entry_.accepted(), entry_.dropped(), entry_.too_long()};
  for (const auto& listener : listeners_) {
    all.invalid += listener.invalid;
    all.suspected_cuts += listener.cuts.suspected();
    all.overflowed += listener.overflowed;
  }
  return all;
}

bool SyslogSource::is_incomplete() const { return unfinished_ > 0 || counters().overflowed > 0; }

std::vector<std::string> SyslogSource::notes() {
  auto notes = entry_.notes();
  for (auto& note : notes_) {
    notes.push_back(std::move(note));
  }
  notes_.clear();
  return notes;
}

}  // namespace ringcast::ringlog
