// SPDX-License-Identifier: Apache-2.0
//
// Reading stdin.
#include "tools/ringlog-publish/stdin_source.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "tools/ringlog/files.hpp"
#include "tools/ringlog/group_packet.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::size_t block_bytes = std::size_t{64} << 10U;
constexpr std::size_t slice = std::size_t{256} << 10U;
// What may be written while we rest. The system may refuse it; then rests are shorter.
constexpr int pipe_bytes_wanted = 1 << 20;

bool is_regular(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

bool is_readable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

// Of a regular file, a pipe or a socket.
std::uint64_t unread_bytes(int fd) {
  if (is_regular(fd)) {
    struct stat status {};
    const auto place = ::lseek(fd, 0, SEEK_CUR);
    const bool known = ::fstat(fd, &status) == 0 && place >= 0 && status.st_size > place;
    return known ? static_cast<std::uint64_t>(status.st_size - place) : 0;
  }
  int bytes = 0;
  return ::ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

// As of fan-out: what is read is whole lines, or a note.
bool is_packet_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

bool is_hung_up(int fd) {
  pollfd waiting{fd, 0, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

std::optional<std::size_t> widened_pipe(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISFIFO(status.st_mode)) return std::nullopt;
  const auto before = ::fcntl(fd, F_GETPIPE_SZ);
  if (before < pipe_bytes_wanted) (void)::fcntl(fd, F_SETPIPE_SZ, pipe_bytes_wanted);
  const auto bytes = ::fcntl(fd, F_GETPIPE_SZ);
  return bytes > 0 ? std::optional(static_cast<std::size_t>(bytes)) : std::nullopt;
}

Input::Options for_stdin(Input::Options options) {
  options.can_wait = is_regular(STDIN_FILENO);
  return options;
}

}  // namespace

StdinSource::StdinSource(
    Input::Options options, const Producer& producer, Filter& filter, Intake& intake)
    : intake_(intake),
      input_(for_stdin(options), producer, filter, intake),
      is_packets_(is_packet_socket(STDIN_FILENO)),
      block_(is_packets_ ? packet_bytes_max : block_bytes),
      pipe_bytes_(widened_pipe(STDIN_FILENO)),
      rest_(options.linger) {}

void StdinSource::watch(std::vector<pollfd>& fds, Instant now) {
  if (is_over_ || !input_.entry().wants_data(now)) return;
  // Resting, we are to hear of the writer's end alone.
  const short events = rest_.is_on(now) ? 0 : POLLIN;
  fds.push_back(pollfd{STDIN_FILENO, events, 0});
}

std::optional<Source::Instant> StdinSource::wake_up(Instant now) const {
  if (is_over_) return std::nullopt;
  return earlier(input_.entry().wake_up(now), rest_.end(now));
}

void StdinSource::read(Instant now) {
  if (is_over_) return;
  if (rest_.is_on(now) && (is_stopping_ || is_hung_up(STDIN_FILENO))) rest_.cancel();
  if (!rest_.is_on(now)) look(now);
  if (is_stopping_ && !is_over_ && !is_ready_) abandon(now);
  // While records wait to be sent, a batch may as well grow.
  if (!is_ready_ && !intake_.outbox().has_waiting()) input_.entry().flush(now);
}

void StdinSource::look(Instant now) {
  read_slice(now);
  if (is_ready_ || !pipe_bytes_) return;
  const auto bytes = static_cast<double>(std::exchange(looked_bytes_, 0));
  rest_.begin(bytes / static_cast<double>(*pipe_bytes_), now);
}

void StdinSource::read_slice(Instant now) {
  std::size_t total = 0;
  is_ready_ = true;
  while (total < slice && input_.entry().wants_data(now)) {
    is_ready_ = is_readable(STDIN_FILENO);
    if (!is_ready_) return;
    const auto got = ::read(STDIN_FILENO, block_.data(), block_.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) {
      notes_.push_back(system_error("stdin", "cannot read", errno).message);
      abandon(now);
      was_left_ = true;
      return;
    }
    if (got == 0) {
      is_over_ = true;
      input_.end(now);
      return;
    }
    total += static_cast<std::size_t>(got);
    looked_bytes_ += static_cast<std::size_t>(got);
    feed({block_.data(), static_cast<std::size_t>(got)}, now);
  }
}

void StdinSource::feed(std::string_view bytes, Instant now) {
  if (const auto note = is_packets_ ? parse_note(bytes) : std::nullopt) {
    input_.take_note(*note, now);
  } else {
    input_.feed(bytes, now);
  }
}

void StdinSource::stop(Instant /*now*/) { is_stopping_ = true; }

// The end was not reached. A line of which only the beginning was read must not go out as one.
void StdinSource::abandon(Instant now) {
  is_over_ = true;
  const auto left = input_.abandon(now) + unread_bytes(STDIN_FILENO);
  if (left == 0) return;
  was_left_ = true;
  notes_.push_back(
      "the last " + std::to_string(left) + " bytes of the input were not read and are not sent");
}

bool StdinSource::leave(Instant now) {
  if (!is_over_) abandon(now);
  return true;
}

SourceCounters StdinSource::counters() const {
  const auto& entry = input_.entry();
  return SourceCounters{entry.accepted(), entry.dropped(), entry.too_long()};
}

std::vector<std::string> StdinSource::notes() {
  auto notes = input_.entry().notes();
  for (auto& note : notes_) {
    notes.push_back(std::move(note));
  }
  notes_.clear();
  return notes;
}

}  // namespace ringcast::ringlog
