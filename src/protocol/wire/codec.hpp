// SPDX-License-Identifier: Apache-2.0
//
// encode: a packet value -> a datagram with room for header and tag, which the Sealer fills
// in. decode: a datagram that passed the Sealer -> a fully checked value, or an error naming
// the rule broken; it never trusts a count before looking at the bytes that remain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ringcast/result.hpp"

#include "protocol/base/buffer.hpp"
#include "protocol/wire/packets.hpp"

namespace ringcast {

inline constexpr std::size_t entry_header_bytes = 4;
inline constexpr std::size_t fragment_header_bytes = 4;  ///< total length, in a first fragment
/// What a data packet adds around its entries.
inline constexpr std::size_t data_overhead_bytes =
    packet_header_bytes + data_header_bytes + tag_bytes;

/// One message, or one fragment of one, inside a data packet.
struct Entry {
  std::uint8_t service{0};
  bool first{true};
  bool last{true};
  std::uint32_t total{
      0};  ///< length of the whole message; in a first fragment that is not the last
  BufferRef bytes;
};

/// The same where it lies in its packet.
struct EntryView {
  std::uint8_t service{0};
  bool first{true};
  bool last{true};
  std::uint32_t total{0};
  std::span<const std::byte> bytes;
};

BufferRef encode(const Token& token);
BufferRef encode(const Join& join);
BufferRef encode(const CommitToken& commit);
BufferRef encode(const Probe& probe);
BufferRef encode(const Wakeup& wakeup);

/// Fills in datagram, body, content and entries of `data` from `entries`.
/// REQUIRES: the other fields are set; sizes fit a datagram.
void encode_data(Data& data, std::span<const Entry> entries);
/// The same into `datagram`, which has the size for it: data_overhead_bytes and the entries with
/// their headers.
void encode_data(Data& data, std::span<const Entry> entries, BufferRef datagram);
/// The same for a packet of an older ring, sent again on `data.ring`.
void encode_recovered(Data& data, const BufferRef& old_body);

/// Marks an encoded packet as sent after its originator's token.
void mark_after_token(Data& data);

Result<Packet> decode(const BufferRef& datagram);
/// The same into a fresh packet, where it is to stay, with the header that Sealer::open() read:
/// data comes by the million. After an error the packet has no meaning.
Result<void> decode(const BufferRef& datagram, const PacketHeader& header, Packet& packet);
/// The packet inside a recovered one. REQUIRES: data.recovered.
Result<Data> decode_recovered(const Data& data);
/// Cuts the next entry off `content`. REQUIRES: content comes from a decoded packet and is not
/// empty.
EntryView next_entry(std::span<const std::byte>& content);
/// The same with a share in its bytes.
Entry next_entry(BufferRef& content);

}  // namespace ringcast
