// SPDX-License-Identifier: Apache-2.0
//
// The first byte is the packet's type, or 255: then the rest is a datagram as it came. Else the
// rest is a body, which is given a header and a true tag, for a wrong tag hides all behind it.
#include <algorithm>
#include <variant>
#include <vector>

#include "fuzz/check.hpp"
#include "fuzz/heap.hpp"
#include "fuzz/targets.hpp"
#include "protocol/wire/codec.hpp"
#include "protocol/wire/seal.hpp"

namespace ringcast::fuzz {
namespace {

constexpr std::uint8_t raw_datagram = 255;
constexpr std::uint32_t cluster = 7;
constexpr NodeKey sender{NodeId{5}, BootId{9}};

Bytes body_of(const BufferRef& datagram) {
  return datagram.bytes().subspan(
      packet_header_bytes, datagram.size() - packet_header_bytes - tag_bytes);
}

BufferRef sealed(BufferRef datagram) {
  NullSealer sealer(sender, cluster);
  sealer.seal(datagram.writable());
  check(sealer.open(datagram.bytes()).ok(), "what was sealed opens");
  return datagram;
}

BufferRef dressed(std::uint8_t type, Bytes body) {
  auto datagram = BufferRef::allocate(packet_header_bytes + body.size() + tag_bytes);
  const auto room = datagram.writable();
  std::fill(room.begin(), room.end(), std::byte{0});
  room[3] = std::byte{type};
  std::copy(body.begin(), body.end(), room.subspan(packet_header_bytes).begin());
  return sealed(std::move(datagram));
}

struct Encoder {
  BufferRef operator()(const Data& data) const {
    Data again = data;
    if (data.recovered) {
      encode_recovered(again, data.content());
      return again.datagram();
    }
    std::vector<Entry> entries;
    BufferRef content = data.content();
    for (std::uint16_t i = 0; i < data.entries; ++i) {
      entries.push_back(next_entry(content));
    }
    check(content.empty(), "the entries fill the packet");
    encode_data(again, entries);
    return again.datagram();
  }
  template <class Body>
  BufferRef operator()(const Body& body) const {
    return encode(body);
  }
};

/// A token without aru_id and a probe without echo have bytes that nobody reads.
bool has_unread_bytes(const PacketBody& body) {
  if (const auto* const token = std::get_if<Token>(&body)) return !token->aru_id;
  if (const auto* const probe = std::get_if<Probe>(&body)) return !probe->echo;
  return false;
}

void check_round_trip(const BufferRef& datagram, const Packet& packet) {
  const BufferRef first = sealed(std::visit(Encoder{}, packet.body));
  const auto again = decode(first);
  check(again.ok(), "what the encoder writes the decoder takes");
  const BufferRef second = sealed(std::visit(Encoder{}, again->body));
  check(same(body_of(first), body_of(second)), "decode(encode(x)) is x");
  if (has_unread_bytes(packet.body)) return;
  check(same(body_of(datagram), body_of(first)), "encode(decode(bytes)) is bytes");
}

}  // namespace

void packet(Bytes input) {
  if (input.empty() || input.size() > datagram_bytes_limit) return;
  const auto type = std::to_integer<std::uint8_t>(input[0]);
  const HeapMeter heap;
  BufferRef datagram;
  if (type == raw_datagram) {
    datagram = BufferRef::copy_of(input.subspan(1));
    NullSealer sealer(sender, cluster);
    const auto header = sealer.open(datagram.bytes());
    if (!header) {
      check_refusal(header.error());
      return;
    }
  } else {
    datagram = dressed(type, input.subspan(1));
  }
  {
    const auto decoded = decode(datagram);
    heap.check_peak(64 * input.size() + 16384, "decoding a datagram");
    if (!decoded) {
      check_refusal(decoded.error());
      check(decoded.error().code == Errc::malformed, "the decoder refuses what is malformed");
      return;
    }
    if (datagram.size() + data_header_bytes <= datagram_bytes_limit) {
      check_round_trip(datagram, *decoded);
    }
  }
}

}  // namespace ringcast::fuzz
