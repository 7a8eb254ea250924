// SPDX-License-Identifier: Apache-2.0
//
// BufferRef: slices share their block, and the block lives as long as its last slice.
#include "protocol/base/buffer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/base/random.hpp"

namespace ringcast {
namespace {

std::string text_of(const BufferRef& buffer) {
  const auto bytes = buffer.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("an empty buffer owns nothing and can be copied, moved and sliced") {
  const BufferRef empty;
  CHECK(empty.empty());
  const BufferRef copy = empty;  // NOLINT(performance-unnecessary-copy-initialization)
  CHECK(copy.size() == 0);
  CHECK(empty.slice(0, 0).empty());
  CHECK(BufferRef::allocate(0).empty());
  CHECK(BufferRef::copy_of(std::string_view{}).empty());
}

TEST_CASE("a slice refers to the same block and outlives the buffer it came from") {
  BufferRef slice;
  {
    const BufferRef whole = BufferRef::copy_of("ordered messages");
    slice = whole.slice(8, 8);
    CHECK(slice.bytes().data() == whole.bytes().data() + 8);
  }
  CHECK(text_of(slice) == "messages");
  CHECK(text_of(slice.slice(0, 4).slice(1, 2)) == "es");
  CHECK(slice.slice(8, 0).empty());
}

TEST_CASE("a buffer can begin later, and others that share the block do not") {
  const BufferRef whole = BufferRef::copy_of("ordered messages");
  BufferRef rest = whole;
  rest.remove_prefix(8);
  CHECK(text_of(rest) == "messages");
  rest.remove_prefix(8);
  CHECK(rest.empty());
  CHECK(text_of(whole) == "ordered messages");
}

TEST_CASE("buffers of a row lie one behind the other, and each has its own bytes") {
  BufferRow row;
  const std::vector<std::size_t> sizes{1472, 1472, 0, 7, 1472, 100000, 1, 65536, 1472};
  std::vector<BufferRef> buffers;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    auto& buffer = buffers.emplace_back(row.allocate(sizes[i]));
    REQUIRE(buffer.size() == sizes[i]);
    std::fill(buffer.writable().begin(), buffer.writable().end(), static_cast<std::byte>(i + 1));
  }
  for (std::size_t i = 1; i < 5; ++i) {
    const auto before = buffers[i - 1].bytes();
    CHECK(buffers[i].bytes().data() == before.data() + before.size());
  }
  row = BufferRow{};  // they do not need it
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto bytes = buffers[i].bytes();
    CHECK(std::all_of(bytes.begin(), bytes.end(), [i](std::byte one) {
      return one == static_cast<std::byte>(i + 1);
    }));
  }
}

TEST_CASE("what was allocated with room can be begun earlier while nobody else refers to it") {
  auto buffer = BufferRef::allocate_with_room(7, 4);
  const auto text = std::string_view{"ordered"};
  std::memcpy(buffer.writable().data(), text.data(), text.size());
  CHECK(buffer.room_before() == 4);
  buffer.remove_prefix(2);
  CHECK(buffer.room_before() == 6);
  buffer.prepend(std::as_bytes(std::span{"un", 2}));
  CHECK(text_of(buffer) == "undered");
  CHECK(buffer.room_before() == 4);
  {
    const auto other = buffer;
    CHECK(buffer.room_before() == 0);
  }
  buffer.prepend(std::as_bytes(std::span{"all ", 4}));
  CHECK(text_of(buffer) == "all undered");
  CHECK(buffer.room_before() == 0);
}

TEST_CASE("what was not allocated with room has none, whatever lies before it") {
  auto buffer = BufferRef::copy_of("ordered messages");
  buffer.remove_prefix(8);
  CHECK(buffer.room_before() == 0);
  CHECK(BufferRef().room_before() == 0);
}

TEST_CASE("blocks that are used again belong to one buffer at a time") {
  // About the sizes of which blocks are kept, and more of them than are kept.
  const std::vector<std::size_t> sizes{
      1000, 1015, 1016, 1480, 2040, 2041, 8000, 65528, 65529, 131064, 131065};
  for (const std::size_t size : sizes) {
    const std::size_t many = (std::size_t{3} << 20U) / size;
    for (int round = 0; round < 2; ++round) {
      std::vector<BufferRef> buffers;
      for (std::size_t i = 0; i < many; ++i) {
        auto& buffer = buffers.emplace_back(BufferRef::allocate(size));
        const auto bytes = buffer.writable();
        std::fill(bytes.begin(), bytes.end(), static_cast<std::byte>(i));
      }
      for (std::size_t i = 0; i < buffers.size(); ++i) {
        const auto bytes = buffers[i].bytes();
        REQUIRE(bytes.size() == size);
        REQUIRE(std::all_of(bytes.begin(), bytes.end(), [i](std::byte byte) {
          return byte == static_cast<std::byte>(i);
        }));
      }
    }
  }
}

TEST_CASE("what is let go of is what is handed out next, for any buffer of about its size") {
  for (const std::size_t size : {3000U, 60000U, 120000U}) {
    auto first = BufferRef::allocate(size);
    const auto* const at = first.bytes().data();
    first = BufferRef{};
    const auto next = BufferRef::allocate(size + 100);
    CHECK((next.bytes().data() == at) == BufferRef::keeps_blocks);
  }
}

TEST_CASE("what is written through one reference is seen through all") {
  BufferRef whole = BufferRef::copy_of("abc");
  const BufferRef tail = whole.slice(1, 2);
  whole.writable()[2] = std::byte{'x'};
  CHECK(text_of(tail) == "bx");
}

TEST_CASE("assigning a buffer to itself keeps it") {
  BufferRef buffer = BufferRef::copy_of("same");
  BufferRef& alias = buffer;
  buffer = alias;
  CHECK(text_of(buffer) == "same");
  buffer = std::move(alias);
  CHECK(text_of(buffer) == "same");
}

TEST_CASE("a buffer that was moved from is empty") {
  BufferRef from = BufferRef::copy_of("gone");
  const BufferRef to(std::move(from));
  CHECK(text_of(to) == "gone");
  CHECK(from.empty());  // NOLINT(bugprone-use-after-move): that is the point
}

TEST_CASE("random copies, moves and slices never lose or mix up bytes") {
  Random random(7);
  std::vector<std::pair<BufferRef, std::string>> held(16);
  for (int step = 0; step < 20000; ++step) {
    auto& to = held[random.below(held.size())];
    const auto& from = held[random.below(held.size())];
    const std::size_t at = random.below(from.second.size() + 1);
    const std::size_t length = random.below(from.second.size() - at + 1);
    switch (random.below(4)) {
      case 0: {
        const std::string text(random.below(40), static_cast<char>('a' + random.below(26)));
        to = {BufferRef::copy_of(text), text};
        break;
      }
      case 1:
        to = from;
        break;
      case 2:
        to = {from.first.slice(at, length), from.second.substr(at, length)};
        break;
      default:
        std::swap(to, held[random.below(held.size())]);
    }
    const auto& looked_at = held[random.below(held.size())];
    REQUIRE(text_of(looked_at.first) == looked_at.second);
  }
}

}  // namespace ringcast
