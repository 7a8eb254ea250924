// SPDX-License-Identifier: Apache-2.0
//
// Line by line, so that the position is right whenever it ends.
#include "tools/ringlog-write/sinks/stream_sink.hpp"

#include <algorithm>
#include <cerrno>
#include <limits.h>
#include <poll.h>
#include <string_view>
#include <unistd.h>

#include "tools/ringlog-write/sinks/line_json.hpp"

namespace ringcast::ringlog {

Result<std::optional<SinkPosition>> StreamSink::open(const std::string& /*journal*/) {
  if (!memory_) {
    auto memory = FileMemory::open(options_.memory, true);
    if (!memory) return memory.error();
    memory_.emplace(std::move(memory).value());
  }
  return memory_->position();
}

Result<void> StreamSink::write(const SinkBatch& batch) {
  std::string text;
  std::vector<std::pair<std::size_t, std::uint64_t>> ends;  // in the text, in the journal
  for (const auto& line : batch.lines) {
    if (options_.json) {
      text += line_json(line, options_.group);
    } else {
      text.append(line.text) += '\n';
    }
    ends.emplace_back(text.size(), line.journal->end);
  }
  std::size_t done = 0;
  Result<void> result;
  while (done < text.size() && result) {
    if (interruption_.wait(options_.fd, POLLOUT, std::nullopt) ==
        Interruption::Woken::interrupted) {
      result = Error{Errc::would_block, "stdout: its reader takes nothing"};
      break;
    }
    // Not more than a pipe surely takes: the descriptor may be one that blocks.
    const auto put = ::write(
        options_.fd, text.data() + done, std::min<std::size_t>(text.size() - done, PIPE_BUF));
    if (put > 0) done += static_cast<std::size_t>(put);
    if (put < 0 && errno != EINTR && errno != EAGAIN) {
      result = system_error("stdout", "cannot write", errno);
    }
  }
  if (result) return memory_->commit({batch.journal, batch.end});
  std::uint64_t taken = batch.begin;
  for (const auto& [end, position] : ends) {
    if (end <= done) taken = position;
  }
  if (auto kept = memory_->commit({batch.journal, taken}); !kept) return kept;
  return result;
}

}  // namespace ringcast::ringlog
