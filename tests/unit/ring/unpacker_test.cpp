// SPDX-License-Identifier: Apache-2.0
//
// Unpacker: originators do not disturb one another, and fragments without their beginning or
// of the wrong length make no message.
#include "protocol/ring/unpacker.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/wire/codec.hpp"

namespace ringcast {
namespace {

Entry whole(std::string_view text) {
  Entry entry;
  entry.bytes = BufferRef::copy_of(text);
  return entry;
}

Entry fragment(std::string_view text, bool first, bool last, std::uint32_t total = 0) {
  Entry entry = whole(text);
  entry.first = first;
  entry.last = last;
  entry.total = total;
  return entry;
}

/// Feeds packets and collects the messages that end in them.
class Feed {
 public:
  std::vector<std::string> packet(std::uint32_t originator, const std::vector<Entry>& entries) {
    Data data;
    data.ring = ring;
    data.seq = Seq{++seq_};
    data.originator = NodeId{originator};
    encode_data(data, entries);
    std::vector<OrderedEvent> out;
    unpacker_.unpack(data, transitional_, out);
    std::vector<std::string> texts;
    for (const auto& event : out) {
      const auto& message = std::get<OrderedMessage>(event);
      REQUIRE(message.originator == data.originator);
      REQUIRE(message.transitional == transitional_);
      payload_ = message.payload;
      const auto whole = message.payload.joined();
      const auto bytes = whole.bytes();
      texts.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    return texts;
  }
  /// The next packet will be ours and begin `whole`.
  void expect(const BufferRef& whole) { unpacker_.expect(ring, Seq{seq_ + 1}, whole); }
  /// Of the last message: is it this very memory?
  [[nodiscard]] bool is_handed_on(const BufferRef& whole) const {
    return payload_.is_one_piece() && payload_.front().bytes().data() == whole.bytes().data();
  }
  /// Of the last message.
  [[nodiscard]] std::size_t buffers() const { return payload_.buffers(); }
  void transitional() { transitional_ = true; }
  void clear() { unpacker_.clear(); }
  [[nodiscard]] std::uint64_t strays() const { return unpacker_.strays(); }

 private:
  static constexpr RingId ring{.seq = 1, .representative = NodeId{1}, .boot = BootId{1}};

  Unpacker unpacker_;
  BufferChain payload_;
  std::uint64_t seq_{0};
  bool transitional_{false};
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("fragments of different originators are put together apart") {
  Feed feed;
  CHECK(feed.packet(1, {fragment("ab", true, false, 4)}).empty());
  CHECK(feed.packet(2, {fragment("xy", true, false, 4)}).empty());
  CHECK(feed.packet(2, {fragment("z!", false, true), whole("next")}) == Texts{"xyz!", "next"});
  CHECK(feed.packet(1, {fragment("cd", false, true)}) == Texts{"abcd"});
  CHECK(feed.strays() == 0);
}

TEST_CASE("a message may end in the transitional configuration and says so") {
  Feed feed;
  CHECK(feed.packet(1, {fragment("ab", true, false, 4)}).empty());
  feed.transitional();
  CHECK(feed.packet(1, {fragment("cd", false, true)}) == Texts{"abcd"});
}

TEST_CASE("a fragment whose beginning is missing makes no message") {
  Feed feed;
  CHECK(feed.packet(1, {fragment("cd", false, true), whole("ok")}) == Texts{"ok"});
  CHECK(feed.strays() == 1);
}

TEST_CASE("a message that lost a fragment in the middle makes no message") {
  Feed feed;
  CHECK(feed.packet(1, {fragment("ab", true, false, 6)}).empty());
  CHECK(feed.packet(1, {fragment("ef", false, true), whole("ok")}) == Texts{"ok"});
  CHECK(feed.strays() == 1);
}

TEST_CASE("a fragment longer than what is missing makes no message") {
  Feed feed;
  CHECK(feed.packet(1, {fragment("ab", true, false, 4)}).empty());
  CHECK(feed.packet(1, {fragment("cdef", false, true)}).empty());
  CHECK(feed.packet(1, {fragment("ab", true, false, 4)}).empty());
  CHECK(feed.packet(1, {fragment("cd", false, false)}).empty());  // and not the last
  CHECK(feed.strays() == 2);
}

TEST_CASE("a long message comes together whatever the lengths of its fragments") {
  for (const std::size_t step :
       {std::size_t{7}, std::size_t{1000}, std::size_t{30011}, std::size_t{65000}}) {
    std::string text;
    while (text.size() < 300000) {
      text += std::to_string(text.size()) + ' ';
    }
    Feed feed;
    Texts texts;
    for (std::size_t at = 0; at < text.size(); at += step) {
      REQUIRE(texts.empty());
      const auto part = std::string_view(text).substr(at, step);
      const bool is_last = at + step >= text.size();
      const auto total = static_cast<std::uint32_t>(text.size());
      texts = feed.packet(1, {fragment(part, at == 0, is_last, total)});
    }
    CHECK((texts == Texts{text}));
    CHECK(feed.strays() == 0);
  }
}

TEST_CASE("a long message stays in its packets while they are worth it") {
  const auto buffers_of = [](std::size_t bytes, std::size_t step) {
    Feed feed;
    const std::string text(bytes, 'x');
    for (std::size_t at = 0; at < bytes; at += step) {
      const auto part = std::string_view(text).substr(at, step);
      const auto total = static_cast<std::uint32_t>(bytes);
      (void)feed.packet(1, {fragment(part, at == 0, at + step >= bytes, total)});
    }
    return feed.buffers();
  };
  CHECK(buffers_of(60000, 1400) == 1);
  CHECK(buffers_of(200000, 1000) == 200);
  CHECK(buffers_of(200000, 10) < 1000);  // a broken peer's: 20,000 buffers would hold a packet each
}

TEST_CASE("our own message comes back as it was sent, and is not put together") {
  Feed feed;
  const auto first = BufferRef::copy_of("abcdef");
  const auto second = BufferRef::copy_of("ghij");
  feed.expect(first);
  CHECK(feed.packet(1, {fragment("ab", true, false, 6)}).empty());
  CHECK(feed.packet(2, {fragment("xy", true, false, 4)}).empty());
  CHECK(feed.packet(1, {fragment("cd", false, false)}).empty());
  feed.expect(second);
  CHECK(
      feed.packet(1, {fragment("ef", false, true), fragment("gh", true, false, 4)}) ==
      Texts{"abcdef"});
  CHECK(feed.is_handed_on(first));
  CHECK(feed.packet(2, {fragment("z!", false, true)}) == Texts{"xyz!"});
  CHECK(feed.packet(1, {fragment("ij", false, true)}) == Texts{"ghij"});
  CHECK(feed.is_handed_on(second));
  CHECK(feed.strays() == 0);
}

TEST_CASE("what we announced and what came are two things when it is not the same packet") {
  Feed feed;
  const auto never = BufferRef::copy_of("never");
  SECTION("a packet that came to nothing is passed over") {
    feed.expect(never);
    CHECK(feed.packet(2, {whole("ok")}) == Texts{"ok"});
    CHECK(feed.packet(1, {fragment("ab", true, false, 4)}).empty());
    CHECK(feed.packet(1, {fragment("cd", false, true)}) == Texts{"abcd"});
    const auto later = BufferRef::copy_of("later");
    feed.expect(later);
    CHECK(feed.packet(1, {fragment("la", true, false, 5)}).empty());
    CHECK(feed.packet(1, {fragment("ter", false, true)}) == Texts{"later"});
    CHECK(feed.is_handed_on(later));
  }
  SECTION("nor does another length count") {
    feed.expect(never);
    CHECK(feed.packet(1, {fragment("ab", true, false, 4)}).empty());
    CHECK(feed.packet(1, {fragment("cd", false, true)}) == Texts{"abcd"});
  }
  SECTION("nor anything of before a view change") {
    feed.expect(never);
    feed.clear();
    CHECK(feed.packet(1, {fragment("NE", true, false, 5)}).empty());
    CHECK(feed.packet(1, {fragment("VER", false, true)}) == Texts{"NEVER"});
  }
  CHECK(feed.strays() == 0);
}

TEST_CASE("fragments of our own message are counted as those of others are") {
  Feed feed;
  feed.expect(BufferRef::copy_of("abcd"));
  CHECK(feed.packet(1, {fragment("ab", true, false, 4)}).empty());
  CHECK(feed.packet(1, {fragment("cde", false, true)}).empty());
  CHECK(feed.strays() == 1);
}

TEST_CASE("a new beginning drops the message before it") {
  Feed feed;
  CHECK(feed.packet(1, {fragment("ab", true, false, 4)}).empty());
  CHECK(feed.packet(1, {fragment("AB", true, false, 4)}).empty());
  CHECK(feed.packet(1, {fragment("CD", false, true)}) == Texts{"ABCD"});
}

TEST_CASE("what was cleared at a view change is not continued") {
  Feed feed;
  CHECK(feed.packet(1, {fragment("ab", true, false, 4)}).empty());
  feed.clear();
  CHECK(feed.packet(1, {fragment("cd", false, true)}).empty());
  CHECK(feed.strays() == 1);
}

}  // namespace ringcast
