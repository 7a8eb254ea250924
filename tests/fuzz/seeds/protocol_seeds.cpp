// SPDX-License-Identifier: Apache-2.0
//
// packet, envelope, unpacker, groups: one sample of everything, and short stories.
#include <initializer_list>
#include <string_view>

#include "fuzz/seeds/seeds.hpp"
#include "protocol/groups/envelope.hpp"
#include "unit/wire/samples.hpp"

namespace ringcast::fuzz {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) {
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

void add_packets(std::vector<Seed>& seeds) {
  Random random(1);
  std::size_t number = 0;
  for (int round = 0; round < 2; ++round) {
    for (auto& datagram : samples::datagrams(random)) {
      const auto all = datagram.bytes();
      const auto body =
          all.subspan(packet_header_bytes, all.size() - packet_header_bytes - tag_bytes);
      Bytes typed{all[3]};
      typed.insert(typed.end(), body.begin(), body.end());
      seeds.push_back({"packet", "sample-" + std::to_string(number++), std::move(typed)});
    }
  }
  // The same cluster and sender as in packet.cpp: it passes whole.
  BufferRef raw = encode(samples::probe(random));
  NullSealer(NodeKey{NodeId{5}, BootId{9}}, 7).seal(raw.writable());
  Bytes whole{std::byte{255}};
  whole.insert(whole.end(), raw.bytes().begin(), raw.bytes().end());
  seeds.push_back({"packet", "whole", std::move(whole)});
}

void add_envelopes(std::vector<Seed>& seeds) {
  const auto add = [&](const char* name, const Envelope& envelope) {
    const BufferRef bytes = encode(envelope);
    seeds.push_back({"envelope", name, {bytes.bytes().begin(), bytes.bytes().end()}});
  };
  const auto payload = std::as_bytes(std::span{std::string_view("payload")});
  ClientMessage plain;
  plain.session = SessionId{3};
  plain.sender = "pub";
  plain.groups = {"weblogs"};
  plain.payload = payload;
  add("message", plain);
  ClientMessage full = plain;
  full.echo = false;
  full.ticket = 7;
  full.type = -5;
  full.groups = {"weblogs", "#w#log1", "other"};
  add("message-full", full);
  add("join", JoinChange{SessionId{1}, "pub", "weblogs"});
  add("leave", LeaveChange{SessionId{1}, "weblogs"});
  add("disconnect", DisconnectChange{SessionId{1}, true});
  ExchangeChunk chunk;
  chunk.configuration = RingId{17, NodeId{1}, BootId{2}};
  chunk.companions = {{NodeId{1}, BootId{2}}, {NodeId{3}, BootId{4}}};
  chunk.groups = {
      {.name = "weblogs",
       .changed = true,
       .members = {{"pub", SessionId{1}}, {"sub", SessionId{2}}}},
      {.name = "other", .changed = false, .members = {{"pub", SessionId{1}}}}};
  add("exchange", chunk);
  chunk.index = 1;
  chunk.companions.clear();
  chunk.last = true;
  add("exchange-last", chunk);
}

/// Entries as unpacker.cpp reads them: flags, length, and the total of a first fragment.
void add_entries(std::vector<Seed>& seeds) {
  constexpr int first = 8;
  constexpr int last = 16;
  constexpr int ends_packet = 32;
  constexpr int other = 64;
  const auto add = [&](const char* name, std::initializer_list<int> values) {
    seeds.push_back({"unpacker", name, bytes_of(values)});
  };
  add("whole",
      {first | last, 5, 0, first | last | 4, 0, 0, first | last | ends_packet | 1, 255, 0});
  // An even total means so much more than the fragment: 100, then 100 more.
  add("two-fragments", {first | ends_packet, 100, 0, 100, 0, 0, 0, last | ends_packet, 100, 0});
  add("two-originators",
      {first | ends_packet,
       10,
       0,
       20,
       0,
       0,
       0,
       first | ends_packet | other,
       10,
       0,
       20,
       0,
       0,
       0,
       last | ends_packet | other,
       20,
       0,
       last | ends_packet,
       20,
       0});
  add("strays",
      {last | ends_packet, 5, 0, first | ends_packet, 9, 0, 4, 0, 0, 0, 0 | ends_packet, 9, 0});
  add("much-announced", {first | ends_packet, 1, 0, 1, 0, 0, 4});
  add("large",
      {first | ends_packet,
       0x60,
       0xea,
       0x03,
       0,
       2,
       0,
       ends_packet,
       0x60,
       0xea,
       last | ends_packet,
       0xa3,
       0x2a});
}

/// Steps as groups.cpp reads them.
void add_stories(std::vector<Seed>& seeds) {
  constexpr int deliver = 0;
  constexpr int witness = 2;
  constexpr int transitional = 3;
  constexpr int regular = 4;
  constexpr int raw = 5;
  constexpr int piece = 6;
  constexpr int forged = 8;
  constexpr int request = 9;
  const auto add = [&](const char* name, std::initializer_list<int> values) {
    seeds.push_back({"groups", name, bytes_of(values)});
  };
  // The first exchange of the two is over; a client opens, joins, publishes, leaves.
  add("client", {deliver, witness, request, 0, 0, request, 0,       0, deliver, request, 7,
                 0,       deliver, request, 3, 0, deliver, request, 4, 0,       deliver});
  // A daemon comes in with members of its own, goes on, and is gone.
  add("merge", {deliver,    witness, request, 0,       0,
                request,    0,       0,       deliver, regular,
                0b0111,     deliver, witness, piece,   0,
                0b00011000, 1,       0x88,    9,       deliver,
                forged,     0,       8,       1,       transitional,
                0b0110,     forged,  1,       9,       1,
                regular,    0b0110,  deliver, witness});
  add("exchange-cut-off",
      {deliver, witness, regular, 0b1111,     deliver, piece, 0,          0b00011000, 0,
       regular, 0b0111,  deliver, witness,    piece,   0,     0b00010000, 1,          8,
       1,       piece,   0,       0b00001010, 1,       8,     2});
  add("forged", {deliver, witness, request, 0, 0, request, 0, 0, deliver, forged, 0, 0,
                 2,       forged,  1,       8, 2, forged,  0, 2, 0,       forged, 1, 3,
                 0,       forged,  0,       4, 0, raw,     0, 3, 4,       0,      1});
}

}  // namespace

void add_protocol_seeds(std::vector<Seed>& seeds) {
  add_packets(seeds);
  add_envelopes(seeds);
  add_entries(seeds);
  add_stories(seeds);
}

}  // namespace ringcast::fuzz
