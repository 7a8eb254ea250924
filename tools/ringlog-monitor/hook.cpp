// SPDX-License-Identifier: Apache-2.0
//
// Children by posix_spawn, each the leader of a process group so that it can be ended whole.
#include "tools/ringlog-monitor/hook.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/common/exit_codes.hpp"
#include "tools/ringlog-monitor/json_report.hpp"
#include "tools/ringlog-monitor/text_report.hpp"

namespace ringcast::monitor {

namespace {

constexpr auto program = "ringlog-monitor";
constexpr std::chrono::seconds run_time_max{60};
constexpr int look_interval_ms = 10;

std::vector<std::string> environment_of(const Alert& alert) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  // A name with a zero byte would end there.
  const auto server = alert.server.substr(0, alert.server.find('\0'));
  variables.push_back("RINGLOG_ALERT=" + alert_json(alert));
  variables.push_back("RINGLOG_ALERT_TEXT=" + alert_text(alert));
  variables.push_back("RINGLOG_ALERT_SERVER=" + server);
  variables.push_back("RINGLOG_ALERT_SIGNAL=" + std::string(to_string(alert.signal)));
  variables.push_back("RINGLOG_ALERT_CHANGE=" + std::string(to_string(alert.change)));
  return variables;
}

}  // namespace

void Hook::add(const Alert& alert) {
  if (command_.empty()) return;
  if (waiting_.size() >= waiting_max) {
    tools::report(program, "--alert-command is too slow: not run for " + alert_text(alert));
    return;
  }
  waiting_.push_back(alert);
}

void Hook::step(Clock::time_point now) {
  std::erase_if(running_, [&](const Running& running) { return has_ended(running, now); });
  while (!waiting_.empty() && running_.size() < running_max) {
    const auto alert = std::move(waiting_.front());
    waiting_.pop_front();
    if (!start(alert, now)) return;
  }
}

bool Hook::has_ended(const Running& running, Clock::time_point now) const {
  int status = 0;
  const auto ended = ::waitpid(running.process, &status, WNOHANG);
  if (ended == 0) {
    if (now < running.deadline) return false;
    (void)::kill(-running.process, SIGKILL);
    (void)::waitpid(running.process, &status, 0);
    tools::report(program, "--alert-command took more than a minute and was killed");
  } else if (ended > 0 && status != 0) {
    const bool has_code = WIFEXITED(status);
    tools::report(
        program,
        "--alert-command \"" + command_ + "\" ended with " +
            (has_code ? "code " + std::to_string(WEXITSTATUS(status))
                      : "signal " + std::to_string(WTERMSIG(status))));
  }
  return true;
}

bool Hook::start(const Alert& alert, Clock::time_point now) {
  auto variables = environment_of(alert);
  std::vector<char*> environment;
  environment.reserve(variables.size() + 1);
  for (auto& variable : variables) {
    environment.push_back(variable.data());
  }
  environment.push_back(nullptr);
  std::string shell = "/bin/sh";
  std::string flag = "-c";
  std::array<char*, 4> arguments = {shell.data(), flag.data(), command_.data(), nullptr};

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  (void)::posix_spawn_file_actions_init(&actions);
  (void)::posix_spawnattr_init(&attributes);
  // Our output is for the figures; what the command has to say goes to stderr.
  (void)::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  (void)::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  sigset_t usual{};
  (void)::sigemptyset(&usual);
  (void)::sigaddset(&usual, SIGPIPE);
  (void)::posix_spawnattr_setsigdefault(&attributes, &usual);
  (void)::posix_spawnattr_setpgroup(&attributes, 0);
  (void)::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  pid_t process = 0;
  const int error = ::posix_spawn(
      &process, shell.c_str(), &actions, &attributes, arguments.data(), environment.data());
  (void)::posix_spawn_file_actions_destroy(&actions);
  (void)::posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    tools::report(program, std::string("cannot run --alert-command: ") + std::strerror(error));
    return false;
  }
  running_.push_back(Running{process, now + run_time_max});
  return true;
}

void Hook::finish(Clock::time_point deadline) {
  for (;;) {
    const auto now = Clock::now();
    step(now);
    if (is_idle() || now >= deadline) return;
    (void)::poll(nullptr, 0, look_interval_ms);
  }
}

}  // namespace ringcast::monitor
