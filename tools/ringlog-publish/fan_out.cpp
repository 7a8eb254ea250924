// SPDX-License-Identifier: Apache-2.0
//
// From one pipe to a publisher for each group.
#include "tools/ringlog-publish/fan_out.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
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
constexpr std::size_t bytes_at_once = std::size_t{2} << 20U;  // then the publishers get theirs
constexpr std::chrono::minutes idle_for_long{5};
constexpr std::chrono::seconds patience{60};
constexpr std::chrono::seconds crowd_patience{1};
constexpr std::chrono::seconds rest_patience{1};  // of a packet, after a stop
constexpr std::chrono::milliseconds crowd_interval{5};

// Also a file with frames would do, but nobody has one.
bool is_pipe(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

}  // namespace

FanOut::FanOut(FanOutOptions options) : options_(std::move(options)), frames_(packet_bytes_max) {}

ExitCode FanOut::run(int stop_fd) {
  if (!is_pipe(STDIN_FILENO)) {
    tools::report(
        program,
        "fan-out reads frames from a pipe, as mod_log_ringcast makes it; stdin is none. For lines "
        "of one group use --group, without fan-out");
    return ExitCode::usage;
  }
  (void)::fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  // Writers wait while a read() copies: it is not to meet a page that was swapped out.
  const auto room = frames_.room();
  (void)::mlock(room.data(), room.size());
  for (;;) {
    if (!ending_since_ && Clock::now() >= next_read_) read();
    end_when_stopped();
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

void FanOut::read() {
  if (!stopped_since_ && is_held_up(Clock::now())) {
    next_read_ = Clock::now() + crowd_interval;
    return;
  }
  bytes_read_ = 0;
  bool has_more = true;
  while (has_more && bytes_read_ < bytes_at_once) {
    has_more = read_once();
  }
  // Where nothing came, the next packet is to wake us.
  const bool rests = !has_more && bytes_read_ > 0 && !stopped_since_;
  next_read_ = rests ? Clock::now() + options_.linger : Clock::now();
}

// Whether there may be more.
bool FanOut::read_once() {
  const auto room = frames_.room();
  const auto got = ::read(STDIN_FILENO, room.data(), room.size());
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return false;
    tools::report(program, system_error("stdin", "cannot read", errno).message);
    has_lost_ = true;
  }
  if (got <= 0) {
    begin_end();
    return false;
  }
  const auto bytes = static_cast<std::size_t>(got);
  bytes_read_ += bytes;
  frames_.added(bytes);
  take_packets(Clock::now());
  return bytes == room.size();
}

void FanOut::take_packets(Clock::time_point now) {
  while (const auto packet = frames_.next()) {
    take(*packet, now);
  }
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

// Not in the middle of a long packet: who reads next could do nothing with the rest.
void FanOut::end_when_stopped() {
  if (!stopped_since_ || ending_since_) return;
  if (!frames_.is_within_packet() || Clock::now() - *stopped_since_ >= rest_patience) begin_end();
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
  if (stopped_since_) deadline = std::min(deadline, *stopped_since_ + rest_patience);
  return now < next_read_ ? std::min(deadline, next_read_) : deadline;
}

// While it rests after a look at stdin, it wakes up for everything else only.
void FanOut::wait(int stop_fd) {
  const auto now = Clock::now();
  const bool awaits_stop = !ending_since_ && !stopped_since_;
  std::vector<pollfd> fds = {{awaits_stop ? stop_fd : -1, POLLIN, 0}};
  if (!ending_since_ && now >= next_read_) fds.push_back({STDIN_FILENO, POLLIN, 0});
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
  if ((fds.front().revents & POLLIN) != 0) stopped_since_ = Clock::now();
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
  if (frames_.lost() > 0) {
    tools::report(
        program, std::to_string(frames_.lost()) + " packets on stdin came in part and are lost");
    has_lost_ = true;
  }
  return has_lost_ ? ExitCode::failed : ExitCode::done;
}

}  // namespace ringcast::ringlog
