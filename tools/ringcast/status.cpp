// SPDX-License-Identifier: Apache-2.0
//
// ringcast status: what the daemon says about itself; with --wait-members, a barrier for
// scripts: it returns once the daemon is there and its ring has the wanted size.
#include <algorithm>
#include <memory>
#include <optional>
#include <poll.h>
#include <unistd.h>

#include "tools/ringcast/commands.hpp"
#include "tools/ringcast/print.hpp"

namespace ringcast::tools {
namespace {

constexpr std::chrono::milliseconds poll_interval{25};
constexpr std::chrono::milliseconds connect_time_max{1000};
constexpr std::chrono::seconds wait_time_max{30};

struct StatusOptions {
  std::size_t wait_members{0};  ///< 0: do not wait
  std::string timeout;
};

ExitCode show(const NodeStatus& status, bool json) {
  Output output(program, STDOUT_FILENO);
  print(output, json, status);
  return output.finish();
}

std::string story(const NodeStatus& status) {
  std::string text = status.daemon + " is " + status.state + " with " +
                     std::to_string(status.configuration.daemons.size()) + " members (";
  for (std::size_t i = 0; i < status.configuration.daemons.size(); ++i) {
    if (i > 0) text += ' ';
    text += status.configuration.daemons[i];
  }
  return text + ")";
}

// Asks again and again, connecting anew whenever the daemon went away.
class Barrier {
 public:
  Barrier(ClientOptions options, std::size_t members, Client::Deadline deadline)
      : options_(std::move(options)), members_(members), deadline_(deadline) {}

  Result<NodeStatus> wait() {
    while (Client::Clock::now() < deadline_) {
      auto status = ask();
      if (status && status->state == "operational" &&
          status->configuration.daemons.size() == members_) {
        return status;
      }
      if (!status && !may_pass(status.error())) return status.error();
      last_ = status ? story(*status) : status.error().message;
      pause();
    }
    return Error{
        Errc::timed_out,
        "timed out waiting for an operational ring of " + std::to_string(members_) +
            " members; last seen: " + (last_.empty() ? "nothing" : last_)};
  }

 private:
  // Errors that a daemon which is starting, stopping or busy may give.
  static bool may_pass(const Error& error) {
    return error.code != Errc::invalid_argument && error.code != Errc::unsupported_version;
  }

  Result<NodeStatus> ask() {
    if (!client_) {
      options_.connect_timeout = std::min(time_left(deadline_), connect_time_max);
      auto client = Client::connect(options_);
      if (!client) return client.error();
      client_.emplace(std::move(client).value());
    }
    auto status = client_->status(std::min(deadline_, Client::Clock::now() + answer_time_max));
    while (client_) {  // events are of no interest, but must not fill the inbox
      auto event = client_->try_receive();
      if (!event) client_.reset();
      if (!event || !event->has_value()) break;
    }
    if (!status) client_.reset();
    return status;
  }

  void pause() const {
    const auto pause = std::min(time_left(deadline_), poll_interval);
    (void)poll(nullptr, 0, static_cast<int>(pause.count()));
  }

  ClientOptions options_;
  std::size_t members_;
  Client::Deadline deadline_;
  std::optional<Client> client_;
  std::string last_;
};

ExitCode run(const GlobalOptions& globals, const StatusOptions& options) {
  const auto deadline = deadline_after(options.timeout);
  if (options.wait_members > 0) {
    const auto until = deadline.value_or(Client::Clock::now() + wait_time_max);
    auto status = Barrier(client_options(globals), options.wait_members, until).wait();
    return status ? show(*status, globals.json) : fail(status.error());
  }
  return with_client(client_options(globals), deadline, [&](Client& client) {
    auto status = client.status(deadline.value_or(Client::Clock::now() + answer_time_max));
    return status ? show(*status, globals.json) : fail(status.error());
  });
}

}  // namespace

void add_status(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<StatusOptions>();
  auto* const command = app.add_subcommand("status", "this daemon, its ring, its counters");
  command
      ->add_option(
          "--wait-members",
          options->wait_members,
          "wait until the daemon answers and its ring is operational with exactly this many")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--timeout", options->timeout, "how long at most [5s; 30s with --wait-members]")
      ->check(check_duration_text);
  command->footer(
      "Exits 4 when the time is over.\n"
      "Example:\n"
      "  ringcast --json status --wait-members 3 --timeout 10s");
  command->callback([&invocation, options] {
    invocation.run = [&invocation, options] { return run(invocation.globals, *options); };
  });
}

}  // namespace ringcast::tools
