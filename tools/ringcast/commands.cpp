// SPDX-License-Identifier: Apache-2.0
//
// What all commands share: options, checks of arguments, error reports.
#include "tools/ringcast/commands.hpp"

#include <algorithm>
#include <utility>

#include "ringcast/names.hpp"
#include "ringcast/service.hpp"

#include "tools/common/destinations.hpp"
#include "tools/common/durations.hpp"

namespace ringcast::tools {
namespace {

template <class T>
std::string message_of(const Result<T>& result) {
  return result.ok() ? std::string{} : result.error().message;
}

}  // namespace

ClientOptions client_options(const GlobalOptions& globals) {
  ClientOptions options;
  options.socket = globals.socket;
  options.server = globals.server;
  options.name = globals.name;
  unshield(options.socket);
  unshield(options.server);
  return options;
}

ExitCode fail(const Error& error) {
  report(program, error.message);
  return exit_code_of(error);
}

MaybeDeadline deadline_after(const std::string& duration) {
  if (duration.empty()) return std::nullopt;
  return Client::Clock::now() + parse_duration(duration).value();
}

std::chrono::milliseconds time_left(Client::Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Client::Clock::now());
  return std::max(left, std::chrono::milliseconds{1});
}

ExitCode with_client(
    ClientOptions options,
    const MaybeDeadline& deadline,
    const std::function<ExitCode(Client&)>& command) {
  const bool is_limit = deadline && time_left(*deadline) < options.connect_timeout;
  if (is_limit) options.connect_timeout = time_left(*deadline);
  auto client = Client::connect(std::move(options));
  if (client) return command(*client);
  report(program, client.error().message);
  return is_limit ? exit_code_of(client.error()) : exit_code_of_connect(client.error());
}

Result<void> join_all(Client& client, const std::vector<std::string>& groups) {
  for (const auto& group : groups) {
    auto joined = client.join(group);
    if (!joined && joined.error().code != Errc::already_member) return joined;
  }
  return {};
}

// The shield is one more character at the end, after which no ] is the last one.
std::vector<std::string> shielded(std::span<char* const> arguments) {
  std::vector<std::string> all;
  bool may_be_option = true;
  for (const char* const text : arguments) {
    std::string_view value = text;
    if (may_be_option && value.starts_with("--")) {
      may_be_option = value.size() > 2;
      value.remove_prefix(std::min(value.find('='), value.size() - 1) + 1);  // of --option=value
    }
    const bool is_list = value.starts_with('[');
    all.push_back(std::string(text) + (is_list ? "." : ""));
  }
  std::reverse(all.begin(), all.end());
  return all;
}

void unshield(std::string& value) {
  if (value.starts_with('[')) value.pop_back();
}

std::string check_duration_text(const std::string& text) {
  return message_of(parse_duration(text));
}

std::string check_interval_text(const std::string& text) {
  const auto interval = parse_duration(text);
  if (interval && interval->count() == 0) return "the interval is zero: use 1ms or more";
  return message_of(interval);
}

std::string check_service_text(const std::string& text) {
  if (parse_service(text)) return {};
  return "\"" + text + "\" is not a service: use reliable, fifo, causal, agreed or safe";
}

std::string check_group_text(const std::string& text) { return message_of(check_group(text)); }

std::string check_destinations_text(const std::string& text) {
  return message_of(parse_destinations(text));
}

std::string check_word_text(const std::string& text) {
  if (is_valid_word(text)) return {};
  return "\"" + text + "\" is not a name: use 1 to 64 letters, digits and the characters _ . : -";
}

}  // namespace ringcast::tools
