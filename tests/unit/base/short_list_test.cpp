// SPDX-License-Identifier: Apache-2.0
//
// ShortList: like a vector, with none, one and more.
#include "protocol/base/short_list.hpp"

#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

using namespace ringcast;  // NOLINT(google-build-using-namespace)

TEST_CASE("a short list is what a vector would be") {
  std::vector<std::string> vector;
  ShortList<std::string> list;
  CHECK(list.empty());
  CHECK(list.begin() == list.end());
  for (int i = 0; i < 5; ++i) {
    const auto item = "an item that is too long for a string without memory " + std::to_string(i);
    vector.push_back(item);
    list.push_back(item);
    CHECK(list.size() == vector.size());
    CHECK(std::vector<std::string>(list.begin(), list.end()) == vector);
    CHECK(list == vector);
    CHECK(list.front() == vector.front());
    CHECK(list[list.size() - 1] == item);
    const auto copy = list;
    CHECK(copy == list);
    auto moved = std::move(list);
    CHECK(moved == vector);
    CHECK(list.empty());  // NOLINT(bugprone-use-after-move): as promised
    list = std::move(moved);
    CHECK(list == vector);
    ShortList<std::string> reserved;
    reserved.reserve(vector.size());
    for (const auto& each : vector) {
      reserved.push_back(each);
    }
    CHECK(reserved == vector);
  }
  CHECK_FALSE(list == ShortList<std::string>{"other"});
  CHECK_FALSE(ShortList<int>{1, 2} == ShortList<int>{1});
  CHECK(ShortList<int>{7}.front() == 7);
}
