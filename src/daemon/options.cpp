// SPDX-License-Identifier: Apache-2.0
#include "daemon/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <numeric>
#include <utility>

#include "configuration/units.hpp"
#include "protocol/base/assert.hpp"
#include "protocol/session/frames.hpp"

namespace ringcast {
namespace {

using units::gib;
using units::kib;
using units::mib;
using units::ms;
using units::s;
using units::us;
constexpr auto u32_max = std::numeric_limits<std::uint32_t>::max();

Duration nanoseconds(std::uint64_t count) { return Duration{static_cast<Duration::rep>(count)}; }

template <Duration RingConfig::*Field>
void set_ring_duration(DaemonConfig& config, std::uint64_t value) {
  config.ring.*Field = nanoseconds(value);
}

template <auto Field>
void set_ring(DaemonConfig& config, std::uint64_t value) {
  using Value = std::remove_reference_t<decltype(config.ring.*Field)>;
  config.ring.*Field = static_cast<Value>(value);
}

template <auto Field>
void set_session(DaemonConfig& config, std::uint64_t value) {
  using Value = std::remove_reference_t<decltype(config.session.*Field)>;
  config.session.*Field = static_cast<Value>(value);
}

using enum OptionKind;

// Names of ring and session options are the names of the fields they set, so that a relation
// reported by validate() leads back to the line.
constexpr std::array option_table{
    Option{"cluster", "name", set_cluster_name},
    Option{"daemon", "name", set_daemon_name},
    Option{"daemon", "address", set_daemon_address},
    Option{"ring", "transport", set_transport},
    Option{"ring", "multicast", set_multicast},
    Option{"ring", "multicast_interface", set_any<&DaemonConfig::multicast_interface>},
    Option{
        "ring",
        "multicast_ttl",
        count,
        1,
        255,
        [](DaemonConfig& config, std::uint64_t value) {
          config.multicast_ttl = static_cast<unsigned>(value);
        }},
    Option{
        "ring",
        "socket_buffer_bytes",
        bytes,
        64 * kib,
        gib,
        [](DaemonConfig& config, std::uint64_t value) { config.socket_buffer_bytes = value; }},
    Option{
        "ring",
        "token_loss",
        duration,
        10 * ms,
        600 * s,
        set_ring_duration<&RingConfig::token_loss>},
    Option{
        "ring",
        "token_retransmit_max",
        duration,
        100 * us,
        60 * s,
        set_ring_duration<&RingConfig::token_retransmit_max>},
    Option{
        "ring",
        "token_retransmit_min",
        duration,
        100 * us,
        60 * s,
        set_ring_duration<&RingConfig::token_retransmit_min>},
    Option{
        "ring", "token_hold", duration, 1 * ms, 60 * s, set_ring_duration<&RingConfig::token_hold>},
    Option{
        "ring",
        "token_rest_after",
        duration,
        0,
        1 * s,
        set_ring_duration<&RingConfig::token_rest_after>},
    Option{
        "ring",
        "join_interval",
        duration,
        1 * ms,
        60 * s,
        set_ring_duration<&RingConfig::join_interval>},
    Option{
        "ring", "consensus", duration, 10 * ms, 600 * s, set_ring_duration<&RingConfig::consensus>},
    Option{
        "ring",
        "probe_interval",
        duration,
        10 * ms,
        600 * s,
        set_ring_duration<&RingConfig::probe_interval>},
    Option{
        "ring",
        "backoff_max",
        duration,
        10 * ms,
        3600 * s,
        set_ring_duration<&RingConfig::backoff_max>},
    Option{
        "ring",
        "fail_to_receive",
        duration,
        10 * ms,
        3600 * s,
        set_ring_duration<&RingConfig::fail_to_receive>},
    Option{
        "ring", "datagram_bytes_min", bytes, 576, 65507, set_ring<&RingConfig::datagram_bytes_min>},
    Option{
        "ring", "datagram_bytes_max", bytes, 576, 65507, set_ring<&RingConfig::datagram_bytes_max>},
    Option{
        "ring",
        "window_packets_max",
        count,
        64,
        std::uint64_t{1} << 20U,
        set_ring<&RingConfig::window_packets_max>},
    Option{
        "ring",
        "window_bytes_max",
        bytes,
        1 * mib,
        64 * gib,
        set_ring<&RingConfig::window_bytes_max>},
    Option{
        "ring", "accelerated_percent", count, 0, 100, set_ring<&RingConfig::accelerated_percent>},
    Option{"clients", "socket", set_any<&DaemonConfig::socket>},
    Option{"clients", "mode", set_mode},
    Option{"clients", "tcp", set_tcp},
    Option{
        "clients",
        "shared_memory",
        flag,
        0,
        1,
        [](DaemonConfig& config, std::uint64_t value) { config.shared_memory = value != 0; }},
    Option{
        "clients",
        "backlog_bytes_max",
        bytes,
        64 * kib,
        64 * gib,
        set_session<&SessionConfig::backlog_bytes_max>},
    Option{
        "clients", "credit_bytes", bytes, 64 * kib, gib, set_session<&SessionConfig::credit_bytes>},
    Option{
        "clients", "sessions_max", count, 1, 1'000'000, set_session<&SessionConfig::sessions_max>},
    Option{
        "clients",
        "groups_per_session_max",
        count,
        1,
        1'000'000,
        set_session<&SessionConfig::groups_per_session_max>},
    Option{
        "clients",
        "handshake",
        duration,
        100 * ms,
        600 * s,
        [](DaemonConfig& config, std::uint64_t value) {
          config.session.handshake = nanoseconds(value);
        }},
    Option{
        "limits",
        "message_bytes_max",
        bytes,
        1 * kib,
        session_message_bytes_max,
        set_ring<&RingConfig::message_bytes_max>},
    Option{
        "limits",
        "send_queue_bytes_max",
        bytes,
        64 * kib,
        64 * gib,
        set_ring<&RingConfig::send_queue_bytes_max>},
    Option{"state", "directory", set_any<&DaemonConfig::state_directory>},
    Option{"log", "level", set_level},
};

static_assert(gib <= u32_max);

}  // namespace

std::span<const Option> options() { return option_table; }

const Option* find_option(std::string_view section, std::string_view key) {
  const auto found =
      std::find_if(option_table.begin(), option_table.end(), [&](const Option& option) {
        return option.section == section && option.key == key;
      });
  return found == option_table.end() ? nullptr : &*found;
}

std::vector<std::string> known_keys() {
  std::vector<std::string> keys;
  keys.reserve(option_table.size());
  for (const auto& option : option_table) {
    keys.push_back(std::string(option.section) + "." + std::string(option.key));
  }
  return keys;
}

const std::vector<OptionShape>& option_shapes() {
  static const auto shapes = [] {
    std::vector<OptionShape> all;
    all.reserve(option_table.size());
    for (const auto& option : option_table) {
      all.push_back(option);
    }
    return all;
  }();
  return shapes;
}

}  // namespace ringcast
