// SPDX-License-Identifier: Apache-2.0
//
// StdinSource: a pipe, a socket or a regular file on stdin; or, below fan-out, a socket of
// packets, each whole lines or a note of lines that were dropped before (GroupPacket).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/ringlog-publish/input.hpp"
#include "tools/ringlog-publish/intake.hpp"
#include "tools/ringlog-publish/rest.hpp"
#include "tools/ringlog-publish/source.hpp"

namespace ringcast::ringlog {

class StdinSource final : public Source {
 public:
  /// `intake` and `filter` outlive this.
  StdinSource(Input::Options options, const Producer& producer, Filter& filter, Intake& intake);

  void watch(std::vector<pollfd>& fds, Instant now) override;
  [[nodiscard]] std::optional<Instant> wake_up(Instant now) const override;
  void read(Instant now) override;
  void stop(Instant now) override;
  [[nodiscard]] bool is_over() const override { return is_over_; }
  void on_settled(const Origin& /*origin*/) override {}
  void save(Instant /*now*/) override {}
  bool leave(Instant now) override;
  [[nodiscard]] SourceCounters counters() const override;
  [[nodiscard]] bool is_incomplete() const override { return was_left_; }
  std::vector<std::string> notes() override;

 private:
  void look(Instant now);
  void read_slice(Instant now);
  void feed(std::string_view bytes, Instant now);
  void abandon(Instant now);

  Intake& intake_;
  Input input_;
  bool is_packets_;
  std::vector<char> block_;
  std::optional<std::size_t> pipe_bytes_;  // what the pipe holds; nothing: it is none
  Rest rest_;
  std::size_t looked_bytes_{0};  // read since the last rest
  bool is_over_{false};
  bool is_ready_{false};
  bool is_stopping_{false};
  bool was_left_{false};  // not read to its end
  std::vector<std::string> notes_;
};

}  // namespace ringcast::ringlog
