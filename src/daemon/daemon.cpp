// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>
#include <sys/random.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <utility>
#include <variant>

#include <asio.hpp>
#include <spdlog/fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "ringcast/client.hpp"
#include "ringcast/names.hpp"
#include "ringcast/version.hpp"

#include "daemon/driver.hpp"
#include "daemon/fixed_options.hpp"
#include "daemon/identity.hpp"
#include "daemon/logging.hpp"
#include "daemon/system_message.hpp"

namespace ringcast {
namespace {

constexpr int exit_done = 0;
constexpr int exit_failed = 1;
constexpr int exit_wrong = 2;
constexpr std::chrono::milliseconds leave_patience{2000};

void complain(std::string_view file, const ConfigProblem& problem) {
  const auto line = describe(file.empty() ? "ringcastd" : file, problem);
  (void)std::fprintf(stderr, "%s\n", line.c_str());
}

/// As many descriptors as we may have: the usual 1024 are fewer than sessions_max.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

/// The whole configuration, or its problems.
ReadConfig read_file(const std::string& file) {
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  // The end of an empty file is no failure, a directory's is: that one sets errno.
  if (stream) text << stream.rdbuf();
  if (errno != 0) {
    ReadConfig failed;
    failed.problems.push_back(ConfigProblem{
        .at = {},
        .problem = "cannot read: " + system_message(errno),
        .remedy = "check the path and its permissions"});
    return failed;
  }
  return read_config(file, text.str());
}

/// The name of the ring of one.
std::string lonely_name(const HostFacts& host) {
  if (!host.asked_for.empty()) return host.asked_for;
  const auto name = short_host_name(host.host_name);
  return is_valid_word(name) ? std::string(name) : "localhost";
}

template <class Number>
Number random_number() {
  Number number{0};
  while (::getrandom(&number, sizeof(number), 0) != static_cast<ssize_t>(sizeof(number))) {
  }
  return number;
}

StartFacts draw_facts() {
  StartFacts facts;
  while (facts.boot_id == 0) {
    facts.boot_id = random_number<std::uint32_t>();
  }
  facts.random_seed = random_number<std::uint64_t>();
  return facts;
}

NodeConfig node_config(const DaemonConfig& config, const std::string& name) {
  NodeConfig node;
  node.cluster = config.cluster;
  node.name = name;
  for (const auto& daemon : config.daemons) {
    node.daemons.push_back(DaemonEntry{.name = daemon.name, .address = daemon.address_text});
  }
  node.ring = config.ring;
  node.session = config.session;
  return node;
}

std::vector<UdpPeer> peers_of(const DaemonConfig& config, const std::string& name) {
  std::vector<UdpPeer> peers;
  for (const auto& daemon : config.daemons) {
    if (daemon.name == name) continue;
    peers.push_back(UdpPeer{.id = node_id(daemon.name), .address = daemon.address});
  }
  return peers;
}

std::string socket_path(const DaemonConfig& config, const std::string& name) {
  return config.socket.empty() ? default_socket() : expand_name(config.socket, name);
}

class Daemon {
 public:
  Daemon(DaemonOptions options, DaemonConfig config, std::size_t self)
      : options_(std::move(options)),
        config_(std::move(config)),
        self_(config_.daemons[self]),
        signals_(io_) {}

  int run() {
    const StateFile state(state_directory(config_.state_directory, self_.name), self_.name);
    if (const auto prepared = state.prepare(); !prepared) {
      report(SetupFailure{
          .option = "state.directory",
          .problem = prepared.error().message,
          .remedy = "make it writable for this user, or choose another [state] directory"});
      return exit_wrong;
    }
    driver_ = std::make_unique<Driver>(io_, node_config(config_, self_.name), state, &trace_);
    if (const auto failure = driver_->open(udp_options(), client_options())) {
      report(*failure);
      return exit_wrong;
    }
    announce_start();
    const auto loaded = state.load();
    if (!loaded.warning.empty()) spdlog::warn("{}", loaded.warning);
    watch_signals();
    driver_->start(loaded.state, draw_facts(), hooks());
    io_.run();
    spdlog::info("stopped name={}", self_.name);
    return exit_done;
  }

