// SPDX-License-Identifier: Apache-2.0
//
// The loops of ringlog-monitor.
#include "tools/ringlog-monitor/monitor.hpp"

#include <algorithm>
#include <array>
#include <poll.h>
#include <unistd.h>
#include <utility>

#include "tools/ringlog-monitor/json_report.hpp"
#include "tools/ringlog-monitor/quantities.hpp"
#include "tools/ringlog-monitor/screen/picture.hpp"
#include "tools/ringlog-monitor/text_report.hpp"

namespace ringcast::monitor {

using tools::ExitCode;

namespace {

constexpr auto program = "ringlog-monitor";
constexpr std::chrono::seconds patience{1};
constexpr std::chrono::milliseconds screen_interval{1000};
constexpr std::chrono::milliseconds line_interval{10000};
constexpr std::chrono::milliseconds look_at_hook{50};
constexpr std::size_t name_columns = 60;
constexpr std::size_t recent_lines = 2000;
constexpr std::size_t clicks = 65536;
constexpr std::chrono::seconds hook_time{5};  // for commands that run at the end

}  // namespace

Monitor::Monitor(MonitorOptions options, LineParser parser)
    : options_(std::move(options)),
      parser_(std::move(parser)),
      hook_(options_.alert_command),
      output_(program, STDOUT_FILENO) {}

ExitCode Monitor::run(int stop_fd) {
  if (!options_.web.listen.empty()) {
    auto listener = Web::listen(options_.web);
    if (!listener) {
      tools::report(program, listener.error().message);
      const bool is_usage = listener.error().code == Errc::invalid_argument;
      return is_usage ? ExitCode::usage : ExitCode::failed;
    }
    listener_.emplace(std::move(listener).value());
  }
  if (!options_.json && !options_.plain && ::isatty(STDOUT_FILENO) != 0) open_screen();
  interval_ = options_.interval.value_or(screen_ ? screen_interval : line_interval);
  next_show_ = Clock::now();
  if (!screen_) next_show_ += interval_;
  return options_.file.empty() ? run_ring(stop_fd) : run_file(stop_fd);
}

std::string Monitor::watched() const {
  auto name = options_.file == "-" ? std::string("stdin") : options_.file;
  for (const auto& group : options_.groups) {
    name += (name.empty() ? "" : " ") + group;
  }
  return shown(name, name_columns);
}

void Monitor::open_screen() {
  auto screen = FullScreen::open(watched());
  if (screen) {
    screen_ = std::move(screen).value();
  } else {
    tools::report(program, screen.error().message + "; going on with plain lines");
  }
}

void Monitor::make_analyses(std::vector<std::string> names) {
  auto& options = options_.analysis;
  if (listener_) {
    options.recent_lines = recent_lines;
    if (options.limits.clicks == 0) options.limits.clicks = clicks;
  } else {
    names.resize(std::min<std::size_t>(names.size(), 1));  // single groups are shown there only
  }
  analyses_.emplace(parser_, options, std::move(names));
}

bool Monitor::open_web(const RingState* ring) {
  if (!listener_) return true;
  const auto url = url_of(listener_->bound);
  auto web = Web::open(std::move(*listener_), options_.web, *analyses_, ring);
  if (!web) {
    tools::report(program, web.error().message);
    return false;
  }
  web_ = std::move(web).value();
  tools::report(program, "figures are at " + url);
  return true;
}

ExitCode Monitor::run_file(int stop_fd) {
  auto file = FileSource::open(options_.file);
  if (!file) {
    tools::report(program, file.error().message);
    return ExitCode::failed;
  }
  file_.emplace(std::move(file).value());
  const auto usual = file_->is_regular() ? TimeSource::log : TimeSource::arrival;
  options_.analysis.time = options_.time.value_or(usual);
  make_analyses({file_->name()});
  if (!open_web(nullptr)) return ExitCode::failed;
  while (go_on()) {
    // The figures stay where they are looked at when the file is over.
    const auto woken = wait(stop_fd, file_->at_end() ? -1 : file_->fd(), POLLIN);
    if (woken == Woken::stop) break;
    if (woken == Woken::time) continue;
    if (auto read = file_->read(*analyses_, clock_.now()); !read) {
      tools::report(program, read.error().message);
      return finish(ExitCode::failed);
    }
    if (!file_->at_end()) continue;
    if (!stays()) break;
    next_show_ = Clock::now();
  }
  return finish(ExitCode::done);
}

ExitCode Monitor::run_ring(int stop_fd) {
  options_.analysis.time = options_.time.value_or(TimeSource::arrival);
  make_analyses(options_.groups);
  ring_.emplace(options_.client, options_.groups, *analyses_);
  if (!open_web(&ring_->state())) return ExitCode::failed;
  const auto started = Clock::now();
  while (go_on()) {
    ring_->step(clock_.now());
    if (const auto& fatal = ring_->link().fatal()) {
      screen_.reset();
      tools::report(program, fatal->message);
      return tools::exit_code_of(*fatal);
    }
    const bool was_connected = ring_->link().was_ever_connected();
    if (!was_connected && Clock::now() - started > options_.connect_timeout) {
      screen_.reset();
      tools::report(program, ring_->link().last_error());
      return ExitCode::unreachable;
    }
    const auto events = static_cast<short>(POLLIN | (ring_->wants_write() ? POLLOUT : 0));
    if (wait(stop_fd, ring_->fd(), events) == Woken::stop) break;
  }
  return finish(ExitCode::done);
}

bool Monitor::go_on() {
  analyses_->advance(clock_.now());
  handle_alerts();
  hook_.step(Clock::now());
  if (web_) web_->step();
  return show() && !has_enough() && !output_.is_over();
}

bool Monitor::has_enough() const {
  return options_.count && analyses_->all().figures().all().lines >= *options_.count;
}

Monitor::Woken Monitor::wait(int stop_fd, int fd, short events) {
  auto deadline = std::min(next_show_, Clock::now() + patience);
  if (!hook_.is_idle()) deadline = std::min(deadline, Clock::now() + look_at_hook);
  if (ring_) deadline = ring_->next_step(deadline);
  if (web_) deadline = web_->next_step(deadline);
  std::array<pollfd, 5> fds = {
      pollfd{stop_fd, POLLIN, 0},
      pollfd{fd, events, 0},
      pollfd{output_.fd(), 0, 0},
      pollfd{screen_ ? screen_->fd() : -1, POLLIN, 0},
      pollfd{web_ ? web_->fd() : -1, POLLIN, 0}};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  (void)::poll(fds.data(), fds.size(), static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
  const bool is_gone = (fds[2].revents & POLLERR) != 0 || (fds[3].revents & ~POLLIN) != 0;
  if (fds[0].revents != 0 || is_gone) return Woken::stop;
  return fds[1].revents != 0 ? Woken::input : Woken::time;
}

void Monitor::handle_alerts() {
  for (const auto& alert : analyses_->all().take_alerts()) {
    hook_.add(alert);
    if (ring_ && !options_.alert_group.empty()) {
      ring_->publish(options_.alert_group, alert_json(alert));
    }
    // Those of an old log are no news: they stand in the report.
    if (screen_ || options_.analysis.time == TimeSource::log) continue;
    output_.buffer() += options_.json ? alert_json(alert) : "alert: " + alert_text(alert);
    output_.buffer() += '\n';
    output_.flush();
  }
}

bool Monitor::show() {
  const bool is_time = Clock::now() >= next_show_;
  if (is_time) next_show_ = Clock::now() + interval_;
  if (!screen_) {
    if (is_time) print_interval();
    return true;
  }
  if (ring_ && is_time && screen_->shows_ring()) ring_->ask_status();
  return screen_->step(ContentSource{analyses_->all(), ring_ ? &ring_->state() : nullptr}, is_time);
}

void Monitor::print_interval() {
  if (options_.json) {
    const auto* const ring = ring_ ? &ring_->state() : nullptr;
    append_json(output_.buffer(), JsonReport{analyses_->all(), ring, options_.top, false});
  } else {
    append_brief(output_.buffer(), analyses_->all().figures());
  }
  output_.flush();
}

void Monitor::print_end() {
  const auto* const ring = ring_ ? &ring_->state() : nullptr;
  auto& out = output_.buffer();
  if (options_.json) {
    append_json(out, JsonReport{analyses_->all(), ring, options_.top, true});
  } else if (options_.picture.empty()) {
    append_report(out, analyses_->all(), options_.top);
  }
  for (const auto tab : options_.picture) {
    if (tab != options_.picture.front()) out += "\n";
    append_picture(out, tab, watched(), ContentSource{analyses_->all(), ring});
  }
}

ExitCode Monitor::finish(ExitCode code) {
  handle_alerts();
  const bool had_screen = screen_ != nullptr;
  web_.reset();
  screen_.reset();
  if (!had_screen || !options_.picture.empty()) print_end();
  const auto printed = output_.finish();
  hook_.finish(Clock::now() + hook_time);
  if (ring_) ring_->close();
  return code == ExitCode::done ? printed : code;
}

}  // namespace ringcast::monitor
