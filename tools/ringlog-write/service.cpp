// SPDX-License-Identifier: Apache-2.0
//
// Signals, groups, figures.
#include "tools/ringlog-write/service.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "tools/common/json.hpp"
#include "tools/common/output.hpp"

namespace ringcast::ringlog {

using tools::ExitCode;

namespace {

constexpr auto program = "ringlog-write";
constexpr std::chrono::seconds drain_time{5};

// Its figures are of the moment: no need for them to survive a power cut.
bool replace_quietly(const std::string& path, const std::string& text) {
  const auto temporary = path + ".new";
  auto* const file = std::fopen(temporary.c_str(), "we");
  if (file == nullptr) return false;
  const bool is_written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool is_closed = std::fclose(file) == 0;
  return is_written && is_closed && std::rename(temporary.c_str(), path.c_str()) == 0;
}

}  // namespace

Service::Service(ServiceOptions options, WriterConfig config)
    : options_(std::move(options)),
      config_(std::move(config)),
      ended_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

ClientOptions Service::client_options(const WriterConfig& config) const {
  auto client = options_.client;
  if (client.socket.empty() && client.server.empty()) {
    client.socket = config.socket;
    client.server = config.server;
  }
  if (client.name.empty()) client.name = config.as;
  return client;
}

void Service::start_group(const GroupConfig& group) {
  GroupRunOptions options;
  options.group = group;
  options.client = client_options(config_);
  // A daemon knows each name once.
  if (!options.client.name.empty() && config_.groups.size() > 1) {
    options.client.name += "-" + group.name;
  }
  options.connect_timeout = options_.connect_timeout;
  options.json = options_.json;
  options.on_end = [this] {
    const std::uint64_t one = 1;
    (void)!::write(ended_.get(), &one, sizeof(one));
  };
  groups_.push_back(std::make_unique<GroupRun>(std::move(options), config_.sinks));
}

ExitCode Service::run(tools::SignalQueue& signals) {
  for (const auto& group : config_.groups) {
    start_group(group);
  }
  for (;;) {
    wait(signals);
    if (take_signals(signals)) {
      end();
      return code_;
    }
    look_at_groups();
    if (Clock::now() >= next_status_) write_status();
    if (groups_.empty()) return code_;
  }
}

bool Service::take_signals(tools::SignalQueue& signals) {
  while (const auto signal = signals.take()) {
    if (*signal == SIGHUP) {
      reload();
    } else if (*signal == SIGUSR1) {
      tools::report(program, status());
    } else {
      return true;
    }
  }
  return false;
}

void Service::wait(const tools::SignalQueue& signals) {
  std::array<pollfd, 2> fds{pollfd{signals.fd(), POLLIN, 0}, pollfd{ended_.get(), POLLIN, 0}};
  int patience = -1;
  if (!config_.status_file.empty()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_status_ - Clock::now());
    patience = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  }
  (void)::poll(fds.data(), fds.size(), patience);
  std::uint64_t count = 0;
  (void)!::read(ended_.get(), &count, sizeof(count));
}

// A writer that ends by itself has said why.
void Service::look_at_groups() {
  for (auto& group : groups_) {
    if (!group->is_over()) continue;
    const auto code = group->end_writer();
    if (code_ == ExitCode::done) code_ = code;
    group->end_sinks(Clock::now() + drain_time);
    tools::report(
        program,
        "group " + group->config().name + " is not written any more" +
            (groups_.size() > 1 ? "; SIGHUP tries it again" : ""));
    group.reset();
  }
  std::erase(groups_, nullptr);
}

void Service::reload() {
  auto fresh = options_.read();
  if (!fresh) {
    tools::report(program, "the configuration was not changed; correct it and send SIGHUP again");
    return;
  }
  const auto before = std::exchange(config_, std::move(*fresh));
  const bool is_same_daemon =
      before.socket == config_.socket && before.server == config_.server && before.as == config_.as;
  const auto is_wanted = [&](const GroupConfig& group) {
    return is_same_daemon &&
           std::find(config_.groups.begin(), config_.groups.end(), group) != config_.groups.end();
  };
  for (const auto& group : groups_) {
    if (!is_wanted(group->config())) group->stop();
  }
  for (auto& group : groups_) {
    if (is_wanted(group->config())) {
      group->set_sinks(config_.sinks);
      continue;
    }
    (void)group->end_writer();
    group->end_sinks(Clock::now());
    group.reset();
  }
  std::erase(groups_, nullptr);
  for (const auto& group : config_.groups) {
    const bool runs = std::any_of(groups_.begin(), groups_.end(), [&](const auto& known) {
      return known->config() == group;
    });
    if (!runs) start_group(group);
  }
  next_status_ = {};
  code_ = ExitCode::done;
  tools::report(
      program,
      "read its configuration again: " + std::to_string(config_.groups.size()) + " groups, " +
          std::to_string(config_.sinks.size()) + " sinks");
}

std::string Service::status() const {
  tools::Json json;
  json["event"] = "status";
  json["groups"] = tools::Json::array();
  json["sinks"] = tools::Json::array();
  for (const auto& group : groups_) {
    json["groups"].push_back(group->figures());
    for (auto& sink : group->status()) {
      json["sinks"].push_back(std::move(sink));
    }
  }
  return tools::one_line_json(json);
}

void Service::write_status() {
  next_status_ = Clock::now() + config_.status_interval;
  if (config_.status_file.empty()) return;
  if (replace_quietly(config_.status_file, status() + "\n")) {
    status_trouble_.clear();
  } else if (std::exchange(status_trouble_, config_.status_file) != config_.status_file) {
    const auto error = system_error(config_.status_file, "cannot write", errno);
    tools::report(program, error.message + "; trying again");
  }
}

void Service::end() {
  for (const auto& group : groups_) {
    group->stop();
  }
  for (const auto& group : groups_) {
    const auto code = group->end_writer();
    if (code_ == ExitCode::done) code_ = code;
  }
  const auto deadline = Clock::now() + drain_time;
  for (const auto& group : groups_) {
    group->end_sinks(deadline);
    for (const auto& sink : group->status()) {
      summarize(sink);
    }
  }
  write_status();
}

void Service::summarize(const tools::Json& sink) const {
  if (const auto lag = sink["lag_bytes"].get<std::uint64_t>(); lag > 0) {
    tools::report(
        program,
        sink["group"].get<std::string>() + "/" + sink["sink"].get<std::string>() + ": is " +
            std::to_string(lag) + " bytes of the journal behind; the next start goes on there");
  }
  if (!options_.json) return;
  tools::Json json = {{"event", "sink"}};
  json.update(sink);
  (void)tools::print_line(program, tools::one_line_json(json));
}

}  // namespace ringcast::ringlog
