// SPDX-License-Identifier: Apache-2.0
#include "client/crowd.hpp"

#include <algorithm>
#include <numeric>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace ringcast::bench {

class Crowd::Session final : public Sink {
 public:
  explicit Session(std::size_t group) : group_(group) {}

  void on_message(std::span<const std::byte> /*message*/) override {}
  // Views of others' coming and going look the same: only the first one answers our join.
  void on_members(std::size_t /*count*/) override { answer(Wish::join); }
  void on_left() override { answer(Wish::leave); }

  Result<void> open(const Open& open) {
    auto adapter = open(name(), *this);
    if (!adapter.ok()) return adapter.error();
    adapter_ = std::move(adapter).value();
    return {};
  }

  Result<void> receive() {
    Result<bool> more = true;
    while (more.ok() && *more) {
      more = adapter_->receive();
    }
    if (!more.ok()) return more.error();
    return {};
  }

  /// Asks for the next change once the last one has taken effect.
  Result<void> go_on(std::size_t step, std::size_t groups) {
    if (wish_ != Wish::none) return {};
    wish_ = is_in_ ? Wish::leave : Wish::join;
    if (is_in_) return adapter_->leave(name());
    group_ = (group_ + step) % groups;
    return adapter_->join(name());
  }

  [[nodiscard]] bool is_in() const { return is_in_; }
  [[nodiscard]] std::uint64_t changes() const { return changes_; }
  [[nodiscard]] Adapter::Interest interest() const { return adapter_->interest(); }

 private:
  enum class Wish { none, join, leave };

  [[nodiscard]] std::string name() const { return "crowd-" + std::to_string(group_); }

  void answer(Wish wish) {
    if (wish_ != wish) return;
    wish_ = Wish::none;
    is_in_ = wish == Wish::join;
    ++changes_;
  }

  std::size_t group_;
  std::unique_ptr<Adapter> adapter_;
  Wish wish_{Wish::join};
  bool is_in_{false};
  std::uint64_t changes_{0};
};

Crowd::Crowd(std::size_t sessions, std::size_t groups) : sessions_(sessions), groups_(groups) {}

Crowd::~Crowd() = default;

Result<void> Crowd::open(const Open& open) {
  for (std::size_t number = 0; number < sessions_; ++number) {
    members_.push_back(std::make_unique<Session>(number % groups_));
    if (auto opened = members_.back()->open(open); !opened.ok()) return opened;
  }
  while (joined() < members_.size()) {
    if (auto done = turn(-1, Clock::now() + std::chrono::seconds(1)); !done.ok()) return done;
  }
  return {};
}

Result<void> Crowd::rest(int commands) {
  pollfd ended{commands, POLLIN, 0};
  char byte{0};
  while (::poll(&ended, 1, 0) <= 0 || ::read(commands, &byte, 1) > 0) {
    auto done = turn(commands, Clock::now() + std::chrono::seconds(1));
    if (!done.ok()) return done;
  }
  return {};
}

Result<std::uint64_t> Crowd::churn(Clock::time_point end) {
  const auto before = changes();
  while (Clock::now() < end) {
    for (auto& member : members_) {
      if (auto asked = member->go_on(sessions_, groups_); !asked.ok()) return asked.error();
    }
    if (auto done = turn(-1, end); !done.ok()) return done.error();
  }
  return changes() - before;
}

/// Waits for any session and receives for those that have something.
Result<void> Crowd::turn(int commands, Clock::time_point deadline) {
  std::vector<pollfd> fds;
  auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline - Clock::now());
  for (const auto& member : members_) {
    const auto interest = member->interest();
    const auto events = static_cast<short>(interest.write ? POLLIN | POLLOUT : POLLIN);
    fds.push_back({interest.fd, events, 0});
    left = std::min(left, interest.retry);
  }
  fds.push_back({commands, POLLIN, 0});
  left = std::max(left, std::chrono::nanoseconds::zero());
  const timespec timeout{left / std::chrono::seconds(1), (left % std::chrono::seconds(1)).count()};
  ::ppoll(fds.data(), fds.size(), &timeout, nullptr);
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (fds[i].revents == 0 && left > std::chrono::nanoseconds::zero()) continue;
    if (auto received = members_[i]->receive(); !received.ok()) return received;
  }
  return {};
}

std::uint64_t Crowd::changes() const {
  return std::accumulate(
      members_.begin(),
      members_.end(),
      std::uint64_t{0},
      [](std::uint64_t sum, const std::unique_ptr<Session>& member) {
        return sum + member->changes();
      });
}

std::size_t Crowd::joined() const {
  return static_cast<std::size_t>(
      std::count_if(members_.begin(), members_.end(), [](const std::unique_ptr<Session>& member) {
        return member->is_in();
      }));
}

}  // namespace ringcast::bench
