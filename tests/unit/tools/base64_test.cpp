// SPDX-License-Identifier: Apache-2.0
#include "tools/common/base64.hpp"

#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "tools/common/utf8.hpp"

using namespace std::string_view_literals;
using namespace ringcast::tools;

namespace {

std::string base64_of(std::string_view text) { return base64(as_bytes(text)); }

}  // namespace

TEST_CASE("base64: padded as in RFC 4648") {
  CHECK(base64_of("").empty());
  CHECK(base64_of("f") == "Zg==");
  CHECK(base64_of("fo") == "Zm8=");
  CHECK(base64_of("foo") == "Zm9v");
  CHECK(base64_of("foob") == "Zm9vYg==");
  CHECK(base64_of("fooba") == "Zm9vYmE=");
  CHECK(base64_of("foobar") == "Zm9vYmFy");
  CHECK(base64_of("\xfb\xff\x00"sv) == "+/8A");
}
