// SPDX-License-Identifier: Apache-2.0
//
// BufferChain: one buffer or several look like the same bytes, and nobody's are copied.
#include "protocol/base/buffer_chain.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include <catch2/catch.hpp>

using namespace ringcast;

namespace {

std::string text_of(const BufferChain& chain) {
  const auto whole = chain.joined();
  return {reinterpret_cast<const char*>(whole.bytes().data()), whole.size()};
}

BufferChain chain_of(std::initializer_list<std::string_view> texts) {
  BufferChain chain;
  for (const auto text : texts) {
    chain.append(BufferRef::copy_of(text));
  }
  return chain;
}

}  // namespace

TEST_CASE("a chain of one buffer is that buffer") {
  const auto buffer = BufferRef::copy_of("ordered");
  const BufferChain chain(buffer);
  CHECK(chain.is_one_piece());
  CHECK(chain.size() == 7);
  CHECK(chain.rest().empty());
  CHECK(chain.joined().bytes().data() == buffer.bytes().data());
  CHECK(BufferChain().empty());
  CHECK(BufferChain().joined().empty());
}

TEST_CASE("buffers are one behind the other, and those without bytes are none") {
  const auto chain = chain_of({"", "ord", "", "er", "ed"});
  CHECK(text_of(chain) == "ordered");
  CHECK(chain.size() == 7);
  CHECK(chain.buffers() == 3);
  auto two = chain_of({"as "});
  two.append(chain);
  CHECK(text_of(two) == "as ordered");
  CHECK(two.rest()[0].bytes().data() == chain.front().bytes().data());
}

TEST_CASE("a chain is let go of from the front") {
  auto chain = chain_of({"ord", "er", "ed"});
  chain.remove_prefix(2);
  CHECK(text_of(chain) == "dered");
  chain.remove_prefix(1);
  CHECK(text_of(chain) == "ered");
  chain.pop_front();
  CHECK(text_of(chain) == "ered");
  chain.pop_front();
  CHECK(text_of(chain) == "ed");
  CHECK(chain.is_one_piece());
  chain.append(BufferRef::copy_of("!"));
  CHECK(text_of(chain) == "ed!");
}

TEST_CASE("a copy of a chain is let go of apart from it") {
  const auto chain = chain_of({"ord", "er", "ed"});
  auto copy = chain;
  copy.pop_front();
  CHECK(text_of(copy) == "ered");
  CHECK(text_of(chain) == "ordered");
  copy = chain;
  CHECK(copy.rest()[1].bytes().data() == chain.rest()[1].bytes().data());
  const auto moved = std::move(copy);
  CHECK(text_of(moved) == "ordered");
}
