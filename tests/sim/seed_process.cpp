// SPDX-License-Identifier: Apache-2.0
#include "sim/seed_process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <memory>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/// There when the program is built with coverage, and only written at a regular exit; seeds end
/// by _exit.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): its name there
extern "C" int __llvm_profile_write_file() __attribute__((weak));

namespace ringcast::sim {
namespace {

struct Child {
  RunOptions options;
  pid_t pid{-1};
  int pipe{-1};
  std::string output;
};

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string hex(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

void write_all(int file, const std::string& text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const ssize_t count = ::write(file, text.data() + at, text.size() - at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    at += static_cast<std::size_t>(count);
  }
}

/// Lines "key value" and, last, the failure's text.
std::string run_here(const PoolOptions& pool, RunOptions options, int pipe) {
  const RunOptions plain = options;
  if (pool.injections) {
    options.on_injection = [pipe](const Injection& injection) {
      write_all(pipe, "injection " + to_string(injection) + "\n");
    };
  }
  RunResult result = run(options);
  if (pool.twice) {
    const RunResult again = run(plain);
    if (again.hash != result.hash) {
      result.report.fail(
          "P11", "the same seed ran differently: " + hex(result.hash) + " and " + hex(again.hash));
    }
  }
  std::string text = "ok " + std::to_string(result.report.ok() ? 1 : 0) + "\n";
  text += "hash " + hex(result.hash) + "\n";
  text += "simulated " + std::to_string(seconds_of(result.simulated)) + "\n";
  text += "settled " + std::to_string(seconds_of(result.settled_after)) + "\n";
  text += "calm " + std::to_string(result.calm ? 1 : 0) + "\n";
  text += "nodes " + std::to_string(result.nodes) + "\n";
  text += "clients " + std::to_string(result.clients) + "\n";
  text += "fault_phase " + to_words(result.fault_phase) + "\n";
  if (!result.report.ok()) {
    text += "first " + result.report.violations().front().invariant + "\n";
  }
  for (const auto& [name, value] : result.counts) {
    text += "count " + std::to_string(value) + " " + name + "\n";
  }
  for (const auto& [invariant, count] : result.report.counts()) {
    text += "violated " + std::to_string(count) + " " + invariant + "\n";
  }
  text += "text\n";
  if (!result.report.ok()) text += "    " + result.scenario + "\n";
  for (const Violation& violation : result.report.violations()) {
    text += "    " + violation.invariant + "  " + violation.what + "\n";
  }
  for (const auto& [invariant, count] : result.report.counts()) {
    if (count > 4) text += "    " + invariant + "  " + std::to_string(count) + " times in all\n";
  }
  return text;
}

/// Processor time, not time of day: a seed is not at fault on a machine that has much to do.
void limit_processor(unsigned seconds) {
  const rlimit limit{.rlim_cur = seconds, .rlim_max = seconds + 1};
  ::setrlimit(RLIMIT_CPU, &limit);
}

/// A seed ends soon: what it frees need not go back to the kernel and be zeroed again. What most
/// seeds need comes in huge pages, where the kernel has them: thousands of faults fewer.
void keep_memory() {
  constexpr std::size_t huge_page = 2 << 20;
  constexpr std::size_t usual = 48 << 20;
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  ::mallopt(M_TOP_PAD, 8 << 20);
  void* const block = std::malloc(usual);
  if (block == nullptr) return;
  void* begin = block;
  std::size_t left = usual;
  if (std::align(huge_page, huge_page, begin, left) != nullptr) {
    ::madvise(begin, left / huge_page * huge_page, MADV_HUGEPAGE);
  }
  std::free(block);
}

Child start(const PoolOptions& pool, const RunOptions& options) {
  int ends[2] = {-1, -1};
  if (::pipe(ends) != 0) {
    std::perror("pipe");
    std::exit(2);
  }
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) {
    std::perror("fork");
    std::exit(2);
  }
  if (pid == 0) {
    ::close(ends[0]);
    if (!options.verbose) ::dup2(ends[1], STDERR_FILENO);  // an assertion speaks there
    limit_processor(pool.seed_limit_s);
    keep_memory();
    ::signal(SIGINT, SIG_IGN);
    write_all(ends[1], run_here(pool, options, ends[1]));
    std::fflush(nullptr);
    if (__llvm_profile_write_file != nullptr) __llvm_profile_write_file();
    ::_exit(0);
  }
  ::close(ends[1]);
  return {.options = options, .pid = pid, .pipe = ends[0], .output = {}};
}

void parse_line(Outcome& outcome, const std::string& line) {
  const std::size_t space = line.find(' ');
  if (space == std::string::npos) return;
  const std::string key = line.substr(0, space);
  const std::string value = line.substr(space + 1);
  if (key == "ok") outcome.ok = value == "1";
  if (key == "hash") outcome.hash = value;
  if (key == "simulated") outcome.simulated_s = std::stod(value);
  if (key == "settled") outcome.settled_s = std::stod(value);
  if (key == "calm") outcome.calm = value == "1";
  if (key == "first") outcome.first_violated = value;
  if (key == "nodes") outcome.nodes = std::stoull(value);
  if (key == "clients") outcome.clients = std::stoull(value);
  if (key == "fault_phase") outcome.fault_phase = parse_duration(value).value_or(Duration{0});
  if (key == "injection") {
    if (const auto injection = parse_injection(value)) outcome.injections.push_back(*injection);
  }
  if (key != "count" && key != "violated") return;
  const std::size_t gap = value.find(' ');
  auto& table = key == "count" ? outcome.counts : outcome.violations;
  table[value.substr(gap + 1)] = std::stoull(value.substr(0, gap));
}

Outcome judge(const Child& child, int status, double processor_s) {
  Outcome outcome;
  outcome.options = child.options;
  outcome.processor_s = processor_s;
  const std::size_t body = child.output.find("\ntext\n");
  const bool died = WIFSIGNALED(status) || body == std::string::npos;
  std::string words;
  std::size_t at = 0;
  while (at < std::min(body, child.output.size())) {
    const std::size_t end = std::min(child.output.find('\n', at), child.output.size());
    const std::string line = child.output.substr(at, end - at);
    parse_line(outcome, line);
    if (!line.starts_with("injection ")) words += "    " + line + "\n";
    at = end + 1;
  }
  if (!died) {
    outcome.text = child.output.substr(body + 6);
    outcome.settled = !outcome.violations.contains("L1") && !outcome.violations.contains("L3");
    return outcome;
  }
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  outcome.ok = false;
  outcome.first_violated = signal == SIGXCPU ? "time" : "assertion";
  outcome.text =
      words + (signal == SIGXCPU ? "    took too long\n"
                                 : "    ended by signal " + std::to_string(signal) + "\n");
  return outcome;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

class Pool {
 public:
  Pool(const PoolOptions& options, const std::function<void(const Outcome&)>& take)
      : options_(options), take_(take) {}

  void run(const std::function<std::optional<RunOptions>()>& next) {
    bool more = true;
    while (more || !children_.empty()) {
      while (more && children_.size() < options_.jobs) {
        if (const auto seed = next()) {
          children_.push_back(start(options_, *seed));
        } else {
          more = false;
        }
      }
      if (!children_.empty()) wait_for_some();
    }
  }

 private:
  void wait_for_some() {
    std::vector<pollfd> files;
    for (const Child& child : children_) {
      files.push_back({.fd = child.pipe, .events = POLLIN, .revents = 0});
    }
    if (::poll(files.data(), files.size(), -1) < 0) return;  // a signal: its handler has run
    for (std::size_t i = files.size(); i-- > 0;) {
      if (files[i].revents != 0) drain(i);
    }
  }

  void drain(std::size_t index) {
    char buffer[65536];
    const ssize_t count = ::read(children_[index].pipe, buffer, sizeof buffer);
    if (count > 0) {
      children_[index].output.append(buffer, static_cast<std::size_t>(count));
      return;
    }
    if (count < 0 && errno == EINTR) return;
    ::close(children_[index].pipe);
    int status = 0;
    rusage usage{};
    while (::wait4(children_[index].pid, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    const Child ended = std::move(children_[index]);
    children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(index));
    take_(judge(ended, status, seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime)));
  }

  const PoolOptions& options_;
  const std::function<void(const Outcome&)>& take_;
  std::vector<Child> children_;
};

}  // namespace

void run_pool(
    const PoolOptions& options,
    const std::function<std::optional<RunOptions>()>& next,
    const std::function<void(const Outcome&)>& take) {
  Pool{options, take}.run(next);
}

}  // namespace ringcast::sim
