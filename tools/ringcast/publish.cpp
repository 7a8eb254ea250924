// SPDX-License-Identifier: Apache-2.0
//
// ringcast publish: messages from the arguments, from stdin as a whole, or line by line with
// many in flight. Ends well only when every message was confirmed.
#include <cerrno>
#include <cstring>
#include <memory>
#include <unistd.h>
#include <utility>
#include <variant>
#include <vector>

#include "tools/common/destinations.hpp"
#include "tools/common/json_events.hpp"
#include "tools/common/line_reader.hpp"
#include "tools/common/output.hpp"
#include "tools/common/utf8.hpp"
#include "tools/common/waiting.hpp"
#include "tools/ringcast/commands.hpp"
#include "tools/ringcast/sender.hpp"

namespace ringcast::tools {
namespace {

constexpr std::size_t coalesced_lines_bytes = std::size_t{64} << 10U;

struct PublishOptions {
  std::string groups;
  std::vector<std::string> messages;
  std::string service{"agreed"};
  std::string timeout;
  std::int32_t type{0};
  bool lines{false};
  bool no_echo{false};
};

Error too_large(std::uint64_t bytes, bool at_least, std::size_t limit) {
  return {
      Errc::too_large,
      std::string("the message is ") + (at_least ? "more than " : "") + std::to_string(bytes) +
          " bytes long and the limit is " + std::to_string(limit) +
          " bytes: send it in parts, or raise message_bytes_max of the daemons"};
}

class Publisher {
 public:
  Publisher(Client& client, const PublishOptions& options, const MaybeDeadline& deadline, bool json)
      : client_(client),
        json_(json),
        deadline_(deadline),
        sender_(client, [this](const Event& event) { print(event); }) {
    // Both were checked when the arguments were read.
    publication_.groups = parse_destinations(options.groups).value();
    publication_.service = parse_service(options.service).value_or(Service::agreed);
    publication_.type = options.type;
    publication_.echo = !options.no_echo;
  }

  Result<void> send_all(const std::vector<std::string>& messages) {
    for (const auto& message : messages) {
      const auto limit = client_.message_bytes_max();
      if (message.size() > limit) return too_large(message.size(), false, limit);
    }
    for (const auto& message : messages) {
      if (auto sent = send(message); !sent) return sent;
    }
    return {};
  }

  Result<void> send_lines() {
    LineReader reader(STDIN_FILENO, client_.message_bytes_max());
    while (!reader.at_end()) {
      auto line = reader.next();
      if (!line) return line.error();
      if (line->has_value()) {
        if (auto sent = send(**line); !sent) return sent;
      } else if (auto ready = wait_for_input(); !ready) {
        return ready;
      } else if (auto more = reader.fill(); !more) {
        return more;
      }
    }
    return {};
  }

  Result<void> send_stdin() {
    auto message = read_stdin();
    return message ? send(*message) : message.error();
  }

  // What was sent is waited for also when something later could not be sent.
  ExitCode finish(const Result<void>& sent) {
    auto finished = sender_.finish(deadline_);
    const ExitCode output = output_.finish();
    if (sender_.transitional() > 0) {
      report(
          program,
          std::to_string(sender_.transitional()) + " of " + std::to_string(sender_.confirmed()) +
              " messages were ordered while the ring changed: they reached the daemons that stayed "
              "together");
    }
    if (!sent) return failed(sent.error());
    if (!finished) return failed(finished.error());
    if (sender_.refused() > 0) return ExitCode::failed;
    (void)client_.close(Client::Clock::now() + goodbye_time_max);
    return output;
  }

 private:
  Result<void> send(std::string_view payload) {
    publication_.payload = as_bytes(payload);
    return sender_.send(publication_, deadline_);
  }

