// SPDX-License-Identifier: Apache-2.0
//
// Lives of a daemon that lead to every phase.
#include <chrono>

#include "fuzz/seeds/node_recorder.hpp"
#include "fuzz/seeds/seeds.hpp"

namespace ringcast::fuzz {
namespace {

using std::chrono::milliseconds;

constexpr std::uint8_t ask_hello = 0;
constexpr std::uint8_t ask_join = 1;
constexpr std::uint8_t publish_agreed = 3 + 9 * 5;  // b % 9 is 3, b / 16 % 5 is 3
constexpr std::uint8_t publish_safe = 4 + 9 * 7;    // b % 9 is 4, b / 16 % 5 is 4
constexpr milliseconds long_enough{1500};

/// A client of ours in the group that the peers are in.
void add_client(NodeRecorder& life) {
  life.step(Action::open);
  life.step(Action::ask, 0, ask_hello, 1);
  life.step(Action::ask, 0, ask_join, 1);
}

void form(NodeRecorder& life) {
  life.start_peers();
  life.run_until("gather", long_enough);
  life.run_until("operational", long_enough);
}

Seed named(const char* name, const NodeRecorder& life) {
  return Seed{.target = "node", .name = name, .bytes = life.input()};
}

/// Stops as soon as the daemon enters `state` for the first time.
Seed until(const char* name, std::size_t self, const char* state) {
  NodeRecorder life(self);
  add_client(life);
  life.start_peers();
  life.run_until(state, long_enough);
  return named(name, life);
}

Seed working(const char* name, std::size_t self) {
  NodeRecorder life(self);
  add_client(life);
  form(life);
  life.step(Action::ask, 0, publish_agreed, 40);
  life.peers_publish(30, Service::safe);
  life.step(Action::ask, 0, publish_safe, 200);
  life.run(milliseconds{60});
  return named(name, life);
}

Seed fragments(std::size_t self) {
  NodeRecorder life(self);
  add_client(life);
  form(life);
  life.peers_publish(2500, Service::agreed);
  life.step(Action::ask, 0, publish_safe, 2500);
  life.run(milliseconds{20});
  return named("fragments", life);
}

Seed losses(std::size_t self) {
  NodeRecorder life(self);
  add_client(life);
  form(life);
  life.lose_data(3);
  for (int i = 0; i < 6; ++i) {
    life.peers_publish(20, Service::agreed);
    life.run(milliseconds{2});
  }
  return named("losses", life);
}

/// A peer dies while messages are under way: recovery has something to do.
Seed recovery(const char* name, std::size_t self, std::size_t victim) {
  NodeRecorder life(self);
  add_client(life);
  form(life);
  life.lose_data(2);
  life.peers_publish(60, Service::safe);
  life.step(Action::ask, 0, publish_safe, 60);
  life.peers_publish(50, Service::agreed);
  life.run(milliseconds{1});
  life.lose_data(0);
  life.crash(victim);
  life.run_until("recovery", long_enough);
  life.run_until("operational", long_enough);
  return named(name, life);
}

/// Apart for a while, and together again.
Seed merge(std::size_t self) {
  NodeRecorder life(self);
  add_client(life);
  life.cut_off(true);
  life.start_peers();
  life.run(milliseconds{1100});
  life.cut_off(false);
  life.run_until("recovery", long_enough);
  life.run_until("operational", long_enough);
  return named("merge", life);
}

Seed leaving(std::size_t self) {
  NodeRecorder life(self);
  add_client(life);
  form(life);
  life.step(Action::ask, 0, publish_agreed, 10);
  life.step(Action::leave);
  life.run(milliseconds{20});
  return named("leaving", life);
}

}  // namespace

void add_node_seeds(std::vector<Seed>& seeds) {
  seeds.push_back(until("gather", 1, "gather"));
  seeds.push_back(until("commit", 2, "commit"));
  seeds.push_back(until("recovery-first", 0, "recovery"));
  seeds.push_back(until("recovery-last", 2, "recovery"));
  seeds.push_back(working("working-first", 0));
  seeds.push_back(working("working-middle", 1));
  seeds.push_back(working("working-last", 2));
  seeds.push_back(fragments(1));
  seeds.push_back(losses(2));
  seeds.push_back(recovery("recovery-of-two", 1, 0));
  seeds.push_back(recovery("recovery-as-first", 0, 1));
  seeds.push_back(merge(1));
  seeds.push_back(leaving(0));
}

}  // namespace ringcast::fuzz
