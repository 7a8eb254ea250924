// SPDX-License-Identifier: Apache-2.0
//
// From one pipe to a publisher for each group.
#include "tools/ringlog-publish/fan_out.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "tools/ringlog/options.hpp"

namespace ringcast::ringlog {

using tools::ExitCode;

namespace {

constexpr auto program = "ringlog-publish";
constexpr std::chrono::minutes idle_for_long{5};
constexpr std::chrono::seconds patience{60};
constexpr std::chrono::seconds crowd_patience{1};
constexpr std::chrono::seconds rest_patience{1};  // of a packet, after a stop
constexpr std::chrono::milliseconds crowd_interval{5};

bool is_pipe(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

// What the kernel copies in one read() while it holds off whoever writes. So all of the pipe in
// one: it ends where a frame ends, and another one that reads gets whole frames, too.
std::size_t pipe_bytes(int fd) {
  const int bytes = ::fcntl(fd, F_GETPIPE_SZ);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : PIPE_BUF;
}

bool is_readable(int fd) {
  pollfd readable{fd, POLLIN, 0};
  return ::poll(&readable, 1, 0) > 0;
}

}  // namespace

FanOut::FanOut(FanOutOptions options)
    : options_(std::move(options)),
      pipe_bytes_(pipe_bytes(STDIN_FILENO)),
      frames_(packet_bytes_max, pipe_bytes_ + frame_bytes_max),
      rest_(options_.linger) {}

ExitCode FanOut::run(int stop_fd) {
  if (!is_pipe(STDIN_FILENO)) {
    tools::report(
        program,
        "fan-out reads frames from a pipe, as mod_log_ringcast makes it; stdin is none. For lines "
        "of one group use --group, without fan-out");
    return ExitCode::usage;
  }
  (void)::fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  // Nor is read() to meet a page that was swapped out.
  const auto room = frames_.room();
  (void)::mlock2(room.data(), room.size(), MLOCK_ONFAULT);
  for (;;) {
    look_for_stop(stop_fd);
    if (stopped_since_) {
      read_to_the_end_of_packets();
    } else if (!ending_since_ && Clock::now() >= next_read_) {
      read();
    }
    tell_lost();
    pump();
    if (is_over()) return finish();
    wait(stop_fd);
  }
}

bool FanOut::is_over() const {
  if (!ending_since_) return false;
  if (Clock::now() - *ending_since_ >= options_.end_patience) return true;
  return leaving_.empty() &&
         std::all_of(publishers_.begin(), publishers_.end(), [](const auto& entry) {
           return entry.second.is_over();
         });
}

// A publisher that is slow for a moment holds up whoever sends; one that stays so loses lines
// alone.
bool FanOut::is_held_up(Clock::time_point now) const {
  return std::any_of(publishers_.begin(), publishers_.end(), [now](const auto& entry) {
    const auto since = entry.second.crowded_since();
    return since && now - *since < crowd_patience;
  });
}

// Before every look at the pipe: another may be there to read it.
void FanOut::look_for_stop(int stop_fd) {
  if (!ending_since_ && !stopped_since_ && is_readable(stop_fd)) stopped_since_ = Clock::now();
}

void FanOut::read() {
  const auto now = Clock::now();
  if (is_held_up(now)) {
    next_read_ = now + crowd_interval;
    return;
  }
  const auto bytes = read_once(frames_.room().size());
  rest_.begin(static_cast<double>(bytes) / static_cast<double>(pipe_bytes_), now);
  next_read_ = rest_.end(now).value_or(now);
}

// Who reads next could do nothing with the rest of one that has begun. One whose writer was
// killed has none.
void FanOut::read_to_the_end_of_packets() {
  if (ending_since_) return;
  const auto now = Clock::now();
  const bool is_late = now - *stopped_since_ >= rest_patience;
  if (!frames_.is_within_packet() || is_late) return begin_end();
  if (is_held_up(now)) return;
  while (frames_.is_within_packet()) {
    if (read_once(frames_.missing()) > 0) continue;
    if (now - part_came_ >= rest_patience) begin_end();
    return;
  }
}

// How many bytes came.
std::size_t FanOut::read_once(std::size_t bytes_max) {
  const auto got = ::read(STDIN_FILENO, frames_.room().data(), bytes_max);
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return 0;
    tools::report(program, system_error("stdin", "cannot read", errno).message);
    has_lost_ = true;
  }
  if (got <= 0) {
    begin_end();
    return 0;
  }
  frames_.added(static_cast<std::size_t>(got));
  take_packets(Clock::now());
  return static_cast<std::size_t>(got);
}

void FanOut::take_packets(Clock::time_point now) {
  const auto parts = frames_.parts();
  while (const auto packet = frames_.next()) {
    take(*packet, now);
  }
  if (frames_.parts() != parts) part_came_ = now;
}

void FanOut::take(std::string_view packet, Clock::time_point now) {
  const auto parsed = parse_packet(packet);
  const auto known = parsed ? publishers_.find(parsed->group) : publishers_.end();
  const bool is_known = known != publishers_.end();
  if (!is_known && (!parsed || !log_group(std::string(parsed->group)).empty())) {
    if (++refused_packets_ == 1) {
      tools::report(program, "a packet on stdin names no group of lines and was dropped");
    }
    has_lost_ = true;
    return;
  }
  auto& publisher = is_known ? known->second : publisher_for(*parsed, now);
  if (const auto note = parse_note(parsed->body)) {
    publisher.add_note(*note, now);
  } else if (parsed->body.back() == '\n') {
    publisher.add(parsed->body, now);
  } else {
    publisher.add(std::string(parsed->body) + '\n', now);
  }
}

// That has none yet.
GroupPublisher& FanOut::publisher_for(const GroupPacket& packet, Clock::time_point now) {
  const std::string group(packet.group);
  if (!packet.is_from_network) return add_publisher(group);
  if (network_groups_.size() < options_.groups_max || make_place(now)) {
    network_groups_.push_back(group);
    return add_publisher(group);
  }
  if (!std::exchange(told_overflow_, true)) {
    tools::report(
        program,
        "more than " + std::to_string(options_.groups_max) +
            " groups; lines of further ones go to " + options_.overflow_group +
            ". --groups-max raises the limit");
  }
  const auto overflow = publishers_.find(options_.overflow_group);
  return overflow != publishers_.end() ? overflow->second : add_publisher(options_.overflow_group);
}

GroupPublisher& FanOut::add_publisher(const std::string& group) {
  GroupPublisher::Options options;
  options.group = group;
  options.program = options_.program;
  options.arguments = options_.arguments;
  if (!options_.spool_directory.empty()) {
    options.arguments.insert(
        options.arguments.end(), {"--spool", options_.spool_directory + "/" + group});
  }
  return publishers_.emplace(group, GroupPublisher(std::move(options))).first->second;
}

// The one idle for the longest leaves, when that is long.
bool FanOut::make_place(Clock::time_point now) {
  const auto used = [this](const std::string& group) {
    return publishers_.find(group)->second.last_used();
  };
  const auto oldest = std::min_element(
      network_groups_.begin(), network_groups_.end(), [&](const auto& one, const auto& other) {
        return used(one) < used(other);
      });
  if (oldest == network_groups_.end() || now - used(*oldest) < idle_for_long) return false;
  const auto leaving = publishers_.find(*oldest);
  leaving->second.finish();
  leaving_.push_back(std::move(leaving->second));
  publishers_.erase(leaving);
  network_groups_.erase(oldest);
  return true;
}

void FanOut::pump() {
  const auto now = Clock::now();
  for (auto& [group, publisher] : publishers_) {
    publisher.pump(now);
    tell(publisher);
  }
  for (auto& publisher : leaving_) {
    publisher.pump(now);
    tell(publisher);
  }
  const auto over = std::remove_if(leaving_.begin(), leaving_.end(), [this](const auto& publisher) {
    has_lost_ = has_lost_ || (publisher.is_over() && publisher.exit_code() != 0);
    return publisher.is_over();
  });
  leaving_.erase(over, leaving_.end());
}

void FanOut::tell(GroupPublisher& publisher) {
  for (const auto& note : publisher.notes()) {
    tools::report(program, note);
  }
}

void FanOut::begin_end() {
  if (ending_since_) return;
  ending_since_ = Clock::now();
  frames_.end();
  for (auto& [group, publisher] : publishers_) {
    publisher.finish();
  }
}

void FanOut::tell_lost() {
  const auto lost = frames_.lost() - std::exchange(lost_packets_, frames_.lost());
  if (lost > 0) {
    tally_.add(lost, 0);
    has_lost_ = true;
  }
  const auto told = ending_since_ ? tally_.take_rest() : tally_.take(Clock::now());
  if (!told) return;
  tools::report(
      program,
      std::to_string(told->lines) +
          " packets on stdin came in part and are lost: who wrote or read them was killed");
}

FanOut::Clock::time_point FanOut::next_deadline(Clock::time_point now) const {
  auto deadline = now + patience;
  const auto consider = [&deadline](const GroupPublisher& publisher) {
    if (const auto wake_up = publisher.wake_up()) deadline = std::min(deadline, *wake_up);
  };
  for (const auto& [group, publisher] : publishers_) {
    consider(publisher);
  }
  std::for_each(leaving_.begin(), leaving_.end(), consider);
  if (ending_since_) return std::min(deadline, *ending_since_ + options_.end_patience);
  if (stopped_since_) return std::min(deadline, now + crowd_interval);
  return now < next_read_ ? std::min(deadline, next_read_) : deadline;
}

// While it rests after a look at stdin, it wakes up for everything else only.
void FanOut::wait(int stop_fd) {
  const auto now = Clock::now();
  std::vector<pollfd> fds;
  if (!ending_since_ && !stopped_since_) {
    fds.push_back({stop_fd, POLLIN, 0});
    if (now >= next_read_) fds.push_back({STDIN_FILENO, POLLIN, 0});
  }
  const auto watch = [&fds](const GroupPublisher& publisher) {
    if (publisher.full_socket() >= 0) fds.push_back({publisher.full_socket(), POLLOUT, 0});
    if (publisher.process() >= 0) fds.push_back({publisher.process(), POLLIN, 0});
  };
  for (const auto& [group, publisher] : publishers_) {
    watch(publisher);
  }
  std::for_each(leaving_.begin(), leaving_.end(), watch);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_deadline(now) - now).count();
  (void)::poll(fds.data(), fds.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
}

ExitCode FanOut::finish() {
  for (auto& [group, publisher] : publishers_) {
    if (!publisher.is_over()) {
      const auto waiting = publisher.waiting();
      tools::report(
          program,
          group + ": its publisher did not end in time; " + std::to_string(waiting) +
              " lines were not handed over to it");
      publisher.kill();
      has_lost_ = true;
    }
    has_lost_ = has_lost_ || publisher.exit_code() != 0 || publisher.dropped() > 0;
  }
  if (refused_packets_ > 0) {
    tools::report(program, std::to_string(refused_packets_) + " packets on stdin were no lines");
  }
  tell_lost();
  return has_lost_ ? ExitCode::failed : ExitCode::done;
}

}  // namespace ringcast::ringlog
