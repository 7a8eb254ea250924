// SPDX-License-Identifier: Apache-2.0
//
// What both ringlog programs take on their command lines: how to reach the daemon, and
// durations and sizes as people type them. Errors name the option and the remedy.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <string>

#include "ringcast/client.hpp"

namespace ringcast::ringlog {

/// --socket, --server, --as.
void add_client_options(CLI::App& app, ClientOptions& options);
/// An option of the form 100ms, 2s, 1m.
CLI::Option* add_duration(
    CLI::App& app,
    const std::string& name,
    std::chrono::milliseconds& value,
    const std::string& description);
/// An option of the form 65536, 64k, 8M, 1G; checked to be within [min, max].
struct SizeLimits {
  std::uint64_t min{0};
  std::uint64_t max{0};
};
CLI::Option* add_size(
    CLI::App& app,
    const std::string& name,
    std::uint64_t& value,
    SizeLimits limits,
    const std::string& description);

/// A group of log lines: short enough for its writers' group to have a name. Empty when it is.
std::string log_group(const std::string& text);

/// Prints what --help or --version ask for, or the error; 0 or 2.
int exit_code_of(const CLI::App& app, const CLI::ParseError& error);

}  // namespace ringcast::ringlog
