// SPDX-License-Identifier: Apache-2.0
//
// Command-line options shared by the ringlog programs.
#include "tools/ringlog/options.hpp"

#include <charconv>
#include <optional>
#include <string_view>

#include "ringcast/names.hpp"

#include "tools/common/durations.hpp"
#include "tools/common/exit_codes.hpp"
#include "tools/ringlog/table_message.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::size_t sixty_four = 64;

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t value = 0;
  const auto* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc{}) return std::nullopt;
  const std::string_view unit(result.ptr, static_cast<std::size_t>(end - result.ptr));
  unsigned shift = 0;
  if (unit == "k" || unit == "K") {
    shift = 10;
  } else if (unit == "M") {
    shift = 20;
  } else if (unit == "G") {
    shift = 30;
  } else if (!unit.empty()) {
    return std::nullopt;
  }
  if (value > (std::uint64_t{1} << (sixty_four - 1 - shift))) return std::nullopt;
  return value << shift;
}

}  // namespace

void add_client_options(CLI::App& app, ClientOptions& options) {
  auto* const socket = app.add_option(
      "--socket", options.socket, "The daemon's unix socket (RINGCAST_SOCKET, else the default)");
  app.add_option("--server", options.server, "HOST:PORT of a daemon's TCP listener")
      ->excludes(socket);
  app.add_option("--as", options.name, "Name on the daemon; else a generated one")
      ->check([](const std::string& text) {
        return is_valid_word(text)
                   ? std::string()
                   : "\"" + text + "\" must be 1 to 64 letters, digits, '_', '.', ':' or '-'";
      });
}

CLI::Option* add_duration(
    CLI::App& app,
    const std::string& name,
    std::chrono::milliseconds& value,
    const std::string& description) {
  const auto take = [&value](const std::string& text) {
    const auto parsed = tools::parse_duration(text);
    if (!parsed) throw CLI::ValidationError(parsed.error().message);  // CLI11's way of refusing
    value = *parsed;
  };
  return app.add_option_function<std::string>(name, take, description)->type_name("DURATION");
}

CLI::Option* add_size(
    CLI::App& app,
    const std::string& name,
    std::uint64_t& value,
    SizeLimits limits,
    const std::string& description) {
  const auto take = [&value, limits, name](const std::string& text) {
    const auto parsed = parse_size(text);
    if (!parsed || *parsed < limits.min || *parsed > limits.max) {
      throw CLI::ValidationError(
          name + ": \"" + text + "\" must be a size from " + std::to_string(limits.min) + " to " +
          std::to_string(limits.max) + " bytes, such as 65536, 64k, 8M or 1G");
    }
    value = *parsed;
  };
  return app.add_option_function<std::string>(name, take, description)->type_name("SIZE");
}

std::string log_group(const std::string& text) {
  if (is_valid_word(text) && is_valid_word(writers_group(text))) return {};
  return "\"" + text + "\" must be 1 to " +
         std::to_string(name_bytes_max - writers_group("").size()) +
         " letters, digits, '_', '.', ':' or '-'";
}

int exit_code_of(const CLI::App& app, const CLI::ParseError& error) {
  const int code = app.exit(error);
  return code == 0 ? 0 : static_cast<int>(tools::ExitCode::usage);
}

}  // namespace ringcast::ringlog