  // Standard input to its end. What is over the limit is counted, up to a point, not kept.
  Result<std::string> read_stdin() {
    constexpr std::size_t block_bytes = std::size_t{256} << 10U;
    constexpr std::uint64_t counted_max = std::uint64_t{1} << 30U;
    const std::size_t limit = client_.message_bytes_max();
    std::string text;
    std::string block(block_bytes, '\0');
    std::uint64_t total = 0;
    while (total <= counted_max) {
      if (auto ready = wait_for_input(); !ready) return ready.error();
      const ssize_t count = read(STDIN_FILENO, block.data(), block.size());
      if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (count < 0) {
        return Error{Errc::io, std::string("cannot read the message: ") + std::strerror(errno)};
      }
      if (count == 0) break;
      total += static_cast<std::uint64_t>(count);
      if (total <= limit) text.append(block, 0, static_cast<std::size_t>(count));
    }
    if (total > limit) return too_large(total, total > counted_max, limit);
    return text;
  }

  Result<void> wait_for_input() {
    for (;;) {
      if (auto drained = sender_.drain(); !drained) return drained;
      output_.flush();
      const Woken woken = wait(client_, {.deadline = deadline_, .input_fd = STDIN_FILENO});
      if (woken.deadline) return Error{Errc::timed_out, "timed out while waiting for stdin"};
      if (woken.input) return {};
    }
  }

  void print(const Event& event) {
    if (const auto* refused = std::get_if<Refused>(&event)) {
      report(program, "the daemon refused a message: " + refused->error.message);
    }
    const bool wanted =
        std::holds_alternative<Confirmation>(event) || std::holds_alternative<Refused>(event);
    if (!json_ || !wanted) return;
    append_json(output_.buffer(), event);
    output_.settle();
  }

  ExitCode failed(const Error& error) {
    const ExitCode code = fail(error);
    if (sender_.sent() == 0) return code == ExitCode::usage ? ExitCode::failed : code;
    std::string story = std::to_string(sender_.sent()) + " messages were handed to the daemon, " +
                        std::to_string(sender_.confirmed()) + " of them confirmed";
    if (sender_.in_flight() > 0) story += "; each of the others was ordered once or not at all";
    report(program, story);
    return code == ExitCode::usage ? ExitCode::failed : code;
  }

  Client& client_;
  bool json_;
  MaybeDeadline deadline_;
  Output output_{program, STDOUT_FILENO};
  Sender sender_;
  Publication publication_{};
};

ExitCode run(const GlobalOptions& globals, const PublishOptions& options) {
  const auto deadline = deadline_after(options.timeout);
  auto client_settings = client_options(globals);
  // wait_for_input() and finish() receive first, so no line waits for the next.
  if (options.lines) client_settings.coalesce_bytes = coalesced_lines_bytes;
  return with_client(std::move(client_settings), deadline, [&](Client& client) {
    Publisher publisher(client, options, deadline, globals.json);
    if (options.lines) return publisher.finish(publisher.send_lines());
    if (options.messages.empty()) return publisher.finish(publisher.send_stdin());
    return publisher.finish(publisher.send_all(options.messages));
  });
}

}  // namespace

void add_publish(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<PublishOptions>();
  auto* const command = app.add_subcommand("publish", "send messages to groups");
  command->add_option("GROUP", options->groups, "GROUP[,GROUP...], or a member's #name#daemon")
      ->required()
      ->check(check_destinations_text);
  auto* const messages = command->add_option(
      "MESSAGE", options->messages, "each is one message; without any, stdin is one message");
  command->add_option("--service", options->service, "reliable, fifo, causal, agreed or safe")
      ->capture_default_str()
      ->check(check_service_text);
  command->add_flag("--lines", options->lines, "each line of stdin is one message")
      ->excludes(messages);
  command->add_option("--type", options->type, "a number that receivers see")
      ->capture_default_str();
  command->add_flag("--no-echo", options->no_echo, "do not deliver back to this session");
  command->add_option("--timeout", options->timeout, "give up after this time, like 10s")
      ->check(check_duration_text);
  command->footer(
      "Exits 0 only when all messages are confirmed. Where one starts with -, put -- before all.\n"
      "Examples:\n"
      "  ringcast publish weblogs \"hello everybody\"\n"
      "  tail -F access.log | ringcast publish weblogs --lines --service safe");
  command->callback([&invocation, options, messages] {
    // The raw results: a conversion would take the message "{}" for an empty list.
    options->messages = messages->results();
    for (auto& message : options->messages) {
      unshield(message);
    }
    invocation.run = [&invocation, options] { return run(invocation.globals, *options); };
  });
}

}  // namespace ringcast::tools
