// SPDX-License-Identifier: Apache-2.0
//
// ringcast_switch: an Ethernet switch in user space, for kernels without netem. It gives each
// named network namespace a TAP device `eth0` and carries frames between them, learning who is
// where; each directed link can delay, jitter, reorder, double, corrupt and lose what it carries.
//
//   ringcast_switch --seed S NAMESPACE...      namespaces are names below /run/netns
//
// Commands are lines on stdin, each answered by one line, `ok ...` or `error ...`:
//   set FROM TO KNOB=VALUE...   sets the link anew; FROM, TO: a namespace or *; no knob: clear
//   counts                      what the links did so far, all together
// It ends with its stdin.
#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sstream>
#include <string>
#include <sys/ioctl.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "campaign/knobs.hpp"

namespace ringcast::campaign {
namespace {

using Clock = std::chrono::steady_clock;
using Address = std::array<std::byte, 6>;

constexpr std::size_t frame_bytes_max = 9216;
constexpr std::size_t frames_waiting_max = 50000;
constexpr int batch = 64;  // frames read of one port before the next has its turn

struct Port {
  std::string name;
  int fd{-1};
};

int failed(const std::string& what) {
  std::fprintf(stderr, "ringcast_switch: %s: %s\n", what.c_str(), std::strerror(errno));
  return 1;
}

/// A TAP device eth0 in that namespace; -1 with errno set.
int open_tap(const std::string& name) {
  const int space = open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC);
  if (space < 0) return -1;
  const int entered = setns(space, CLONE_NEWNET);
  close(space);
  if (entered != 0) return -1;
  const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -1;
  ifreq request{};
  std::strncpy(request.ifr_name, "eth0", IFNAMSIZ - 1);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (ioctl(fd, TUNSETIFF, &request) != 0) return -1;
  return fd;
}

class Switch {
 public:
  Switch(std::vector<Port> ports, std::uint64_t seed) : ports_(std::move(ports)) {
    sim::Random random{seed};
    links_.reserve(ports_.size() * ports_.size());
    for (std::size_t i = 0; i < ports_.size() * ports_.size(); ++i) {
      links_.emplace_back(random.next());
    }
  }

  void run() {
    std::vector<pollfd> entries;
    for (const Port& port : ports_) {
      entries.push_back({.fd = port.fd, .events = POLLIN, .revents = 0});
    }
    entries.push_back({.fd = STDIN_FILENO, .events = POLLIN, .revents = 0});
    while (true) {
      const timespec timeout = until_next();
      const bool waits = !waiting_.empty();
      if (ppoll(entries.data(), entries.size(), waits ? &timeout : nullptr, nullptr) < 0) {
        if (errno != EINTR) return;
        continue;
      }
      send_due();
      for (std::size_t i = 0; i < ports_.size(); ++i) {
        if (entries[i].revents != 0) take(i);
      }
      if (entries.back().revents != 0 && !take_commands()) return;
    }
  }

 private:
  struct Waiting {
    std::size_t to{0};
    Frame frame;
  };

  timespec until_next() const {
    if (waiting_.empty()) return {};
    const auto left = std::max(
        std::chrono::nanoseconds{0},
        std::chrono::nanoseconds{waiting_.begin()->first.first - Clock::now()});
    constexpr long billion = 1'000'000'000;
    return {.tv_sec = left.count() / billion, .tv_nsec = left.count() % billion};
  }

  void send(std::size_t to, const Frame& frame) {
    // A host that is down or does not keep up loses frames, as behind any switch.
    (void)!write(ports_[to].fd, frame.data(), frame.size());
  }

  void send_due() {
    const auto now = Clock::now();
    while (!waiting_.empty() && waiting_.begin()->first.first <= now) {
      send(waiting_.begin()->second.to, waiting_.begin()->second.frame);
      waiting_.erase(waiting_.begin());
    }
  }

  void take(std::size_t from) {
    std::array<std::byte, frame_bytes_max> bytes{};
    for (int i = 0; i < batch; ++i) {
      const ssize_t got = read(ports_[from].fd, bytes.data(), bytes.size());
      if (got < 14) return;
      forward(from, Frame(bytes.begin(), bytes.begin() + got));
    }
  }

