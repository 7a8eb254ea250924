// SPDX-License-Identifier: Apache-2.0
#include "daemon/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <numeric>
#include <utility>

#include "protocol/base/assert.hpp"
#include "protocol/session/frames.hpp"

namespace ringcast {
namespace {

constexpr std::uint64_t us = 1'000;
constexpr std::uint64_t ms = 1'000 * us;
constexpr std::uint64_t s = 1'000 * ms;
constexpr std::uint64_t kib = 1'024;
constexpr std::uint64_t mib = 1'024 * kib;
constexpr std::uint64_t gib = 1'024 * mib;
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

constexpr Option text_option(
    std::string_view section,
    std::string_view key,
    TextOutcome (*set)(DaemonConfig&, const ConfigEntry&)) {
  return Option{
      .section = section,
      .key = key,
      .kind = OptionKind::text,
      .min = 0,
      .max = 0,
      .set_number = nullptr,
      .set_text = set};
}

using enum OptionKind;

// Names of ring and session options are the names of the fields they set, so that a relation
// reported by validate() leads back to the line.
constexpr std::array option_table{
    text_option("cluster", "name", set_cluster_name),
    text_option("daemon", "name", set_daemon_name),
    text_option("daemon", "address", set_daemon_address),
    text_option("ring", "transport", set_transport),
    text_option("ring", "multicast", set_multicast),
    text_option("ring", "multicast_interface", set_any<&DaemonConfig::multicast_interface>),
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
    text_option("clients", "socket", set_any<&DaemonConfig::socket>),
    text_option("clients", "mode", set_mode),
    text_option("clients", "tcp", set_tcp),
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
    text_option("state", "directory", set_any<&DaemonConfig::state_directory>),
    text_option("log", "level", set_level),
};

static_assert(gib <= u32_max);

struct Unit {
  std::string_view name;
  std::uint64_t factor{1};
};

// Largest first: show_value takes the first that divides.
constexpr std::array duration_units{
    Unit{"m", 60 * s}, Unit{"s", s}, Unit{"ms", ms}, Unit{"us", us}, Unit{"ns", 1}};
constexpr std::array byte_units{Unit{"GiB", gib}, Unit{"MiB", mib}, Unit{"KiB", kib}, Unit{"B", 1}};

std::optional<std::uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  std::uint64_t value{0};
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop == text.data()) return std::nullopt;
  auto name = text.substr(static_cast<std::size_t>(stop - text.data()));
  while (!name.empty() && name.front() == ' ') {
    name.remove_prefix(1);
  }
  const auto unit =
      std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == name; });
  if (unit == units.end()) return std::nullopt;
  if (value > std::numeric_limits<std::int64_t>::max() / unit->factor) return std::nullopt;
  return value * unit->factor;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

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

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  RC_ASSERT(!known.empty());
  std::vector<std::size_t> distances;
  distances.reserve(known.size());
  for (const auto& candidate : known) {
    distances.push_back(edit_distance(word, candidate));
  }
  const auto best = std::min_element(distances.begin(), distances.end());
  return known[static_cast<std::size_t>(best - distances.begin())];
}

std::optional<std::uint64_t> parse_duration(std::string_view text) {
  return parse_with_unit(text, duration_units);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  return parse_with_unit(text, byte_units);
}

std::string show_value(OptionKind kind, std::uint64_t value) {
  if (kind == count || kind == text) return std::to_string(value);
  const std::span<const Unit> units =
      kind == duration ? std::span<const Unit>{duration_units} : std::span<const Unit>{byte_units};
  for (const auto& unit : units) {
    if (value % unit.factor == 0) {
      return std::to_string(value / unit.factor) + std::string(unit.name);
    }
  }
  return std::to_string(value);
}

}  // namespace ringcast
