// SPDX-License-Identifier: Apache-2.0
//
// session, server_frames, client: every frame there is, cut into pieces.
#include <algorithm>
#include <initializer_list>

#include "fuzz/seeds/seeds.hpp"
#include "unit/session/samples.hpp"

namespace ringcast::fuzz {
namespace {

using Bytes = std::vector<std::byte>;

void append(Bytes& to, std::span<const std::byte> bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void append(Bytes& to, std::initializer_list<int> values) {
  for (const int value : values) {
    to.push_back(static_cast<std::byte>(value));
  }
}

void add_sessions(std::vector<Seed>& seeds) {
  const auto requests = samples::requests();
  Bytes all;
  append(all, {2, 5, 17});  // pieces of 5 and 17 bytes
  for (const auto& request : requests) {
    append(all, request);
  }
  seeds.push_back({"session", "all-requests", all});
  Bytes whole;
  append(whole, {0});
  append(whole, requests.front());
  for (int i = 0; i < 3; ++i) {
    append(whole, requests[1]);
    append(whole, requests[2]);
  }
  seeds.push_back({"session", "joins-and-leaves", whole});
  // A publish that is refused by its ticket and skipped, then a ping.
  Bytes skipped;
  append(skipped, {1, 200});
  append(skipped, requests.front());
  const Bytes payload(12000, std::byte{'x'});
  SendRequest large;
  large.ticket = 9;
  large.groups = {"weblogs"};
  large.payload = payload;
  append(skipped, samples::publish(large));
  append(skipped, requests[6]);
  seeds.push_back({"session", "too-large", skipped});
}

void add_server_frames(std::vector<Seed>& seeds) {
  std::size_t number = 0;
  for (const auto& frame : samples::server_frames()) {
    const auto body = samples::body(frame);
    seeds.push_back(
        {"server_frames", "frame-" + std::to_string(number++), {body.begin(), body.end()}});
  }
}

/// A piece as client.cpp reads it: a frame whose length is put in front.
void append_frame(Bytes& to, std::span<const std::byte> body) {
  const auto length = static_cast<unsigned>(body.size());
  append(to, {static_cast<int>(length & 255U), static_cast<int>((length >> 8U & 127U) | 128U)});
  append(to, body);
}

/// Calls of the program: which and an argument each.
Bytes beginning(int manners, std::initializer_list<int> calls) {
  Bytes bytes;
  append(bytes, {manners, static_cast<int>(calls.size() / 2)});
  append(bytes, calls);
  return bytes;
}

void add_clients(std::vector<Seed>& seeds) {
  constexpr int renews = 8;
  constexpr int twice = 16;
  const auto frames = samples::server_frames();
  const auto welcome = samples::body(frames.front());

  Bytes events = beginning(0, {0, 0, 2, 2, 9, 5});
  append_frame(events, welcome);
  for (std::size_t i = 1; i < frames.size(); ++i) {
    append_frame(events, samples::body(frames[i]));
  }
  seeds.push_back({"client", "every-frame", events});

  // Status, groups and flush have the request numbers 1 to 3, in this order.
  const GroupList groups = {{"weblogs", {samples::member(7, "a")}}};
  Bytes answers = beginning(1, {5, 20, 6, 20, 7, 20, 4, 20});
  append_frame(answers, welcome);
  for (const auto& reply :
       {Session::encode_status(1, samples::node_status()),
        Session::encode_groups(2, groups),
        Session::encode_pong(3),
        Session::encode_event(
            ConfirmEvent{
                .ticket = 4, .configuration = samples::ring(17), .seq = Seq{5}, .stable = true})
            .joined()}) {
    append_frame(answers, reply.bytes().subspan(frame_length_bytes));
  }
  seeds.push_back({"client", "answers", answers});

  // Lost in the middle, and renewed.
  Bytes renewed = beginning(renews | twice | 2, {0, 0, 0, 1, 1, 1, 3, 0, 10, 0, 9, 30, 10, 0});
  append_frame(renewed, welcome);
  append(renewed, {0, 0});
  append_frame(renewed, samples::body(frames[2]));
  append(renewed, {0xff, 0x7f});
  append_frame(renewed, welcome);
  append_frame(renewed, samples::body(frames[3]));
  append(renewed, {0xfe, 0x7f});
  seeds.push_back({"client", "renewed", renewed});

  // The same bytes without any regard to frames.
  Bytes torn = beginning(4, {10, 0, 9, 9, 8, 255});
  Bytes stream;
  for (const auto& frame : frames) {
    append(stream, frame);
  }
  for (std::size_t at = 0; at < stream.size(); at += 37) {
    const auto size = std::min<std::size_t>(37, stream.size() - at);
    append(torn, {static_cast<int>(size), 0});
    append(torn, std::span{stream}.subspan(at, size));
  }
  seeds.push_back({"client", "torn", torn});

  Bytes refused = beginning(0, {});
  append_frame(refused, samples::body(frames.back()));
  seeds.push_back({"client", "refused", refused});
}

}  // namespace

void add_client_seeds(std::vector<Seed>& seeds) {
  add_sessions(seeds);
  add_server_frames(seeds);
  add_clients(seeds);
}

}  // namespace ringcast::fuzz
