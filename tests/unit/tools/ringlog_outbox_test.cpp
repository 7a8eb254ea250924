// SPDX-License-Identifier: Apache-2.0
//
// Outbox: nothing is forgotten before a later message of ours was confirmed kept in the same
// configuration, and everything else is sent again, in order.
#include <catch2/catch.hpp>

#include "tools/ringlog-publish/outbox.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;

namespace {

OutgoingRecord record(std::size_t bytes, std::uint64_t mark) {
  OutgoingRecord made;
  made.payload.resize(bytes);
  made.lines = 1;
  made.origin = Origin{1, mark};
  return made;
}

Confirmation confirmation(std::uint64_t ticket, std::uint64_t ring = 1) {
  Confirmation made;
  made.ticket = ticket;
  made.position.configuration = ConfigurationId{ring, "a", 1};
  made.stable = true;
  return made;
}

Confirmation transitional(std::uint64_t ticket) {
  auto made = confirmation(ticket);
  made.transitional = true;
  return made;
}

std::vector<std::uint64_t> marks(const std::vector<Origin>& origins) {
  std::vector<std::uint64_t> made;
  for (const auto& origin : origins) {
    made.push_back(origin.mark);
  }
  return made;
}

// Sends whatever may be sent; the tickets are the records' numbers.
std::vector<RecordNumber> send_all(Outbox& outbox) {
  std::vector<RecordNumber> sent;
  while (const auto number = outbox.next()) {
    outbox.on_sent(*number, *number);
    sent.push_back(*number);
  }
  return sent;
}

}  // namespace

TEST_CASE(
    "a confirmed record settles with a message published after its confirmation", "[ringlog]") {
  Outbox outbox(1000);
  (void)outbox.accept(record(10, 1));
  (void)outbox.accept(record(10, 2));
  CHECK(send_all(outbox) == std::vector<RecordNumber>{1, 2});
  CHECK(outbox.on_confirmation(confirmation(1), true).empty());
  // The second was published before the first was confirmed: it proves nothing about it.
  CHECK(outbox.on_confirmation(confirmation(2), true).empty());
  CHECK_FALSE(outbox.empty());
  REQUIRE(outbox.needs_settle());
  outbox.on_settle_sent(100);
  CHECK_FALSE(outbox.needs_settle());
  CHECK(marks(outbox.on_confirmation(confirmation(100), true)) == std::vector<std::uint64_t>{1, 2});
  CHECK(outbox.empty());
  CHECK(outbox.bytes() == 0);
}

TEST_CASE("in a steady stream records settle by those after them", "[ringlog]") {
  Outbox outbox(1000);
  (void)outbox.accept(record(10, 1));
  (void)send_all(outbox);
  CHECK(outbox.on_confirmation(confirmation(1), true).empty());
  (void)outbox.accept(record(10, 2));
  CHECK_FALSE(outbox.needs_settle());
  (void)send_all(outbox);
  CHECK(marks(outbox.on_confirmation(confirmation(2), true)) == std::vector<std::uint64_t>{1});
}

TEST_CASE("a record confirmed transitionally or only ordered is sent again first", "[ringlog]") {
  Outbox outbox(1000);
  (void)outbox.accept(record(10, 1));
  (void)outbox.accept(record(10, 2));
  (void)send_all(outbox);
  (void)outbox.accept(record(10, 3));
  CHECK(outbox.on_confirmation(transitional(1), true).empty());
  auto unstable = confirmation(2);
  unstable.stable = false;
  CHECK(outbox.on_confirmation(unstable, true).empty());
  CHECK(send_all(outbox) == std::vector<RecordNumber>{1, 2, 3});
  CHECK(outbox.sent_again() == 2);
}

TEST_CASE("a configuration change between two confirmations settles nothing", "[ringlog]") {
  Outbox outbox(1000);
  (void)outbox.accept(record(10, 1));
  (void)send_all(outbox);
  (void)outbox.on_confirmation(confirmation(1, 1), true);
  outbox.on_settle_sent(100);
  CHECK(outbox.on_confirmation(confirmation(100, 2), true).empty());
  CHECK(send_all(outbox) == std::vector<RecordNumber>{1});
}

TEST_CASE("the end of a session puts everything back in order of acceptance", "[ringlog]") {
  Outbox outbox(1000);
  for (std::uint64_t mark = 1; mark <= 4; ++mark) {
    (void)outbox.accept(record(10, mark));
  }
  (void)send_all(outbox);
  (void)outbox.on_confirmation(confirmation(2), true);
  outbox.on_session_end();
  CHECK(outbox.on_confirmation(confirmation(1), true).empty());
  CHECK(send_all(outbox) == std::vector<RecordNumber>{1, 2, 3, 4});
  CHECK(outbox.lines() == 4);
}

TEST_CASE(
    "the window bounds what is sent and not settled, but one record always goes", "[ringlog]") {
  Outbox outbox(100);
  (void)outbox.accept(record(500, 1));
  (void)outbox.accept(record(60, 2));
  (void)outbox.accept(record(60, 3));
  CHECK(send_all(outbox) == std::vector<RecordNumber>{1});
  (void)outbox.on_confirmation(confirmation(1), true);
  // Confirmed, not settled: it still fills the window, so a Settle must free it.
  CHECK(outbox.has_waiting());
  REQUIRE(outbox.needs_settle());
  outbox.on_settle_sent(100);
  CHECK(marks(outbox.on_confirmation(confirmation(100), true)) == std::vector<std::uint64_t>{1});
  CHECK(send_all(outbox) == std::vector<RecordNumber>{2});
}

TEST_CASE("a refused record was not ordered and waits again", "[ringlog]") {
  Outbox outbox(100);
  const auto number = outbox.accept(record(10, 1));
  (void)send_all(outbox);
  CHECK(outbox.on_refused(number) == number);
  outbox.replace(number, record(5, 1));
  CHECK(outbox.bytes() == 5);
  CHECK(send_all(outbox) == std::vector<RecordNumber>{number});
}

TEST_CASE("without a majority a record waits for a writer or another configuration", "[ringlog]") {
  Outbox outbox(1000);
  for (std::uint64_t mark = 1; mark <= 3; ++mark) {
    (void)outbox.accept(record(10, mark));
  }
  (void)send_all(outbox);
  for (std::uint64_t ticket = 1; ticket <= 3; ++ticket) {
    auto alone = confirmation(ticket);
    alone.position.seq = ticket;
    CHECK(outbox.on_confirmation(alone, false).empty());
  }
  CHECK(outbox.set_aside() == 3);
  CHECK_FALSE(outbox.needs_settle());
  CHECK_FALSE(outbox.next());
  auto second = confirmation(2).position;
  second.seq = 2;
  auto elsewhere = second;
  elsewhere.configuration.seq = 9;
  CHECK(outbox.on_written({elsewhere, elsewhere}).empty());
  // The first came before that writer did.
  CHECK(marks(outbox.on_written({second, second})) == std::vector<std::uint64_t>{2});
  outbox.retry_set_aside();
  CHECK(outbox.set_aside() == 0);
  CHECK(send_all(outbox) == std::vector<RecordNumber>{1, 3});
}
