// SPDX-License-Identifier: Apache-2.0
//
// Running: a whole ringlog program in a thread of its own, and the pipe that stops it.
#pragma once

#include <array>
#include <fcntl.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <catch2/catch.hpp>

#include "tools/common/exit_codes.hpp"

namespace ringcast::ringlog {

/// Program: made from Options, with run(stop_fd).
template <class Program, class Options>
class Running {
 public:
  explicit Running(Options options) : program_(std::move(options)) {
    REQUIRE(pipe2(stop_.data(), O_CLOEXEC) == 0);
    thread_ = std::thread([this] { code_ = program_.run(stop_[0]); });
  }
  ~Running() {
    if (thread_.joinable()) (void)end();
    (void)close(stop_[0]);
    (void)close(stop_[1]);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  Running(Running&&) = delete;
  Running& operator=(Running&&) = delete;

  void stop() { REQUIRE(write(stop_[1], "", 1) == 1); }
  tools::ExitCode wait() {
    thread_.join();
    return code_;
  }
  tools::ExitCode end() {
    stop();
    return wait();
  }

 private:
  Program program_;
  std::array<int, 2> stop_{-1, -1};
  std::thread thread_;
  tools::ExitCode code_{tools::ExitCode::failed};
};

}  // namespace ringcast::ringlog
