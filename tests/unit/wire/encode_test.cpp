// SPDX-License-Identifier: Apache-2.0
//
// The codec's round trip: a value of every packet type comes back as it went, whatever its
// fields.
#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/wire/codec.hpp"
#include "tests/unit/wire/samples.hpp"

namespace ringcast {
namespace {

constexpr int rounds = 300;

/// Decodes what was encoded as a T.
template <class T>
T back(const BufferRef& datagram) {
  auto packet = decode(datagram);
  REQUIRE(packet);
  REQUIRE(std::holds_alternative<T>(packet->body));
  return std::get<T>(std::move(packet->body));
}

bool same(const BufferRef& a, const BufferRef& b) {
  return std::equal(a.bytes().begin(), a.bytes().end(), b.bytes().begin(), b.bytes().end());
}

void require_same_header(const Data& a, const Data& b) {
  REQUIRE(a.ring == b.ring);
  REQUIRE(a.seq == b.seq);
  REQUIRE(a.originator == b.originator);
  REQUIRE(a.safe == b.safe);
  REQUIRE(a.recovered == b.recovered);
  REQUIRE(a.after_token == b.after_token);
  REQUIRE(a.entries == b.entries);
  REQUIRE(same(a.body(), b.body()));
  REQUIRE(same(a.content(), b.content()));
}

}  // namespace

TEST_CASE("a token is decoded as it was encoded") {
  Random random(1);
  for (int i = 0; i < rounds; ++i) {
    const Token token = samples::token(random);
    const auto decoded = back<Token>(encode(token));
    REQUIRE(decoded.ring == token.ring);
    REQUIRE(decoded.token_seq == token.token_seq);
    REQUIRE(decoded.seq == token.seq);
    REQUIRE(decoded.aru == token.aru);
    REQUIRE(decoded.aru_id == token.aru_id);
    REQUIRE(decoded.fcc == token.fcc);
    REQUIRE(decoded.backlog == token.backlog);
    REQUIRE(decoded.retransmitting == token.retransmitting);
    REQUIRE(decoded.idle == token.idle);
    REQUIRE(decoded.rtr == token.rtr);
  }
}

TEST_CASE("a join is decoded as it was encoded") {
  Random random(2);
  for (int i = 0; i < rounds; ++i) {
    const Join join = samples::join(random);
    const auto decoded = back<Join>(encode(join));
    REQUIRE(decoded.leave == join.leave);
    REQUIRE(decoded.ring_seq == join.ring_seq);
    REQUIRE(decoded.proc == join.proc);
    REQUIRE(decoded.fail == join.fail);
    REQUIRE(decoded.hears == join.hears);
    REQUIRE(decoded.mutual == join.mutual);
  }
}

TEST_CASE("a commit token is decoded as it was encoded") {
  Random random(3);
  for (int i = 0; i < rounds; ++i) {
    const CommitToken commit = samples::commit(random);
    const auto decoded = back<CommitToken>(encode(commit));
    REQUIRE(decoded.ring == commit.ring);
    REQUIRE(decoded.hop == commit.hop);
    REQUIRE(decoded.members == commit.members);
  }
}

TEST_CASE("a probe and a wakeup are decoded as they were encoded") {
  Random random(4);
  for (int i = 0; i < rounds; ++i) {
    const Probe probe = samples::probe(random);
    const auto decoded = back<Probe>(encode(probe));
    REQUIRE(decoded.ring == probe.ring);
    REQUIRE(decoded.echo == probe.echo);
    REQUIRE(decoded.members == probe.members);
    REQUIRE(decoded.mutual == probe.mutual);
    const Wakeup wakeup{samples::ring(random)};
    REQUIRE(back<Wakeup>(encode(wakeup)).ring == wakeup.ring);
  }
}

TEST_CASE("a data packet and its entries are decoded as they were encoded") {
  Random random(5);
  for (int i = 0; i < rounds; ++i) {
    const auto entries = samples::entries(random);
    const Data data = samples::data(random, entries);
    const auto decoded = back<Data>(data.datagram());
    require_same_header(decoded, data);
    BufferRef content = decoded.content();
    for (const auto& expected : entries) {
      const Entry got = next_entry(content);
      REQUIRE(got.service == expected.service);
      REQUIRE(got.first == expected.first);
      REQUIRE(got.last == expected.last);
      if (expected.first && !expected.last) REQUIRE(got.total == expected.total);
      REQUIRE(same(got.bytes, expected.bytes));
    }
    REQUIRE(content.empty());
  }
}

TEST_CASE("a recovered packet carries the old one unchanged") {
  Random random(6);
  for (int i = 0; i < rounds; ++i) {
    const Data old = samples::data(random, samples::entries(random));
    const Data again = samples::recovered(random, old);
    const auto decoded = back<Data>(again.datagram());
    require_same_header(decoded, again);
    const auto inner = decode_recovered(decoded);
    REQUIRE(inner);
    require_same_header(*inner, old);
    REQUIRE(inner->datagram().empty());
  }
}

TEST_CASE("marking a packet as sent after the token changes that flag alone") {
  Random random(7);
  Data data = samples::data_header(random);
  data.after_token = false;
  encode_data(data, samples::entries(random));
  mark_after_token(data);
  const auto decoded = back<Data>(data.datagram());
  CHECK(decoded.after_token);
  require_same_header(decoded, data);
}

TEST_CASE("the largest token fits one Ethernet frame") {
  Token token;
  token.seq = Seq{1000000};
  for (std::uint64_t i = 0; i < retransmit_ranges_max; ++i) {
    token.rtr.push_back(SeqRange{.first = Seq{1 + 10 * i}, .count = 3});
  }
  const auto datagram = encode(token);
  CHECK(datagram.size() <= 1472);
  CHECK(back<Token>(datagram).rtr.size() == retransmit_ranges_max);
}

TEST_CASE("the largest join and commit token fit a datagram and are taken") {
  Join join;
  for (std::uint32_t i = 0; i < join_keys_max; ++i) {
    join.proc.push_back(NodeKey{NodeId{i}, BootId{1}});
  }
  join.fail = join.proc;
  CHECK(back<Join>(encode(join)).fail.size() == join_keys_max);
  CommitToken commit;
  for (std::uint32_t i = 0; i < nodes_max; ++i) {
    commit.members.emplace_back();
    commit.members.back().member = NodeKey{NodeId{i}, BootId{1}};
  }
  commit.ring = RingId{1, NodeId{0}, BootId{1}};
  const auto datagram = encode(commit);
  CHECK(datagram.size() <= datagram_bytes_limit);
  CHECK(back<CommitToken>(datagram).members.size() == nodes_max);
}

}  // namespace ringcast
