// SPDX-License-Identifier: Apache-2.0
//
// The record of one recorder: a text file of one line per request and event, written at once,
// so that a killed recorder loses at most what it had not yet been told. Its reader is load.hpp.
//
// A line is a letter, the time (microseconds of CLOCK_MONOTONIC) and fields without spaces; lists
// are joined by commas, `-` is nothing. A request is written before it is made:
//
//   S time SESSION DAEMON PID NAME           a session is open; what follows belongs to it
//   j time GROUP | l time GROUP              join, leave
//   p time NUMBER SERVICE FLAGS SIZE GROUPS  publish; flags: e echo, c confirm
//   k time NUMBER TICKET                     it was handed over under that ticket
//   n time NUMBER                            it was not handed over
//   M time RING SEQ INDEX SENDER SERVICE FLAGS GROUPS IDENTITY HASH
//                                            flags: t transitional; identity SESSION.NUMBER.INTACT
//   V time GROUP ID CAUSE WHO MEMBERS WITH_ME
//   T time GROUP | L time GROUP | G time RING DAEMONS
//   C time TICKET RING SEQ INDEX FLAGS       flags: s stable, t transitional
//   R time TICKET GROUP CODE                 refused
//   E time KIND REASON                       the session is over: goodbye, hung-up or closed
//   F time                                   the recorder stopped recording, its session open
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ringcast/client.hpp"

#include "sim/payload.hpp"

namespace ringcast::campaign {

class Record {
 public:
  /// False when the file cannot be written.
  bool open(const std::string& path);
  Record() = default;
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;
  ~Record();

  void session(std::uint64_t session, const MemberName& name, std::int64_t daemon_pid);
  void join(const std::string& group);
  void leave(const std::string& group);
  void publish(const sim::PayloadId& id, const Publication& publication);
  void taken(std::uint32_t number, std::uint64_t ticket);
  void not_taken(std::uint32_t number);
  void event(const Event& event);
  void over(const std::string& kind, const std::string& reason);
  void frozen();
  /// Hands what is collected to the system. Requests do it by themselves.
  void flush();

 private:
  void line(char kind, const std::vector<std::string>& fields);

  int fd_{-1};
  std::string text_;
};

}  // namespace ringcast::campaign
