// SPDX-License-Identifier: Apache-2.0
//
// ringcast watch: ring changes, changes of the daemon's state, and the views of the groups
// named. It stays when the daemon goes away and goes on when it is back.
#include <algorithm>
#include <memory>
#include <tuple>
#include <unistd.h>
#include <variant>
#include <vector>

#include "tools/common/durations.hpp"
#include "tools/common/stop_signal.hpp"
#include "tools/common/waiting.hpp"
#include "tools/ringcast/commands.hpp"
#include "tools/ringcast/print.hpp"

namespace ringcast::tools {
namespace {

// A daemon that stands still must not hold up the end of the command.
constexpr std::chrono::milliseconds look_time_max{500};

struct WatchOptions {
  std::vector<std::string> groups;
  std::string interval{"250ms"};
  std::string duration;
};

// What makes a status worth a new line; counters and uptime always change.
bool same_news(const NodeStatus& a, const NodeStatus& b) {
  return std::tie(a.state, a.configuration.id, a.daemons, a.warnings, a.groups, a.sessions) ==
         std::tie(b.state, b.configuration.id, b.daemons, b.warnings, b.groups, b.sessions);
}

class Watcher {
 public:
  Watcher(Client& client, const WatchOptions& options, bool json)
      : client_(client),
        options_(options),
        json_(json),
        interval_(parse_duration(options.interval).value()),
        deadline_(deadline_after(options.duration)) {}

  ExitCode run() {
    if (auto joined = join_all(client_, options_.groups); !joined) return fail(joined.error());
    auto next_status = Client::Clock::now();
    while (!done_) {
      if (connected_ && Client::Clock::now() >= next_status) {
        look_at_status();
        next_status = Client::Clock::now() + interval_;
      }
      take_what_is_here();
      output_.flush();
      if (output_.is_over()) done_ = true;
      if (!done_) sleep(next_status);
    }
    const ExitCode printed = output_.finish();
    if (result_ != ExitCode::done) return result_;
    if (connected_ && answers_) (void)client_.close(Client::Clock::now() + goodbye_time_max);
    return printed;
  }

 private:
  // Errors are not reported here: if the session is lost, its Closed event says so.
  void look_at_status() {
    const auto patience = Client::Clock::now() + look_time_max;
    auto status = client_.status(std::min(patience, deadline_.value_or(patience)));
    answers_ = status.ok();
    if (!status || (last_ && same_news(*last_, *status))) return;
    if (json_) {
      append_json(output_.buffer(), *status);
    } else {
      append_text_brief(output_.buffer(), *status);
    }
    last_ = std::move(*status);
  }

  void take_what_is_here() {
    while (!done_) {
      auto event = client_.try_receive();
      if (!event) {
        result_ = fail(event.error());
        done_ = true;
        return;
      }
      if (!event->has_value()) return;
      take(**event);
    }
  }

  void take(const Event& event) {
    if (std::holds_alternative<Message>(event)) return;
    print(output_, json_, event);
    if (std::holds_alternative<Reconnected>(event)) connected_ = true;
    if (const auto* closed = std::get_if<Closed>(&event)) {
      connected_ = false;
      last_.reset();
      if (closed->reconnecting) return;
      report(program, "the daemon closed the session: " + closed->reason);
      result_ = ExitCode::failed;
      done_ = true;
    }
  }

  void sleep(Client::Deadline next_status) {
    auto until = deadline_;
    if (connected_ && (!until || next_status < *until)) until = next_status;
    const Woken woken =
        wait(client_, {.deadline = until, .output_fd = output_.fd(), .stop_fd = stop_.fd()});
    if (woken.stop || woken.output_gone) done_ = true;
    if (deadline_ && Client::Clock::now() >= *deadline_) done_ = true;
  }

  Client& client_;
  const WatchOptions& options_;
  bool json_;
  std::chrono::milliseconds interval_;
  MaybeDeadline deadline_;
  StopSignal stop_;
  Output output_{program, STDOUT_FILENO};
  std::optional<NodeStatus> last_;
  bool connected_{true};
  bool answers_{true};
  bool done_{false};
  ExitCode result_{ExitCode::done};
};

ExitCode run(const GlobalOptions& globals, const WatchOptions& options) {
  auto with_reconnect = client_options(globals);
  with_reconnect.reconnect = true;
  return with_client(std::move(with_reconnect), std::nullopt, [&](Client& client) {
    return Watcher(client, options, globals.json).run();
  });
}

}  // namespace

void add_watch(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<WatchOptions>();
  auto* const command = app.add_subcommand("watch", "ring and status changes as they happen");
  command->add_option("GROUP", options->groups, "join these and show their views too")
      ->check(check_group_text);
  command->add_option("--interval", options->interval, "how often to look at the status")
      ->capture_default_str()
      ->check(check_interval_text);
  command->add_option("--for", options->duration, "end after this time, like 1m")
      ->check(check_duration_text);
  command->footer(
      "Example:\n"
      "  ringcast watch weblogs");
  command->callback([&invocation, options] {
    invocation.run = [&invocation, options] { return run(invocation.globals, *options); };
  });
}

}  // namespace ringcast::tools
