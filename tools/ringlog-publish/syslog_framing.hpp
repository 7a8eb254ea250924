// SPDX-License-Identifier: Apache-2.0
//
// SyslogFraming: a stream cut into syslog messages, as RFC 6587 has it: a frame that begins
// with a digit is counted ("83 <34>1 ..."), every other ends at a newline; senders may mix them.
// A message beyond the limit is not kept but counted to its end. What begins like a count and is
// none ends at a newline too, and is reported as invalid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace ringcast::ringlog {

struct SyslogFrame {
  std::string_view text;   ///< valid during the call; empty when too long
  std::uint64_t bytes{0};  ///< its length in any case
  bool too_long{false};
  bool is_valid{true};  ///< false: it looked like a count
};

class SyslogFraming {
 public:
  using Sink = std::function<void(const SyslogFrame&)>;

  explicit SyslogFraming(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void feed(std::string_view bytes, const Sink& sink);
  /// The connection is over. Returns the bytes of an unfinished counted message, which is
  /// dropped; an unfinished line is a line.
  std::uint64_t end(const Sink& sink);
  /// The connection goes on, but nobody reads it any more: what is unfinished is dropped. Returns
  /// its bytes.
  std::uint64_t abandon();

 private:
  enum class State { between, count, counted, line };

  std::string_view begin_frame(std::string_view bytes);
  std::string_view take_count(std::string_view bytes);
  std::string_view take_counted(std::string_view bytes, const Sink& sink);
  std::string_view take_line(std::string_view bytes, const Sink& sink);
  void keep(std::string_view part);
  void finish(std::string_view last, const Sink& sink);

  std::size_t bytes_max_;
  State state_{State::between};
  std::string kept_;          // of the frame, or the digits of its count
  std::uint64_t dropped_{0};  // bytes of a frame beyond the limit; 0: none
  std::uint64_t left_{0};     // bytes missing of a counted frame
  bool is_valid_{true};
};

}  // namespace ringcast::ringlog
