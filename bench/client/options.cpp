// SPDX-License-Identifier: Apache-2.0
#include "client/options.hpp"

namespace ringcast::bench {

Clock::duration as_duration(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

void add_options(CLI::App& app, Options& options) {
  app.add_flag("--systems", options.list, "print the systems this client was built with");
  app.add_option("--system", options.system, "which system")->capture_default_str();
  app.add_option("--socket", options.setup.socket, "of the daemon (ringcast)");
  app.add_option("--group", options.setup.group, "to meet in")->default_val("bench");
  app.add_option("--peers", options.setup.peers, "addresses of all clients, by rank")->required();
  app.add_option("--rank", options.load.rank, "our place among them")->capture_default_str();
  app.add_option("--senders", options.load.senders, "so many ranks send")->capture_default_str();
  app.add_option("--bytes", options.load.message_bytes, "of a message")
      ->check(CLI::Range(message_bytes_min, std::size_t{64} << 20U))
      ->capture_default_str();
  app.add_option("--window", options.load.window, "own messages outstanding at most")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--rate", options.load.rate, "messages/s of all senders; 0: as many as can be")
      ->capture_default_str();
  app.add_option("--service", options.service, "agreed or safe")->capture_default_str();
  app.add_option("--warm-up", options.warm_up_seconds, "seconds")->capture_default_str();
  app.add_option("--seconds", options.seconds, "to measure")->capture_default_str();
  app.add_option(
         "--patience", options.patience_seconds, "seconds, for what is under way at the end")
      ->capture_default_str();
  app.add_option("--connect-seconds", options.connect_seconds, "to go on trying to open a session")
      ->capture_default_str();
  app.add_option("--send", options.setup.send, "udp: sendto, sendmmsg or gso")
      ->default_val("sendto");
  app.add_option("--receive", options.setup.receive, "udp: recv, recvmmsg or gro")
      ->default_val("recv");
  app.add_flag("--watch", options.watch, "only tell how many members the group has");
  app.add_flag("--deaf", options.deaf, "join and never read");
  app.add_option(
      "--crowd", options.crowd, "instead of one session so many, in groups of their own");
  app.add_option("--groups", options.groups, "of the crowd")->capture_default_str();
  app.add_flag("--churn", options.churn, "the crowd leaves and joins, for --seconds");
  app.add_flag("--multicast", options.setup.multicast, "udp: one datagram for all");
}

Result<void> complete(Options& options) {
  auto& load = options.load;
  load.participants = static_cast<std::uint32_t>(options.setup.peers.size());
  load.warm_up = as_duration(options.warm_up_seconds);
  load.measured = as_duration(options.seconds);
  load.patience = as_duration(options.patience_seconds);
  options.setup.rank = load.rank;
  options.setup.window = load.window;
  options.setup.message_bytes = load.message_bytes;
  const auto service = parse_service(options.service);
  if (!service) return Error{Errc::invalid_argument, "no such service: " + options.service};
  options.setup.service = *service;
  if (load.rank >= load.participants) {
    return Error{Errc::invalid_argument, "--rank is beyond --peers"};
  }
  return {};
}

}  // namespace ringcast::bench
