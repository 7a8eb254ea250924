// SPDX-License-Identifier: Apache-2.0
//
// SyslogSource: messages that other programs send to sockets of ours, all as one stream of
// lines. While there is no room nothing is read, so that the kernel holds a sender up or, of
// UDP, drops and counts; see LineEntry for what comes after that.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-publish/cut_watch.hpp"
#include "tools/ringlog-publish/line_entry.hpp"
#include "tools/ringlog-publish/packet_blocks.hpp"
#include "tools/ringlog-publish/rest.hpp"
#include "tools/ringlog-publish/source.hpp"
#include "tools/ringlog-publish/syslog_address.hpp"
#include "tools/ringlog-publish/syslog_framing.hpp"
#include "tools/ringlog/files.hpp"
#include "tools/ringlog/trouble.hpp"

namespace ringcast::ringlog {

class SyslogSource final : public Source {
 public:
  struct Options {
    std::vector<std::string> addresses;  ///< see parse_syslog_address()
    bool keep_whole{false};              ///< hand on whole messages, not their text alone
    LineEntry::Options entry;
  };

  /// `intake` and `filter` outlive this. Errors: io, invalid_argument.
  static Result<std::unique_ptr<SyslogSource>> open(
      Options options, const Producer& producer, Filter& filter, Intake& intake);
  ~SyslogSource() override;
  SyslogSource(const SyslogSource&) = delete;
  SyslogSource& operator=(const SyslogSource&) = delete;
  SyslogSource(SyslogSource&&) = delete;
  SyslogSource& operator=(SyslogSource&&) = delete;

  void watch(std::vector<pollfd>& fds, Instant now) override;
  [[nodiscard]] std::optional<Instant> wake_up(Instant now) const override;
  void read(Instant now) override;
  void stop(Instant now) override;
  [[nodiscard]] bool is_over() const override { return is_over_; }
  void on_settled(const Origin& /*origin*/) override {}
  void save(Instant /*now*/) override {}
  bool leave(Instant now) override;
  [[nodiscard]] SourceCounters counters() const override;
  [[nodiscard]] bool is_incomplete() const override;
  std::vector<std::string> notes() override;

 private:
  struct Listener {
    SyslogAddress address;
    Descriptor socket;
    CutWatch cuts;
    std::uint32_t overflowed{0};  // by the kernel's own count, which begins at 0
    std::uint64_t invalid{0};
    SyslogRoom room;
  };
  struct Connection {
    Listener& listener;
    Descriptor socket;
    SyslogFraming framing;
  };

  SyslogSource(Options options, const Producer& producer, Filter& filter, Intake& intake);

  void look(Instant now);
  void note_share(double part, std::size_t room);
  [[nodiscard]] bool may_flush(Instant now) const;
  bool read_datagrams(Listener& listener, Instant now);
  void take_datagram(Listener& listener, std::size_t i, Instant now);
  void note_overflow(Listener& listener, std::uint32_t count);
  bool accept_all(Listener& listener, Instant now);
  void refuse(const Listener& listener, int error, Instant now);
  bool read_stream(Connection& connection, Instant now);
  void end_stream(Connection& connection, bool is_ended, Instant now);
  void note_unfinished(const Connection& connection, std::uint64_t bytes);
  void take(Listener& listener, const SyslogFrame& frame, Instant now);
  void note_invalid(Listener& listener, std::string_view frame);
  void close_all(Instant now);

  Options options_;
  Intake& intake_;
  LineEntry entry_;
  std::list<Listener> listeners_;
  std::list<Connection> connections_;
  std::size_t connections_max_;
  Trouble accepting_{std::chrono::seconds(1)};
  bool told_full_{false};
  PacketBlocks packets_;
  std::vector<char> buffer_;  // of streams
  bool is_ready_{false};      // there may be more
  Rest rest_;
  double share_{0};       // of a listener's room, the greatest, since the last rest
  Instant next_flush_{};  // of a batch that could grow
  bool is_stopping_{false};
  bool is_over_{false};
  std::uint64_t unfinished_{0};
  std::vector<std::string> notes_;
};

}  // namespace ringcast::ringlog
