// SPDX-License-Identifier: Apache-2.0
//
// The directory of members: looked up once per message, changed by every join and leave.
#include <benchmark/benchmark.h>
#include <string>

#include "protocol/groups/directory.hpp"

namespace ringcast {
namespace {

Member member(std::uint64_t number) {
  return Member{
      .node = NodeId{static_cast<std::uint32_t>(number % 3)},
      .name = "client-" + std::to_string(number),
      .session = SessionId{number}};
}

std::string group(std::uint64_t number) { return "group-" + std::to_string(number); }

/// So many groups of six members, two at each of three daemons.
Directory directory_of(std::uint64_t groups) {
  Directory directory;
  for (std::uint64_t g = 0; g < groups; ++g) {
    for (std::uint64_t m = 0; m < 6; ++m) {
      directory.add(group(g), member(g * 6 + m));
    }
  }
  return directory;
}

void find_local_members(benchmark::State& state) {
  const auto groups = static_cast<std::uint64_t>(state.range(0));
  const auto directory = directory_of(groups);
  std::vector<std::string> names;
  for (std::uint64_t g = 0; g < groups; ++g) {
    names.push_back(group(g));
  }
  std::size_t turn{0};
  for (auto _ : state) {
    auto members = directory.members_at(names[turn++ % names.size()], NodeId{1});
    benchmark::DoNotOptimize(members);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(find_local_members)->Arg(1)->Arg(1000)->Arg(100000);

void join_and_leave(benchmark::State& state) {
  auto directory = directory_of(static_cast<std::uint64_t>(state.range(0)));
  const auto newcomer = member(1U << 30U);
  const auto name = group(0);
  for (auto _ : state) {
    directory.add(name, newcomer);
    directory.remove(name, newcomer.node, newcomer.session);
  }
  state.SetItemsProcessed(2 * state.iterations());
}
BENCHMARK(join_and_leave)->Arg(1)->Arg(1000)->Arg(100000);

}  // namespace
}  // namespace ringcast
