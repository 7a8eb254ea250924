// SPDX-License-Identifier: Apache-2.0
//
// What a client may do to its daemon, on a small cluster and exactly:
// C3 clients that do not read do not make the token slower.
// C5 a client that dies in the middle of a request leaves its daemon as if it had been sent or
//    not: at every byte of a conversation with all kinds of requests.
#include <memory>

#include <catch2/catch.hpp>

#include "sim/checkers/checkers.hpp"
#include "sim/client.hpp"
#include "sim/recorder.hpp"

namespace ringcast::sim {
namespace {

using std::chrono::milliseconds;

/// Daemons that form one ring, without faults.
struct SmallCluster {
  explicit SmallCluster(const std::vector<std::string>& names) : recorder(names) {
    config.names = names;
    config.small_boot_ids = true;
    network = std::make_unique<Network>(names.size(), Random{1});
    cluster = std::make_unique<Cluster>(config, *network, recorder, Random{2});
    recorder.attach(*cluster);
    oracle = std::make_unique<Oracle>(*cluster, recorder.history);
    recorder.set_oracle(oracle.get());
    network->set_tap([this](Instant, std::size_t from, std::size_t, const BufferRef& bytes, Fate) {
      oracle->on_packet(from, bytes);
    });
    for (std::size_t host = 0; host < names.size(); ++host) {
      cluster->start(host);
    }
    run(milliseconds{1500});
  }

  void run(Duration duration) {
    const Instant limit = cluster->now() + duration;
    while (cluster->step(limit)) {
    }
  }

  SimClient& connect(std::size_t host, const std::string& name) {
    clients.push_back(
        std::make_unique<SimClient>(*cluster, recorder.history, host, recorder.process_of(host)));
    if (!name.empty()) clients.back()->hello(name);
    return *clients.back();
  }

  std::uint64_t tokens() const { return cluster->node(0)->inspect().tokens_accepted; }

  Report judge() {
    recorder.history.finished = cluster->now();
    Report report = oracle->report();
    check_all(recorder.history, report);
    return report;
  }

  ClusterConfig config;
  Recorder recorder;
  std::unique_ptr<Network> network;
  std::unique_ptr<Cluster> cluster;
  std::unique_ptr<Oracle> oracle;
  std::vector<std::unique_ptr<SimClient>> clients;
};

/// Visits of the token at the first daemon in a second under load.
std::uint64_t visits_under_load(bool are_stalled) {
  SmallCluster s({"a", "b", "c"});
  SimClient& publisher = s.connect(1, "publisher");
  for (int i = 0; i < 8; ++i) {
    SimClient& reader = s.connect(0, "reader" + std::to_string(i));
    s.run(milliseconds{5});
    reader.join("g");
    s.run(milliseconds{50});
    if (are_stalled) reader.stop_reading();
  }
  const std::uint64_t before = s.tokens();
  for (int i = 0; i < 1000; ++i) {
    PublishOptions options;
    options.groups = {"g"};
    options.size = 1000;
    publisher.publish(options);
    s.run(milliseconds{1});
  }
  const std::uint64_t visits = s.tokens() - before;
  CHECK(s.judge().ok());
  return visits;
}

TEST_CASE("C3 the token is as fast when clients do not read as when they do") {
  const std::uint64_t reading = visits_under_load(false);
  const std::uint64_t stalled = visits_under_load(true);
  CHECK(reading > 1000);
  CHECK(stalled * 11 >= reading * 10);
}

/// What x says, frame by frame.
std::vector<std::vector<std::byte>> conversation() {
  std::vector<std::vector<std::byte>> frames;
  const auto add = [&](auto encode) {
    ByteWriter frame;
    encode(frame);
    frames.emplace_back(frame.view().begin(), frame.view().end());
  };
  const auto publish = [](std::uint64_t ticket) {
    return [ticket](ByteWriter& frame) {
      const std::vector<std::byte> payload(16, static_cast<std::byte>(ticket));
      SendRequest request;
      request.ticket = ticket;
      request.groups = {"g"};
      request.payload = payload;
      encode_publish_head(frame, request);
      frame.bytes(payload);
    };
  };
  add([](ByteWriter& frame) { encode_hello(frame, "x"); });
  add([](ByteWriter& frame) { encode_join(frame, "g"); });
  add(publish(1));
  add([](ByteWriter& frame) { encode_leave(frame, "g"); });
  add(publish(2));
  add([](ByteWriter& frame) { encode_join(frame, "g"); });
  add([](ByteWriter& frame) { encode_goodbye(frame); });
  return frames;
}

/// What another client sees when x says that much and dies, at once or after a while.
std::string seen_by_witness(std::span<const std::byte> said, bool at_once) {
  SmallCluster s({"a", "b"});
  SimClient& asking = s.connect(1, "witness");
  const SimClient& witness = asking;
  s.run(milliseconds{5});
  asking.join("g");
  s.run(milliseconds{200});
  SimClient& x = s.connect(0, "");
  x.send_raw(said);
  if (!at_once) s.run(milliseconds{200});
  x.hang_up();
  s.run(milliseconds{400});
  std::string seen;
  for (const SessionEvent& event : witness.record().events) {
    if (const auto* const view = std::get_if<ViewEvent>(&event.what)) {
      seen += std::string(to_string(view->cause)) + " " + std::to_string(view->members.size());
    } else if (const auto* const received = std::get_if<Received>(&event.what)) {
      seen += "message " + std::to_string(received->hash);
    } else {
      continue;
    }
    seen += "; ";
  }
  CHECK(s.oracle->report().ok());
  CHECK(s.cluster->node(0)->inspect_sessions().empty());
  return seen;
}

TEST_CASE("C5 a client that dies at any byte has sent whole requests, or not") {
  std::vector<std::byte> all;
  std::vector<std::size_t> ends{0};
  for (const auto& frame : conversation()) {
    all.insert(all.end(), frame.begin(), frame.end());
    ends.push_back(all.size());
  }
  const std::span<const std::byte> bytes{all};
  std::vector<std::string> whole;
  whole.reserve(ends.size());
  for (const std::size_t end : ends) {
    whole.push_back(seen_by_witness(bytes.first(end), false));
  }
  CHECK(whole[1] != whole[2]);
  CHECK(whole[2] != whole[3]);
  std::size_t complete = 0;
  for (std::size_t count = 0; count <= all.size(); ++count) {
    while (complete + 1 < ends.size() && ends[complete + 1] <= count) {
      ++complete;
    }
    INFO("after " << count << " of " << all.size() << " bytes");
    CHECK(seen_by_witness(bytes.first(count), count % 2 == 0) == whole[complete]);
  }
}

}  // namespace
}  // namespace ringcast::sim
