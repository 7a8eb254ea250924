// SPDX-License-Identifier: Apache-2.0
//
// A stream that a stranger sends to a publisher's syslog socket. The first byte says into pieces
// of how many bytes it is cut.
#include <string>
#include <string_view>

#include "fuzz/check.hpp"
#include "fuzz/targets.hpp"
#include "tools/ringlog-publish/syslog_framing.hpp"
#include "tools/ringlog-publish/syslog_message.hpp"

namespace ringcast::fuzz {
namespace {

using namespace ringcast::ringlog;

constexpr std::size_t message_max = 64;

void check_text(std::string_view frame) {
  const auto message = parse_syslog(frame);
  const bool is_inside = message.text.empty() ||
                         (message.text.data() >= frame.data() &&
                          message.text.data() + message.text.size() <= frame.data() + frame.size());
  check(is_inside, "the text is part of the message");
  check(message.is_valid || frame.starts_with(message.text), "what is no message stays as it is");
}

std::string frames_of(std::string_view text, std::size_t piece) {
  std::string frames;
  const auto sink = [&frames](const SyslogFrame& frame) {
    check(frame.too_long == (frame.bytes > message_max), "too long is longer than allowed");
    check(frame.too_long || frame.text.size() == frame.bytes, "a message is whole");
    check_text(frame.text);
    frames += std::to_string(frame.bytes) + (frame.is_valid ? "+" : "-");
    frames += frame.text;
  };
  SyslogFraming framing(message_max);
  for (std::size_t at = 0; at < text.size(); at += piece) {
    framing.feed(text.substr(at, piece), sink);
  }
  const auto lost = framing.end(sink);
  return frames + " " + std::to_string(lost);
}

}  // namespace

void syslog(Bytes input) {
  if (input.empty()) return;
  const auto piece = 1 + std::to_integer<std::size_t>(input[0]);
  const auto rest = input.subspan(1);
  const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
  check(
      frames_of(text, piece) == frames_of(text, text.size() + 1),
      "how the stream is cut makes no difference");
}

}  // namespace ringcast::fuzz
