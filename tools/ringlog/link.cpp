// SPDX-License-Identifier: Apache-2.0
//
// Link: connect in a thread of its own, back off, report once per outage.
#include "tools/ringlog/link.hpp"

#include <algorithm>
#include <utility>

#include "tools/common/exit_codes.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::chrono::milliseconds pause_min{50};
constexpr std::chrono::milliseconds pause_max{1000};
// How long one attempt waits for an answer, and with it the end of a program at most, beside
// the resolution of a name.
constexpr std::chrono::milliseconds attempt_time{2000};
constexpr std::chrono::milliseconds answers_within{5};  // a daemon that is there and has time
constexpr std::chrono::milliseconds look_interval{10};
constexpr std::chrono::seconds lasting{5};  // a session that is worth another at once

}  // namespace

Link::Link(ClientOptions options, std::string program)
    : Link(std::vector<ClientOptions>{std::move(options)}, std::move(program)) {}

Link::Link(std::vector<ClientOptions> daemons, std::string program)
    : daemons_(std::move(daemons)), program_(std::move(program)), pause_(pause_min) {
  for (auto& options : daemons_) {
    options.reconnect = false;
    options.connect_timeout = attempt_time;
  }
}

bool Link::try_connect(Clock::time_point now) {
  if (client_ || fatal_ || now < next_attempt_) return false;
  std::chrono::milliseconds patience{0};
  if (!attempt_.valid()) {
    // Without a policy: where no thread can be had, the attempt is made in get().
    attempt_ = std::async([options = daemons_[present_]] { return Client::connect(options); });
    patience = answers_within;
  }
  if (attempt_.wait_for(patience) == std::future_status::timeout) {
    next_attempt_ = Clock::now() + look_interval;
    return false;
  }
  return take_up(attempt_.get());
}

bool Link::take_up(Result<Client> client) {
  if (client) {
    client_.emplace(std::move(client).value());
    tools::report(program_, "connected as " + to_string(client_->name()));
    connected_at_ = Clock::now();
    ever_connected_ = true;
    told_ = false;
    refusals_ = 0;
    return true;
  }
  const auto& error = client.error();
  last_error_ = error.message;
  const bool is_final =
      error.code == Errc::invalid_argument || error.code == Errc::unsupported_version;
  refusals_ = is_final ? refusals_ + 1 : 0;
  if (refusals_ == daemons_.size()) {
    fatal_ = error;
    return false;
  }
  turn_to_next();
  if (!told_) tools::report(program_, error.message + "; trying again until it answers");
  told_ = true;
  pause_before_next(Clock::now());
  return false;
}

void Link::turn_to_next() { present_ = (present_ + 1) % daemons_.size(); }

void Link::pause_before_next(Clock::time_point now) {
  next_attempt_ = now + pause_;
  pause_ = std::min(2 * pause_, pause_max);
}

void Link::drop(const std::string& reason) {
  client_.reset();
  last_error_ = reason;
  const auto now = Clock::now();
  if (now - connected_at_ >= lasting) pause_ = pause_min;
  turn_to_next();
  pause_before_next(now);
  tools::report(program_, "session over: " + reason + "; connecting again");
}

}  // namespace ringcast::ringlog
