// SPDX-License-Identifier: Apache-2.0
//
// Writer: a whole ringlog-write, in a thread of its own, against a daemon that says what the
// test wants.
#include <atomic>
#include <optional>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/unit/client/fake_daemon.hpp"
#include "tests/unit/temporary_directory.hpp"
#include "tests/unit/tools/running.hpp"
#include "tools/ringlog-write/writer.hpp"

using namespace ringcast;
using namespace ringcast::ringlog;
using tools::ExitCode;

namespace {

constexpr RingId ring{17, NodeId{7}, BootId{0x5f0c9a31}};
const std::string group = "weblogs";

using RunningWriter = Running<Writer, WriterOptions>;

WriterOptions options_for(const FakeDaemon& daemon, const std::string& path) {
  WriterOptions options;
  options.client.socket = daemon.path();
  options.group = group;
  options.path = path;
  return options;
}

bool say_joined(FakeDaemon& daemon, const std::string& name) {
  const Member member{NodeId{7}, "pub", SessionId{1}};
  const ViewEvent view{
      .group = name,
      .id = {.configuration = ring, .next = {}, .number = 1},
      .cause = Cause::join,
      .who = {member},
      .members = {member},
      .with_me = {member}};
  return daemon.say([&](ByteWriter& out) { encode_view(out, view); });
}

// The writer is alone and writing; the ring has these daemons of two.
bool meet(FakeDaemon& daemon, const std::vector<NodeId>& members) {
  if (!daemon.greet()) return false;
  const auto groups = daemon.hear_a<GroupsRequest>();
  return groups &&
         daemon.say([&](ByteWriter& out) { encode_groups_reply(out, groups->request, {}); }) &&
         daemon.hear_a<JoinRequest>() && daemon.say([&](ByteWriter& out) {
           encode_configuration(out, ConfigurationEvent{.id = ring, .daemons = members});
         }) &&
         say_joined(daemon, group) && daemon.hear_a<JoinRequest>() &&
         say_joined(daemon, writers_group(group));
}

// What the writer says to other writers is passed over.
bool hear_progress(FakeDaemon& daemon) {
  for (auto sent = daemon.hear_a<SendRequest>(); sent; sent = daemon.hear_a<SendRequest>()) {
    if (sent->type == progress_type) return true;
  }
  return false;
}

bool say_line(FakeDaemon& daemon, const std::string& line) {
  Record record;
  record.producer.id.bytes[0] = 1;
  record.first_seq = 1;
  record.body = Lines{{line}};
  const MessageEvent event{
      .configuration = ring,
      .seq = Seq{5},
      .index = 0,
      .sender_node = NodeId{9},
      .sender_name = "p",
      .groups = {group},
      .service = Service::safe,
      .type = record_type,
      .transitional = false,
      .payload = BufferRef::copy_of(encode(record))};
  return daemon.say([&](ByteWriter& out) {
    encode_message_head(out, event);
    out.bytes(event.payload.front().bytes());
  });
}

}  // namespace

TEST_CASE("a publisher without majority hears of lines that are on the disk", "[ringlog]") {
  const TemporaryDirectory directory;
  FakeDaemon daemon;
  auto options = options_for(daemon, directory / "log");
  std::atomic<int> synced{0};
  std::atomic<int> names_synced{0};
  options.calls.sync = [&](int fd) {
    ++synced;
    return ::fdatasync(fd);
  };
  options.calls.sync_directory = [&](const std::string& path) {
    ++names_synced;
    return sync_directory_of(path);
  };
  RunningWriter writer(std::move(options));
  REQUIRE(meet(daemon, {NodeId{7}}));
  REQUIRE(say_line(daemon, "line"));
  REQUIRE(hear_progress(daemon));
  CHECK(synced > 0);
  CHECK(names_synced == 1);
  const auto pending = read_text(directory / "log.pending-17.web1.5f0c9a31");
  CHECK(pending.ends_with("}\nline\n"));
  writer.stop();
  CHECK(daemon.hear_a<LeaveRequest>());
  daemon.hang_up();
  CHECK(writer.wait() == ExitCode::done);
}

TEST_CASE("a daemon of another version ends the writer in good order", "[ringlog]") {
  const TemporaryDirectory directory;
  FakeDaemon daemon;
  RunningWriter writer(options_for(daemon, directory / "log"));
  REQUIRE(meet(daemon, {NodeId{7}, NodeId{9}}));
  REQUIRE(say_line(daemon, "line"));
  CHECK(hear_progress(daemon));  // it was written
  REQUIRE(daemon.accept());
  REQUIRE(daemon.hear_a<HelloRequest>());
  REQUIRE(daemon.say([](ByteWriter& out) {
    encode_closed(out, Error{Errc::unsupported_version, "we are too far apart"});
  }));
  CHECK(writer.wait() == ExitCode::failed);
  CHECK(read_text(directory / "log") == "line\n");
  // One line: the snapshot that the end writes, and no entry behind it.
  const auto sidecar = read_text(directory / "log.position");
  CHECK(sidecar.find("\"lines\":1") != std::string::npos);
  CHECK(std::count(sidecar.begin(), sidecar.end(), '\n') == 1);
}
