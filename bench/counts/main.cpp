// SPDX-License-Identifier: Apache-2.0
//
// ringcast_counts: messages through three nodes in one process, for counts that do not jitter. It
// prints one JSON line: deliveries and allocations for each. Instructions are counted by running
// it under callgrind with --toggle-collect for measured_exchange (bench/counts/gate.py does).
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "counts/allocations.hpp"
#include "counts/house.hpp"

namespace ringcast::bench {

/// A name that callgrind can be told; not inlined, lest it has none.
[[gnu::noinline]] std::uint64_t measured_exchange(
    House& house, std::uint32_t count, std::size_t bytes, std::uint32_t window) {
  return house.exchange(count, bytes, window);
}

namespace {

int run(int argc, const char* const* argv) {
  std::uint32_t messages = 5000;
  std::size_t bytes = 100;
  std::uint32_t window = 200;
  CLI::App app{"Messages through three nodes in one process: counts that do not jitter."};
  app.add_option("--messages", messages, "of each client")->capture_default_str();
  app.add_option("--bytes", bytes, "of a message")->capture_default_str();
  app.add_option("--window", window, "own messages on their way at most")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  constexpr std::size_t nodes = 3;
  House house(nodes);
  (void)house.exchange(window, bytes, window);  // buffers grow to what they will be
  const std::uint64_t before = allocations();
  const std::uint64_t deliveries = measured_exchange(house, messages, bytes, window);
  const double each = static_cast<double>(allocations() - before) / static_cast<double>(deliveries);
  std::printf(
      "{\"deliveries\": %llu, \"allocations_per_delivery\": %.3f}\n",
      static_cast<unsigned long long>(deliveries),
      each);
  return 0;
}

}  // namespace
}  // namespace ringcast::bench

int main(int argc, char** argv) {
  try {
    return ringcast::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ringcast_counts: %s\n", error.what());
    return 1;
  }
}