 private:
  UdpOptions udp_options() const {
    UdpOptions udp;
    udp.local = self_.address;
    udp.peers = peers_of(config_, self_.name);
    if (config_.uses_multicast()) udp.multicast = config_.multicast;
    udp.multicast_optional = config_.transport == RingTransport::automatic;
    udp.multicast_interface = config_.multicast_interface;
    udp.multicast_ttl = config_.multicast_ttl;
    udp.socket_buffer_bytes = config_.socket_buffer_bytes;
    return udp;
  }

  SessionServerOptions client_options() const {
    return SessionServerOptions{
        .socket = socket_path(config_, self_.name),
        .mode = config_.socket_mode,
        .tcp = config_.tcp,
        .shared_memory = config_.shared_memory};
  }

  Driver::Hooks hooks() {
    return Driver::Hooks{
        .operational = [this](const NodeStatus& status) { announce(status); },
        .stopped = [this] { io_.stop(); }};
  }

  void report(const SetupFailure& failure) const {
    ConfigProblem problem;
    problem.problem = failure.problem;
    problem.remedy = failure.remedy;
    if (!config_.file.empty()) {
      problem.at =
          failure.option == "daemon.address" ? self_.address_at : config_.position(failure.option);
    }
    complain(config_.file, problem);
  }

  void announce_start() const {
    spdlog::info(
        "ringcastd {} starting name={} cluster={} address={} transport={} socket={}",
        version,
        self_.name,
        config_.cluster,
        self_.address_text,
        driver_->uses_multicast() ? "multicast" : "unicast",
        socket_path(config_, self_.name));
    if (config_.daemons.size() > 1) {
      spdlog::warn(
          "the ring is unprotected: packets are neither authenticated nor encrypted -> run it on "
          "a network that only its hosts can reach");
    }
    if (config_.tcp) {
      spdlog::warn(
          "clients on {} are not authenticated -> whoever reaches the port can publish and join",
          to_string(*config_.tcp));
    }
  }

  /// Ready at the first configuration; the others only change the numbers.
  void announce(const NodeStatus& status) {
    const auto& configuration = status.configuration;
    const auto id = to_string(configuration.id);
    // After a reload some may stand in the ring that the file does not name any more.
    const auto& configured = configuration.configured;
    const auto members = std::count_if(
        configuration.daemons.begin(), configuration.daemons.end(), [&](const auto& name) {
          return std::find(configured.begin(), configured.end(), name) != configured.end();
        });
    if (std::exchange(announced_, id) != id) {
      spdlog::info(
          "configuration {} -> {} of {} daemons members={}",
          id,
          members,
          configured.size(),
          fmt::join(configuration.daemons, ","));
    }
    if (!ready_) {
      spdlog::info(
          "ready name={} socket={} configuration={} members={}",
          self_.name,
          socket_path(config_, self_.name),
          id,
          members);
    }
    (void)::sd_notifyf(
        0,
        "%sSTATUS=operational, %td of %zu daemons",
        std::exchange(ready_, true) ? "" : "READY=1\n",
        members,
        configured.size());
  }

  void watch_signals() {
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
      asio::error_code ignored;
      signals_.add(number, ignored);
    }
    wait_for_signal();
  }

  void wait_for_signal() {
    signals_.async_wait([this](const asio::error_code& error, int number) {
      if (error) return;
      if (number == SIGHUP) {
        reload();
      } else {
        spdlog::info("leaving the ring signal={}", number == SIGTERM ? "SIGTERM" : "SIGINT");
        (void)::sd_notify(0, "STOPPING=1");
        driver_->leave(leave_patience);
      }
      wait_for_signal();
    });
  }

