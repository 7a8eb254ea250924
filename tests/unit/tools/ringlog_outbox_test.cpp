// SPDX-License-Identifier: Apache-2.0
//
// Outbox: nothing is forgotten before a later message of ours was confirmed kept in the same
// configuration, and everything else is sent again, in order.
#include <catch2/catch.hpp>

#include "tools/ringlog-publish/outbox.hpp"
#include "tools/ringlog/record.hpp"

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

const MemberName writer{"w", "log1"};

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
  CHECK(outbox.on_written(writer, {elsewhere, elsewhere}).empty());
  // The first came before that writer did.
  CHECK(marks(outbox.on_written(writer, {second, second})) == std::vector<std::uint64_t>{2});
  outbox.retry_set_aside();
  CHECK(outbox.set_aside() == 0);
  CHECK(send_all(outbox) == std::vector<RecordNumber>{1, 3});
}

TEST_CASE("a record waits until as many writers as required have synced it", "[ringlog]") {
  Outbox outbox(1000, 2);
  for (std::uint64_t mark = 1; mark <= 3; ++mark) {
    (void)outbox.accept(record(10, mark));
  }
  (void)send_all(outbox);
  const auto place = [](std::uint64_t seq) {
    auto position = confirmation(1).position;
    position.seq = seq;
    return position;
  };
  const auto confirm = [&](std::uint64_t ticket) {
    auto made = confirmation(ticket);
    made.position.seq = ticket;
    return outbox.on_confirmation(made, true);
  };
  const MemberName second{"w", "log2"};
  CHECK(outbox.on_written(writer, {place(1), place(2)}).empty());  // before it has settled
  for (std::uint64_t ticket = 1; ticket <= 3; ++ticket) {
    CHECK(confirm(ticket).empty());
  }
  outbox.on_settle_sent(100);
  CHECK(confirm(100).empty());
  CHECK(outbox.unreceipted() == 3);
  CHECK_FALSE(outbox.needs_settle());
  CHECK(outbox.on_written(writer, {place(1), place(3)}).empty());  // the same writer twice is one
  CHECK(marks(outbox.on_written(second, {place(1), place(2)})) == std::vector<std::uint64_t>{1, 2});
  outbox.retry_set_aside();  // another configuration: the third goes again
  CHECK(send_all(outbox) == std::vector<RecordNumber>{3});
  CHECK(outbox.unreceipted() == 0);
}

TEST_CASE("the oldest lines that were never sent make room, for one note", "[ringlog]") {
  Outbox outbox(150);
  const Producer producer{random_producer(), "p"};
  const auto lines = [&](std::uint64_t seq) {
    const Record made{producer, seq, Lines{{"0123456789", "0123456789"}}};
    return OutgoingRecord{encode(made), 2, Origin{0, 0}};
  };
  for (std::uint64_t seq = 1; seq <= 9; seq += 2) {
    (void)outbox.accept(lines(seq));
  }
  const auto sent = send_all(outbox);
  REQUIRE(sent.size() == 2);
  CHECK(outbox.drop_oldest(0) == 2U);
  CHECK(outbox.drop_oldest(0) == 2U);
  CHECK_FALSE(outbox.drop_oldest(7));  // of another source
  const auto all = outbox.all();
  REQUIRE(all.size() == 4);
  const auto note = decode_record(outbox.record(all[2]).payload);
  REQUIRE(note);
  CHECK(std::get<Dropped>(note->body) == Dropped{4, 40, 4});
  CHECK(range_of(*note) == Range{5, 8});
  outbox.on_session_end();
  CHECK(outbox.drop_oldest(0) == 2U);  // the last
  CHECK_FALSE(outbox.drop_oldest(0));  // somebody may have those that were sent
  std::size_t bytes = 0;
  for (const auto number : outbox.all()) {
    bytes += outbox.record(number).payload.size();
  }
  CHECK(outbox.bytes() == bytes);
  CHECK(outbox.all().size() == 3);
}
