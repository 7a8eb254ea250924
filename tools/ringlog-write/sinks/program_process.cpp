// SPDX-License-Identifier: Apache-2.0
//
// posix_spawn, a pipe, and a pidfd to wait on.
#include "tools/ringlog-write/sinks/program_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace ringcast::ringlog {

namespace {

constexpr std::chrono::seconds end_time{5};
constexpr std::chrono::seconds term_time{2};
constexpr std::chrono::milliseconds look_time{5};

/// What the child begins with: no signal blocked or ignored, the pipe as stdin, our stderr.
class SpawnSettings {
 public:
  SpawnSettings(int input, int output) {
    (void)::posix_spawn_file_actions_init(&actions_);
    (void)::posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    (void)::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    (void)::posix_spawnattr_init(&attributes_);
    sigset_t none{};
    (void)::sigemptyset(&none);
    (void)::posix_spawnattr_setsigmask(&attributes_, &none);
    sigset_t usual{};
    (void)::sigemptyset(&usual);
    for (const int number : {SIGPIPE, SIGXFSZ, SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
      (void)::sigaddset(&usual, number);
    }
    (void)::posix_spawnattr_setsigdefault(&attributes_, &usual);
    // A group of its own: a key pressed at our terminal is meant for us.
    (void)::posix_spawnattr_setpgroup(&attributes_, 0);
    (void)::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    (void)::posix_spawn_file_actions_destroy(&actions_);
    (void)::posix_spawnattr_destroy(&attributes_);
  }

  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

struct Pipe {
  Descriptor reading;
  Descriptor writing;
};

std::optional<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

}  // namespace

Result<ProgramProcess> ProgramProcess::start(
    const std::vector<std::string>& command, bool answers) {
  auto input = make_pipe();
  auto output = answers ? make_pipe() : std::optional<Pipe>(Pipe{});
  if (!input || !output) return system_error(command[0], "cannot make a pipe", errno);
  (void)::fcntl(input->writing.get(), F_SETFL, O_NONBLOCK);
  if (answers) (void)::fcntl(output->reading.get(), F_SETFL, O_NONBLOCK);
  auto words = command;
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (auto& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  const SpawnSettings settings(
      input->reading.get(), answers ? output->writing.get() : STDERR_FILENO);
  pid_t pid = -1;
  const int failure = ::posix_spawnp(
      &pid, arguments[0], settings.actions(), settings.attributes(), arguments.data(), environ);
  if (failure != 0) return system_error(command[0], "cannot start", failure);
  Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  return ProgramProcess(
      pid, std::move(process), std::move(input->writing), std::move(output->reading));
}

ProgramProcess::ProgramProcess(ProgramProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      process_(std::move(other.process_)),
      input_(std::move(other.input_)),
      answers_(std::move(other.answers_)),
      answer_count_(other.answer_count_) {}

ProgramProcess::~ProgramProcess() {
  if (pid_ > 0) (void)end();
}

std::size_t ProgramProcess::write(std::string_view text, const Interruption& interruption) {
  return write_until(text, interruption, std::nullopt);
}

std::size_t ProgramProcess::write_within(
    std::string_view text, std::chrono::milliseconds patience) {
  const Interruption none;
  return write_until(text, none, Interruption::Clock::now() + patience);
}

std::size_t ProgramProcess::write_until(
    std::string_view text,
    const Interruption& interruption,
    std::optional<Interruption::Clock::time_point> deadline) {
  std::size_t done = 0;
  while (done < text.size()) {
    const auto put = ::write(input_.get(), text.data() + done, text.size() - done);
    if (put > 0) {
      done += static_cast<std::size_t>(put);
      continue;
    }
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno != EAGAIN) break;
    take_answers();  // or it would stop reading, its own output being full
    const auto woken = interruption.wait(input_.get(), POLLOUT, deadline, answers_.get());
    if (woken != Interruption::Woken::ready) break;
  }
  return done;
}

void ProgramProcess::take_answers() {
  std::array<char, 4096> block{};
  while (answers_.is_open()) {
    const auto got = ::read(answers_.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      answers_.close();
      return;
    }
    answer_count_ += static_cast<std::uint64_t>(std::count(block.data(), block.data() + got, '\n'));
  }
}

bool ProgramProcess::wait_answers(std::uint64_t count, const Interruption& interruption) {
  for (;;) {
    take_answers();
    if (answer_count_ >= count) return true;
    if (!answers_.is_open()) return false;
    const auto woken = interruption.wait(-1, 0, std::nullopt, answers_.get());
    if (woken == Interruption::Woken::interrupted) return false;
  }
}

void ProgramProcess::kill() { (void)::kill(pid_, SIGKILL); }

bool ProgramProcess::wait_read(const Interruption& interruption) {
  for (;;) {
    int unread = 0;
    if (::ioctl(input_.get(), FIONREAD, &unread) != 0) return false;
    pollfd pipe{input_.get(), 0, 0};
    (void)::poll(&pipe, 1, 0);
    if (unread == 0 && (pipe.revents & POLLERR) == 0) return true;
    if ((pipe.revents & POLLERR) != 0) return false;  // it reads no more
    // No event tells that a pipe is empty; its reader's end is one.
    const auto woken =
        interruption.wait(process_.get(), POLLIN, Interruption::Clock::now() + look_time);
    if (woken == Interruption::Woken::interrupted) return false;
  }
}

bool ProgramProcess::wait_end(std::chrono::milliseconds patience) const {
  pollfd process{process_.get(), POLLIN, 0};
  const auto deadline = Interruption::Clock::now() + patience;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - Interruption::Clock::now());
    const int count =
        ::poll(&process, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (count >= 0 || errno != EINTR) return count > 0;
  }
}

std::string ProgramProcess::end() {
  input_.close();
  if (!wait_end(end_time)) {
    (void)::kill(pid_, SIGTERM);
    if (!wait_end(term_time)) (void)::kill(pid_, SIGKILL);
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
  return "ended with " + std::to_string(WEXITSTATUS(status));
}

}  // namespace ringcast::ringlog
