// SPDX-License-Identifier: Apache-2.0
//
// One question after the other, each answered by any writer that is in step.
#include "tools/ringlog-write/replay.hpp"

#include <algorithm>
#include <array>
#include <poll.h>
#include <utility>

#include "tools/ringlog-write/entry_lines.hpp"
#include "tools/ringlog-write/markers.hpp"
#include "tools/ringlog/table_message.hpp"

namespace ringcast::ringlog {

using tools::ExitCode;

namespace {

constexpr auto program = "ringlog-write replay";
constexpr std::uint64_t request_bytes = std::uint64_t{4} << 20U;
constexpr std::chrono::seconds answer_time{3};
constexpr std::chrono::milliseconds follow_pause{100};
constexpr std::chrono::milliseconds retry_pause{200};

}  // namespace

Replay::Replay(ReplayOptions options, int output_fd)
    : options_(std::move(options)), output_(program, output_fd) {}

ExitCode Replay::run(int stop_fd) {
  auto last_answer = Clock::now();
  while (!is_over_) {
    const auto answer = ask(stop_fd);
    if (answer == Answer::stopped) break;
    const auto now = Clock::now();
    if (answer != Answer::none) last_answer = now;
    if (answer == Answer::none && now - last_answer >= options_.timeout) {
      (void)output_.finish();
      return give_up();
    }
    if (answer == Answer::more) continue;
    output_.flush();
    if (answer == Answer::end && !options_.follow) break;
    if (output_.is_over()) break;
    if (wait(stop_fd, now + (answer == Answer::end ? follow_pause : retry_pause))) break;
  }
  return end();
}

ExitCode Replay::end() {
  if (client_) (void)client_->close(Clock::now() + answer_time);
  if (unkept_lines_ > 0) {
    tools::report(
        program,
        std::to_string(unkept_lines_) +
            " lines that were asked for are kept by no writer any more");
  }
  return output_.finish();
}

ExitCode Replay::give_up() const {
  if (connect_error_) {
    tools::report(program, connect_error_->message);
    return tools::exit_code_of_connect(*connect_error_);
  }
  tools::report(program, trouble_);
  return ExitCode::timed_out;
}

bool Replay::connect() {
  if (client_) return true;
  auto client = Client::connect(options_.client);
  if (!client) {
    connect_error_ = client.error();
    return false;
  }
  connect_error_.reset();
  client_.emplace(std::move(client).value());
  return true;
}

Replay::Answer Replay::ask(int stop_fd) {
  if (!connect()) return Answer::none;
  const auto name = writers_group(options_.group);
  const auto groups = client_->groups(name, Clock::now() + answer_time);
  if (!groups) {
    trouble_ = groups.error().message;
    client_.reset();
    return Answer::none;
  }
  trouble_ = "no writer of group " + options_.group + " is there; start a ringlog-write";
  for (const auto& group : *groups) {
    for (const auto& member : group.members) {
      const auto answer = ask(to_string(member), stop_fd);
      if (answer != Answer::none || !client_) return answer;
    }
  }
  return Answer::none;
}

HistoryRequest Replay::request() {
  HistoryRequest request;
  request.group = options_.group;
  request.id = ++id_;
  request.bytes_max = request_bytes;
  request.from = options_.from;
  if (here_) request.from = here_->length > 0 ? Points{*here_} : Points{};
  return request;
}

Replay::Answer Replay::ask(const std::string& writer, int stop_fd) {
  trouble_ = "no answer from " + writer;
  const auto payload = encode(request());
  Publication publication;
  publication.groups = {writer};
  publication.payload = payload;
  publication.type = history_request_type;
  publication.confirm = false;
  auto deadline = Clock::now() + answer_time;
  if (!client_->publish(publication, deadline)) {
    client_.reset();
    return Answer::none;
  }
  while (Clock::now() < deadline) {
    auto event = client_->try_receive();
    if (!event || (*event && std::holds_alternative<Closed>(**event))) {
      client_.reset();
      return Answer::none;
    }
    const auto* message = *event ? std::get_if<Message>(&**event) : nullptr;
    if (!*event && wait(stop_fd, deadline)) return Answer::stopped;
    if (message == nullptr || message->type != history_reply_type) continue;
    const auto reply = decode_history_reply(message->payload);
    if (!reply || reply->id != id_) continue;
    const auto answer = take(*reply);
    if (answer == Answer::none || reply->is_last || is_over_) return answer;
    deadline = Clock::now() + answer_time;
  }
  return Answer::none;
}

Replay::Answer Replay::take(const HistoryReply& reply) {
  if (!reply.is_served || !reply.is_live) {
    trouble_ = "no writer of group " + options_.group + " is in step with the others yet";
    return Answer::none;
  }
  const bool is_released = here_ && reply.begins.length > here_->length;
  if (!here_ || is_released) tell_unkept(reply);
  if (is_released) {
    here_ = reply.begins;
    return Answer::more;
  }
  if (here_ && reply.agreed != *here_) {
    trouble_ = "the writers' files are no longer what was printed up to byte " +
               std::to_string(here_->length);
    return Answer::none;
  }
  here_ = reply.agreed;
  std::string_view data(reply.data);
  for (const auto& entry : reply.entries) {
    const auto size = static_cast<std::size_t>(entry.after.length - entry.before.length);
    const auto part = data.substr(0, size);
    const bool is_whole = part.empty() || part.back() == '\n';
    if (!is_whole || chain_text(entry.before.chain, part) != entry.after.chain) {
      trouble_ = "a writer sent lines that do not make the chain they claim";
      return Answer::none;
    }
    if (!print(entry, part)) break;
    data.remove_prefix(size);
  }
  output_.settle();
  is_over_ = is_over_ || output_.is_over();
  return reply.entries.empty() ? Answer::end : Answer::more;
}

// From the first line on, or from one that is said: exactly. From a time or a position: what
// stood in front of the first write that is kept may have been meant, too.
void Replay::tell_unkept(const HistoryReply& reply) {
  const auto& begins = reply.begins;
  const auto* const line = std::get_if<FromLine>(&options_.from);
  const auto first = here_ ? here_->lines + 1 : line != nullptr ? line->number : 1;
  const bool is_wanted =
      here_ || (line != nullptr ? first <= begins.lines : reply.agreed == begins);
  if (begins.length == 0 || !is_wanted) return;
  const bool is_exact = here_ || line != nullptr;
  const auto lines = begins.lines - std::min(begins.lines, first - 1);
  unkept_lines_ += lines;
  tools::report(
      program,
      "lines " + std::to_string(first) + " to " + std::to_string(begins.lines) +
          " are kept by no writer any more" +
          (is_exact ? "" : "; which of them were meant cannot be told"));
  if (options_.data_only) return;
  output_.buffer() += unkept_marker(Table{}, here_ ? here_->length : 0, first - 1, begins) + "\n";
}

bool Replay::print(const FileEntry& entry, std::string_view data) {
  const bool is_late =
      (options_.to_time_ms && entry.time_ms > *options_.to_time_ms) ||
      (options_.to_position && entry.position && *entry.position > *options_.to_position);
  if (is_late) is_over_ = true;
  const auto* const from = std::get_if<FromLine>(&options_.from);
  EntryLines lines(entry, data);
  while (!is_over_) {
    const auto line = lines.next();
    if (!line) break;
    const auto number = lines.here().lines;
    if (from != nullptr && number < from->number) continue;
    if (options_.to_line && number > *options_.to_line) {
      is_over_ = true;
      break;
    }
    if (line->is_marker && options_.data_only) continue;
    output_.buffer() += line->text;
    output_.buffer() += '\n';
    is_over_ = options_.to_line && number == *options_.to_line;
  }
  here_ = entry.after;
  return !is_over_;
}

bool Replay::wait(int stop_fd, Clock::time_point deadline) {
  if (client_ && client_->has_event()) return false;
  std::array<pollfd, 2> fds{};
  fds[0] = pollfd{stop_fd, POLLIN, 0};
  fds[1] = pollfd{client_ ? client_->fd() : -1, POLLIN, 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  (void)::poll(fds.data(), fds.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
  return (fds[0].revents & POLLIN) != 0;
}

}  // namespace ringcast::ringlog