  void reload() {
    if (config_.file.empty()) {
      spdlog::info("nothing to reload: running without a configuration file");
      return;
    }
    if (ready_) tell_reloading();
    apply(read_file(config_.file));
    if (ready_) (void)::sd_notify(0, "READY=1");
  }

  static void tell_reloading() {
    timespec now{};
    (void)::clock_gettime(CLOCK_MONOTONIC, &now);
    (void)::sd_notifyf(
        0,
        "RELOADING=1\nMONOTONIC_USEC=%lld",
        static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000);
  }

  void apply(ReadConfig read) {
    for (const auto& problem : read.problems) {
      spdlog::error("{}", describe(config_.file, problem));
    }
    if (!read.problems.empty()) {
      spdlog::error("configuration not reloaded -> the old one stays in force");
      return;
    }
    auto& fresh = read.config;
    if (!names_us(fresh)) {
      spdlog::error(
          "configuration not reloaded: {} no longer names this daemon, {}", fresh.file, self_.name);
      return;
    }
    for (const auto& what : keep_fixed(fresh, config_, self_.name)) {
      spdlog::warn("{} cannot change while running -> restart to apply it", what);
    }
    const auto outcome =
        driver_->reload(node_config(fresh, self_.name), peers_of(fresh, self_.name));
    if (!outcome) {
      spdlog::error("configuration not reloaded: {}", outcome.error().message);
      return;
    }
    if (!options_.log_level) {
      set_log_level(fresh.log_level);
    }
    spdlog::info("configuration reloaded file={}", fresh.file);
    config_ = std::move(fresh);
  }

  [[nodiscard]] bool names_us(const DaemonConfig& config) const {
    return std::any_of(
        config.daemons.begin(), config.daemons.end(), [this](const ConfiguredDaemon& daemon) {
          return daemon.name == self_.name;
        });
  }

  DaemonOptions options_;
  DaemonConfig config_;
  ConfiguredDaemon self_;
  TraceLog trace_;
  asio::io_context io_{1};
  asio::signal_set signals_;
  std::unique_ptr<Driver> driver_;
  bool ready_{false};      ///< the service manager has been told
  std::string announced_;  ///< the configuration that was logged last
};

}  // namespace

int check_configuration(const std::string& file) {
  const auto read = read_file(file);
  for (const auto& problem : read.problems) {
    complain(file, problem);
  }
  if (!read.problems.empty()) return exit_wrong;
  if (std::printf("%s: ok\n", file.c_str()) < 0 || std::fflush(stdout) != 0) {
    (void)std::fprintf(stderr, "ringcastd: cannot write: %s\n", system_message(errno).c_str());
    return exit_failed;
  }
  return exit_done;
}

int run_daemon(const DaemonOptions& options) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  const auto host = read_host_facts(options.name);
  ReadConfig read;
  if (options.config.empty()) {
    const auto name = lonely_name(host);
    if (!is_valid_word(name)) {
      complain(
          {},
          ConfigProblem{
              .at = {},
              .problem = "\"" + name + "\" is not a valid daemon name",
              .remedy = "use 1 to 64 letters, digits, '_', '.', ':' or '-'"});
      return exit_wrong;
    }
    read.config = default_config(name);
  } else {
    read = read_file(options.config);
  }
  for (const auto& problem : read.problems) {
    complain(options.config, problem);
  }
  if (!read.problems.empty()) return exit_wrong;
  start_logging(options.log_level.value_or(read.config.log_level));

  std::size_t self{0};
  if (!options.config.empty()) {
    const auto chosen = choose_daemon(read.config, host);
    if (const auto* problem = std::get_if<ConfigProblem>(&chosen)) {
      complain(options.config, *problem);
      return exit_wrong;
    }
    self = std::get<std::size_t>(chosen);
  }
  Daemon daemon(options, std::move(read.config), self);
  return daemon.run();
}

}  // namespace ringcast
