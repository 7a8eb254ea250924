// SPDX-License-Identifier: Apache-2.0
//
// Which part of the configured daemons decides: never two that are apart at the same time.
#include <catch2/catch.hpp>

#include "ringcast/configuration.hpp"

using namespace ringcast;  // NOLINT(google-build-using-namespace)

namespace {

bool decides(std::vector<std::string> daemons, std::vector<std::string> configured) {
  return Configuration{{}, std::move(daemons), std::move(configured)}.has_majority();
}

}  // namespace

TEST_CASE("more than half of the configured daemons is a majority", "[client]") {
  CHECK(decides({"c", "b"}, {"a", "b", "c"}));
  CHECK_FALSE(decides({"a"}, {"a", "b", "c"}));
  CHECK(decides({"a"}, {"a"}));
}

TEST_CASE("of two halves the one with the lowest name is the majority", "[client]") {
  CHECK(decides({"a"}, {"a", "b"}));
  CHECK_FALSE(decides({"b"}, {"a", "b"}));
  CHECK(decides({"d", "a"}, {"a", "b", "c", "d"}));
  CHECK_FALSE(decides({"b", "c"}, {"a", "b", "c", "d"}));
  CHECK_FALSE(decides({"a"}, {"a", "b", "c", "d"}));
}
