// SPDX-License-Identifier: Apache-2.0
//
// The checks of the comparison, checked: whatever a system does wrong with messages is noticed,
// and percentiles are right to the precision they promise.
#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

#include "client/latencies.hpp"
#include "client/message.hpp"
#include "client/verifier.hpp"

namespace ringcast::bench {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t bytes = 100;

Head data(std::uint32_t sender, std::uint64_t number) {
  return Head{Kind::data, sender, number, std::nullopt};
}

Head last(std::uint32_t sender, std::uint64_t number) {
  return Head{Kind::last, sender, number, std::nullopt};
}

Verifier after(const std::vector<Head>& heads) {
  Verifier verifier(2, bytes);
  for (const auto& head : heads) {
    verifier.take(head, bytes);
  }
  return verifier;
}

bool is_clean(const Verifier& verifier) {
  return verifier.is_complete() && verifier.missing() == 0 && verifier.repeated() == 0 &&
         verifier.spoiled() == 0;
}

TEST_CASE("what arrives whole and in each sender's order is clean") {
  const auto verifier = after({data(0, 0), data(1, 0), data(0, 1), last(1, 1), last(0, 2)});
  CHECK(is_clean(verifier));
  CHECK(verifier.delivered() == 3);
}

TEST_CASE("a message that is missing is noticed, also at the end") {
  CHECK(after({data(0, 0), data(0, 2), last(0, 3), last(1, 0)}).missing() == 1);
  CHECK(after({data(0, 0), last(0, 3), last(1, 0)}).missing() == 2);
  CHECK_FALSE(after({data(0, 0), last(0, 1)}).is_complete());
}

TEST_CASE("a message that comes twice, late, or after the last is noticed") {
  CHECK(after({data(0, 0), data(0, 0)}).repeated() == 1);
  CHECK(after({data(0, 1), data(0, 0)}).repeated() == 1);
  CHECK(after({last(0, 0), data(0, 1)}).repeated() == 1);
}

TEST_CASE("a message of another length, or of nobody, is noticed") {
  Verifier verifier(1, bytes);
  verifier.take(data(0, 0), bytes - 1);
  verifier.take(data(1, 0), bytes);
  verifier.take_garbage();
  CHECK(verifier.spoiled() == 3);
}

TEST_CASE("two receivers have one hash only when they saw one order") {
  const std::vector<Head> one{data(0, 0), data(1, 0), data(0, 1), data(1, 1)};
  CHECK(after(one).order() == after(one).order());
  for (std::size_t place = 0; place + 1 < one.size(); ++place) {
    auto other = one;
    std::swap(other[place], other[place + 1]);
    if (other[place].sender == other[place + 1].sender) continue;
    CHECK(after(one).order() != after(other).order());
  }
}

TEST_CASE("heads survive the way, and a message whose ends differ is none") {
  std::array<std::byte, bytes> message{};
  const Head head{Kind::data, 7, 1U << 20U, Clock::time_point(nanoseconds(123456789))};
  write_head(message, head);
  const auto back = read_head(message);
  REQUIRE(back);
  CHECK(back->sender == head.sender);
  CHECK(back->number == head.number);
  CHECK(back->sent == head.sent);
  CHECK_FALSE(read_head(std::span(message).first(bytes - 1)));
  message.back() ^= std::byte{1};
  CHECK_FALSE(read_head(message));
}

TEST_CASE("percentiles are right to one part in 64") {
  std::mt19937_64 random(1);  // NOLINT(cert-msc51-cpp): the same every time, on purpose
  std::lognormal_distribution<double> distribution(11, 2);
  Latencies latencies;
  std::vector<std::int64_t> all;
  for (int i = 0; i < 20000; ++i) {
    all.push_back(static_cast<std::int64_t>(distribution(random)));
    latencies.add(nanoseconds(all.back()));
  }
  std::sort(all.begin(), all.end());
  CHECK(latencies.max().count() == all.back());
  for (const double share : {0.5, 0.99, 0.999}) {
    const auto exact =
        static_cast<double>(all[static_cast<std::size_t>(share * static_cast<double>(all.size()))]);
    const auto told = static_cast<double>(latencies.percentile(share).count());
    CHECK(told == Approx(exact).epsilon(1.0 / 64));
  }
}

TEST_CASE("no latencies, and extreme ones, have percentiles") {
  Latencies latencies;
  CHECK(latencies.percentile(0.5) == nanoseconds::zero());
  latencies.add(nanoseconds(-5));
  CHECK(latencies.percentile(1) == nanoseconds::zero());
  latencies.add(std::chrono::hours(1000));
  CHECK(latencies.max() == std::chrono::hours(1000));
}

}  // namespace
}  // namespace ringcast::bench
