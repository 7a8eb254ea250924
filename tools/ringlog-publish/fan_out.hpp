// SPDX-License-Identifier: Apache-2.0
//
// FanOut: ringlog-publish fan-out. Reads packets of lines with their group (group_packet.hpp)
// as frames from stdin, a pipe, and gives each group a ringlog-publish of its own. After each
// look at the pipe it rests for a moment (`linger`), so that whoever writes wakes nobody and
// lines travel together. Groups whose names come from the network are bounded in number:
// those beyond share one, unless one has been idle for long, which then ends.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/common/exit_codes.hpp"
#include "tools/ringlog-publish/group_publisher.hpp"
#include "tools/ringlog-publish/rest.hpp"
#include "tools/ringlog/loss_tally.hpp"
#include "tools/ringlog/packet_frames.hpp"

namespace ringcast::ringlog {

struct FanOutOptions {
  std::string program;                 ///< path of ringlog-publish
  std::vector<std::string> arguments;  ///< for every group's publisher
  std::string spool_directory;         ///< each group has a directory in it; empty: none
  std::size_t groups_max{64};          ///< names from the network
  std::string overflow_group;          ///< of lines beyond
  std::chrono::milliseconds linger{100};
  std::chrono::milliseconds end_patience{10000};  ///< for the publishers to end
};

class FanOut {
 public:
  using Clock = std::chrono::steady_clock;

  explicit FanOut(FanOutOptions options);

  /// Until stdin is at its end or `stop_fd` is readable; then until all publishers have ended.
  /// After a stop, what is unread in the pipe stays there for whoever reads it next. When a long
  /// packet has begun it first reads on to its end, frame by frame, for a second at most.
  tools::ExitCode run(int stop_fd);

 private:
  [[nodiscard]] bool is_held_up(Clock::time_point now) const;
  void look_for_stop(int stop_fd);
  void read();
  void read_to_the_end_of_packets();
  std::size_t read_once(std::size_t bytes_max);
  void take_packets(Clock::time_point now);
  void take(std::string_view packet, Clock::time_point now);
  GroupPublisher& publisher_for(const GroupPacket& packet, Clock::time_point now);
  bool make_place(Clock::time_point now);
  GroupPublisher& add_publisher(const std::string& group);
  void pump();
  void tell(GroupPublisher& publisher);
  void begin_end();
  void tell_lost();
  void wait(int stop_fd);
  [[nodiscard]] Clock::time_point next_deadline(Clock::time_point now) const;
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] tools::ExitCode finish();

  FanOutOptions options_;
  std::size_t pipe_bytes_;
  PacketFrames frames_;
  std::map<std::string, GroupPublisher, std::less<>> publishers_;
  std::vector<std::string> network_groups_;
  std::vector<GroupPublisher> leaving_;
  Rest rest_;
  Clock::time_point next_read_{};
  Clock::time_point part_came_{};  // of a long packet
  LossTally tally_;                // of packets lost in the pipe
  std::uint64_t lost_packets_{0};  // of which it knows
  std::optional<Clock::time_point> stopped_since_;
  std::optional<Clock::time_point> ending_since_;
  std::uint64_t refused_packets_{0};
  bool told_overflow_{false};
  bool has_lost_{false};
};

}  // namespace ringcast::ringlog
