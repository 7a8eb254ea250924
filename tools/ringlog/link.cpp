// SPDX-License-Identifier: Apache-2.0
//
// Link: connect, back off, report once per outage.
#include "tools/ringlog/link.hpp"

#include <algorithm>
#include <utility>

#include "tools/common/exit_codes.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::chrono::milliseconds pause_min{50};
constexpr std::chrono::milliseconds pause_max{1000};
constexpr std::chrono::milliseconds slice_min{100};
constexpr std::chrono::milliseconds slice_max{2000};

}  // namespace

Link::Link(ClientOptions options, std::string program)
    : options_(std::move(options)),
      program_(std::move(program)),
      pause_(pause_min),
      slice_(slice_min) {
  options_.reconnect = false;
}

bool Link::try_connect(Clock::time_point now) {
  if (client_ || fatal_ || now < next_attempt_) return false;
  options_.connect_timeout = slice_;
  auto client = Client::connect(options_);
  if (client) {
    client_.emplace(std::move(client).value());
    tools::report(program_, "connected as " + to_string(client_->name()));
    pause_ = pause_min;
    slice_ = slice_min;
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
  next_attempt_ = Clock::now() + pause_;
  pause_ = std::min(2 * pause_, pause_max);
  slice_ = std::min(2 * slice_, slice_max);
  return false;
}

void Link::drop(const std::string& reason) {
  client_.reset();
  last_error_ = reason;
  next_attempt_ = Clock::now() + pause_;
  tools::report(program_, "session over: " + reason + "; connecting again");
}

}  // namespace ringcast::ringlog
