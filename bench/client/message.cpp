// SPDX-License-Identifier: Apache-2.0
#include "client/message.hpp"

#include <cstring>

namespace ringcast::bench {
namespace {

constexpr std::size_t kind_at = 0;
constexpr std::size_t sender_at = 4;
constexpr std::size_t number_at = 8;
constexpr std::size_t sent_at = 16;

template <class Number>
void put(std::span<std::byte> bytes, std::size_t place, Number number) {
  std::memcpy(bytes.subspan(place, sizeof(number)).data(), &number, sizeof(number));
}

template <class Number>
Number get(std::span<const std::byte> bytes, std::size_t place) {
  Number number{0};
  std::memcpy(&number, bytes.subspan(place, sizeof(number)).data(), sizeof(number));
  return number;
}

}  // namespace

void write_head(std::span<std::byte> message, const Head& head) {
  put(message, kind_at, static_cast<std::uint8_t>(head.kind));
  put(message, sender_at, head.sender);
  put(message, number_at, head.number);
  const auto sent = head.sent ? head.sent->time_since_epoch() : Clock::duration::zero();
  put(message, sent_at, std::int64_t{sent.count()});
  put(message, message.size() - sizeof(head.number), head.number);
}

std::optional<Head> read_head(std::span<const std::byte> message) {
  if (message.size() < message_bytes_min) return std::nullopt;
  const auto kind = get<std::uint8_t>(message, kind_at);
  if (kind < static_cast<std::uint8_t>(Kind::hello) ||
      kind > static_cast<std::uint8_t>(Kind::last)) {
    return std::nullopt;
  }
  Head head;
  head.kind = static_cast<Kind>(kind);
  head.sender = get<std::uint32_t>(message, sender_at);
  head.number = get<std::uint64_t>(message, number_at);
  const auto sent = get<std::int64_t>(message, sent_at);
  if (sent != 0) head.sent = Clock::time_point(Clock::duration(sent));
  if (get<std::uint64_t>(message, message.size() - sizeof(head.number)) != head.number) {
    return std::nullopt;
  }
  return head;
}

}  // namespace ringcast::bench
