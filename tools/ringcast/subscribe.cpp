// SPDX-License-Identifier: Apache-2.0
//
// ringcast subscribe: joins groups and prints what is delivered. Output is buffered and
// written whenever nothing more is waiting, so a fast group costs few system calls and a
// slow one is never late.
#include <memory>
#include <unistd.h>
#include <variant>
#include <vector>

#include "tools/common/stop_signal.hpp"
#include "tools/common/utf8.hpp"
#include "tools/common/waiting.hpp"
#include "tools/ringcast/commands.hpp"
#include "tools/ringcast/print.hpp"

namespace ringcast::tools {
namespace {

struct SubscribeOptions {
  std::vector<std::string> groups;
  std::uint64_t count{0};  ///< 0: no end
  std::string duration;
  bool views{false};
  bool raw{false};
};

class Subscriber {
 public:
  Subscriber(Client& client, const SubscribeOptions& options, bool json)
      : client_(client),
        options_(options),
        json_(json),
        deadline_(deadline_after(options.duration)) {}

  ExitCode run() {
    if (auto joined = join_all(client_, options_.groups); !joined) return fail(joined.error());
    while (!done_) {
      take_what_is_here();
      output_.flush();
      if (output_.is_over()) done_ = true;
      if (!done_) sleep();
    }
    // Printed first: saying goodbye may take a moment.
    const ExitCode printed = output_.finish();
    if (result_ == ExitCode::done) (void)client_.close(Client::Clock::now() + goodbye_time_max);
    return result_ == ExitCode::done ? printed : result_;
  }

 private:
  void take_what_is_here() {
    while (!done_) {
      auto event = client_.try_receive();
      if (!event) {
        result_ = fail(event.error());
        done_ = true;
      } else if (!event->has_value()) {
        return;
      } else {
        take(**event);
      }
      if (StopSignal::requested() || output_.reader_gone() || is_over()) done_ = true;
    }
  }

  [[nodiscard]] bool is_over() const { return deadline_ && Client::Clock::now() >= *deadline_; }

  void sleep() {
    const Woken woken =
        wait(client_, {.deadline = deadline_, .output_fd = output_.fd(), .stop_fd = stop_.fd()});
    if (woken.stop || woken.output_gone || woken.deadline) done_ = true;
  }

  void take(const Event& event) {
    if (const auto* message = std::get_if<Message>(&event)) {
      take_message(event, *message);
    } else if (const auto* closed = std::get_if<Closed>(&event)) {
      if (json_) append_json(output_.buffer(), *closed);
      report(program, "the daemon closed the session: " + closed->reason);
      result_ = ExitCode::failed;
      done_ = true;
    } else if (const auto* refused = std::get_if<Refused>(&event)) {
      if (json_) append_json(output_.buffer(), *refused);
      report(program, "refused: " + refused->error.message);
      result_ = ExitCode::failed;
      done_ = true;
    } else if (options_.views) {
      print(output_, json_, event);
    }
  }

  void take_message(const Event& event, const Message& message) {
    if (options_.raw) {
      output_.buffer() += as_text(message.payload);
      output_.settle();
    } else {
      print(output_, json_, event);
    }
    ++messages_;
    if (messages_ == options_.count) done_ = true;
  }

  Client& client_;
  const SubscribeOptions& options_;
  bool json_;
  MaybeDeadline deadline_;
  StopSignal stop_;
  Output output_{program, STDOUT_FILENO};
  std::uint64_t messages_{0};
  bool done_{false};
  ExitCode result_{ExitCode::done};
};

ExitCode run(const GlobalOptions& globals, const SubscribeOptions& options) {
  if (options.raw && globals.json) {
    return fail({Errc::invalid_argument, "--raw and --json exclude one another: leave one out"});
  }
  return with_client(client_options(globals), std::nullopt, [&](Client& client) {
    return Subscriber(client, options, globals.json).run();
  });
}

}  // namespace

void add_subscribe(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<SubscribeOptions>();
  auto* const command = app.add_subcommand("subscribe", "join groups and print their messages");
  command->add_option("GROUP", options->groups, "the groups to join")
      ->required()
      ->check(check_group_text);
  command->add_option("--count", options->count, "leave after this many messages")
      ->check(CLI::PositiveNumber);
  command->add_option("--for", options->duration, "leave after this time, like 500ms, 2s, 1m")
      ->check(check_duration_text);
  auto* const views =
      command->add_flag("--views", options->views, "print membership and ring changes too");
  command->add_flag("--raw", options->raw, "print the bytes of the messages and nothing else")
      ->excludes(views);
  command->footer(
      "Example:\n"
      "  ringcast --json subscribe weblogs --views --for 1m");
  command->callback([&invocation, options] {
    invocation.run = [&invocation, options] { return run(invocation.globals, *options); };
  });
}

}  // namespace ringcast::tools
