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
    : options_(std::move(options)), program_(std::move(program)), pause_(pause_min) {
  options_.reconnect = false;
  options_.connect_timeout = attempt_time;
}

bool Link::try_connect(Clock::time_point now) {
  if (client_ || fatal_ || now < next_attempt_) return false;
  std::chrono::milliseconds patience{0};
  if (!attempt_.valid()) {
    // Without a policy: where no thread can be had, the attempt is made in get().
    attempt_ = std::async([options = options_] { return Client::connect(options); });
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
    return true;
  }
  const auto& error = client.error();
  last_error_ = error.message;
  if (error.code == Errc::invalid_argument || error.code == Errc::unsupported_version) {
    fatal_ = error;
    return false;
  }
  if (!told_) tools::report(program_, error.message + "; trying again until it answers");
  told_ = true;
  pause_before_next(Clock::now());
  return false;
}

void Link::pause_before_next(Clock::time_point now) {
  next_attempt_ = now + pause_;
  pause_ = std::min(2 * pause_, pause_max);
}

void Link::drop(const std::string& reason) {
  client_.reset();
  last_error_ = reason;
  const auto now = Clock::now();
  if (now - connected_at_ >= lasting) pause_ = pause_min;
  pause_before_next(now);
  tools::report(program_, "session over: " + reason + "; connecting again");
}

}  // namespace ringcast::ringlog