  void forward(std::size_t from, const Frame& frame) {
    Address target{};
    Address source{};
    std::copy_n(frame.begin(), target.size(), target.begin());
    std::copy_n(frame.begin() + 6, source.size(), source.begin());
    const bool to_many = (target[0] & std::byte{1}) != std::byte{0};
    places_[source] = from;
    const auto known = places_.find(target);
    for (std::size_t to = 0; to < ports_.size(); ++to) {
      if (to == from) continue;
      if (!to_many && known != places_.end() && known->second != to) continue;
      carry(from, to, frame);
    }
  }

  void carry(std::size_t from, std::size_t to, Frame frame) {
    const auto copies = links_[from * ports_.size() + to].decide(frame);
    for (const std::chrono::microseconds wait : copies) {
      if (wait.count() == 0) {
        send(to, frame);
      } else if (waiting_.size() < frames_waiting_max) {
        waiting_.emplace(
            std::pair{Clock::now() + wait, ++number_}, Waiting{.to = to, .frame = frame});
      }
    }
  }

  /// False at the end of the input.
  bool take_commands() {
    std::array<char, 4096> bytes{};
    const ssize_t got = read(STDIN_FILENO, bytes.data(), bytes.size());
    if (got <= 0) return false;
    input_.append(bytes.data(), static_cast<std::size_t>(got));
    for (std::size_t end = input_.find('\n'); end != std::string::npos; end = input_.find('\n')) {
      const std::string answer = obey(input_.substr(0, end));
      input_.erase(0, end + 1);
      std::printf("%s\n", answer.c_str());
    }
    std::fflush(stdout);
    return true;
  }

  std::string obey(const std::string& line) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    if (command == "counts") return counts();
    std::string from;
    std::string to;
    if (command != "set" || !(words >> from >> to)) return "error: no command: " + line;
    Knobs knobs;
    for (std::string assignment; words >> assignment;) {
      if (!turn(knobs, assignment)) return "error: no knob: " + assignment;
    }
    std::size_t set = 0;
    for (std::size_t i = 0; i < ports_.size(); ++i) {
      for (std::size_t j = 0; j < ports_.size(); ++j) {
        const bool fits = (from == "*" || from == ports_[i].name) &&
                          (to == "*" || to == ports_[j].name) && i != j;
        if (!fits) continue;
        links_[i * ports_.size() + j].knobs = knobs;
        ++set;
      }
    }
    return set == 0 ? "error: no such link" : "ok " + std::to_string(set);
  }

  std::string counts() const {
    LinkCounts all;
    for (const Link& link : links_) {
      all.passed += link.counts.passed;
      all.lost += link.counts.lost;
      all.duplicated += link.counts.duplicated;
      all.corrupted += link.counts.corrupted;
      all.overtook += link.counts.overtook;
    }
    return "ok passed=" + std::to_string(all.passed) + " lost=" + std::to_string(all.lost) +
           " duplicated=" + std::to_string(all.duplicated) +
           " corrupted=" + std::to_string(all.corrupted) +
           " overtook=" + std::to_string(all.overtook);
  }

  std::vector<Port> ports_;
  std::vector<Link> links_;  ///< from * ports + to
  std::map<Address, std::size_t> places_;
  std::map<std::pair<Clock::time_point, std::uint64_t>, Waiting> waiting_;
  std::uint64_t number_{0};
  std::string input_;
};

int run(int argc, char** argv) {
  CLI::App app{"An Ethernet switch whose links delay, lose, double and change frames"};
  std::uint64_t seed = 1;
  std::vector<std::string> names;
  app.add_option("--seed", seed, "of all random decisions");
  app.add_option("NAMESPACE", names, "each gets a TAP device eth0")->required();
  CLI11_PARSE(app, argc, argv);
  std::vector<Port> ports;
  for (const std::string& name : names) {
    const int fd = open_tap(name);
    if (fd < 0) return failed("no TAP device in " + name);
    ports.push_back({.name = name, .fd = fd});
  }
  std::printf("ready\n");
  std::fflush(stdout);
  Switch{std::move(ports), seed}.run();
  return 0;
}

}  // namespace
}  // namespace ringcast::campaign

int main(int argc, char** argv) { return ringcast::campaign::run(argc, argv); }
