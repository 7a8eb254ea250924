// SPDX-License-Identifier: Apache-2.0
//
// The commands of `ringcast`, one file each. add_NAME() declares the command's arguments on
// the application; when the command was the one chosen, parsing leaves in Invocation what
// is to be run. Commands know the public API and tools/common, not one another.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ringcast/client.hpp"

#include "tools/common/exit_codes.hpp"

namespace ringcast::tools {

/// Who reports.
inline constexpr std::string_view program = "ringcast";

/// The options that stand before the command.
struct GlobalOptions {
  std::string socket;
  std::string server;
  std::string name;
  bool json{false};
};

struct Invocation {
  GlobalOptions globals;
  std::function<ExitCode()> run;
};

void add_publish(CLI::App& app, Invocation& invocation);
void add_subscribe(CLI::App& app, Invocation& invocation);
void add_join(CLI::App& app, Invocation& invocation);
void add_status(CLI::App& app, Invocation& invocation);
void add_members(CLI::App& app, Invocation& invocation);
void add_groups(CLI::App& app, Invocation& invocation);
void add_watch(CLI::App& app, Invocation& invocation);

/// Client options from the global ones.
ClientOptions client_options(const GlobalOptions& globals);
/// Prints the error to stderr and gives the exit code that fits.
ExitCode fail(const Error& error);

using MaybeDeadline = std::optional<Client::Deadline>;
/// That long from now; nothing for an empty text. REQUIRES: else check_duration_text() took it.
MaybeDeadline deadline_after(const std::string& duration);
/// How long until then, at least 1 ms.
std::chrono::milliseconds time_left(Client::Deadline deadline);

/// Connects, by the deadline if there is one, and runs the rest of the command. No answer in time
/// means: cannot reach the daemon, or timed out when the deadline was the limit.
ExitCode with_client(
    ClientOptions options,
    const MaybeDeadline& deadline,
    const std::function<ExitCode(Client&)>& command);

/// Asks to join all these; one joined before is no error.
Result<void> join_all(Client& client, const std::vector<std::string>& groups);

/// CLI11 takes a value "[a,b]" for a list and splits it. In shielded arguments, given in the
/// order in which CLI11 wants them (the last one first), it finds none.
std::vector<std::string> shielded(std::span<char* const> arguments);
/// The value as it was typed; to be called on every value that may start with a bracket.
void unshield(std::string& value);

/// The longest a one-shot question to the daemon may take.
inline constexpr std::chrono::seconds answer_time_max{5};
/// The longest a goodbye may take.
inline constexpr std::chrono::seconds goodbye_time_max{2};

/// Checks for CLI11: empty when fine, else what is wrong and the remedy.
std::string check_duration_text(const std::string& text);
/// A duration that is not zero: between things that are done again and again.
std::string check_interval_text(const std::string& text);
std::string check_service_text(const std::string& text);
std::string check_group_text(const std::string& text);
/// GROUP[,GROUP...] as publish takes it: groups and private groups.
std::string check_destinations_text(const std::string& text);
std::string check_word_text(const std::string& text);

}  // namespace ringcast::tools
