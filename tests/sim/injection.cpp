// SPDX-License-Identifier: Apache-2.0
#include "sim/injection.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <variant>

#include "sim/strangers.hpp"

namespace ringcast::sim {

namespace {

using Words = std::vector<std::string_view>;

Words split_words(std::string_view text) {
  Words words;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::size_t> host_of(const Cluster& cluster, std::string_view name) {
  for (std::size_t host = 0; host < cluster.hosts(); ++host) {
    if (cluster.name(host) == name) return host;
  }
  return std::nullopt;
}

struct Ends {
  std::size_t from{0};
  std::size_t to{0};
};

/// The links that "d0->d1", "*->d1", "d0->*" or "*->*" stand for.
std::vector<Ends> links_of(const Cluster& cluster, std::string_view text) {
  const std::size_t arrow = text.find("->");
  if (arrow == std::string_view::npos) return {};
  const std::string_view from = text.substr(0, arrow);
  const std::string_view to = text.substr(arrow + 2);
  std::vector<Ends> links;
  for (std::size_t a = 0; a < cluster.hosts(); ++a) {
    for (std::size_t b = 0; b < cluster.hosts(); ++b) {
      if ((from == "*" || cluster.name(a) == from) && (to == "*" || cluster.name(b) == to)) {
        links.push_back({a, b});
      }
    }
  }
  return links;
}

using Field = std::variant<double LinkFaults::*, Duration LinkFaults::*, std::size_t LinkFaults::*>;
struct Knob {
  std::string_view name;
  Field field;
};

const std::vector<Knob>& knobs() {
  static const std::vector<Knob> all = {
      {"delay_min", &LinkFaults::delay_min},
      {"delay_max", &LinkFaults::delay_max},
      {"tail", &LinkFaults::tail},
      {"tail_max", &LinkFaults::tail_max},
      {"loss", &LinkFaults::loss},
      {"burst_start", &LinkFaults::burst_start},
      {"burst_stop", &LinkFaults::burst_stop},
      {"duplicate", &LinkFaults::duplicate},
      {"duplicate_delay_max", &LinkFaults::duplicate_delay_max},
      {"reorder", &LinkFaults::reorder},
      {"reorder_delay_max", &LinkFaults::reorder_delay_max},
      {"corrupt", &LinkFaults::corrupt},
      {"packet_bytes_max", &LinkFaults::packet_bytes_max},
      {"lose_tokens", &LinkFaults::lose_tokens},
      {"lose_commits", &LinkFaults::lose_commits},
      {"lose_joins", &LinkFaults::lose_joins},
      {"lose_data", &LinkFaults::lose_data},
      {"rate_bytes", &LinkFaults::rate_bytes},
      {"queue_bytes", &LinkFaults::queue_bytes},
  };
  return all;
}

std::string show_value(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}
std::string show_value(Duration value) { return to_words(value); }
std::string show_value(std::size_t value) { return std::to_string(value); }

bool set_value(double& field, std::string_view text) {
  const auto value = parse_number<double>(text);
  field = value.value_or(field);
  return value.has_value();
}
bool set_value(Duration& field, std::string_view text) {
  const auto value = parse_duration(text);
  field = value.value_or(field);
  return value.has_value();
}
bool set_value(std::size_t& field, std::string_view text) {
  const auto value = parse_number<std::size_t>(text);
  field = value.value_or(field);
  return value.has_value();
}

// The operations. words[0] is the operation itself; the number of words is right.

bool crash(Cluster& cluster, const Words& words) {
  const auto host = host_of(cluster, words[1]);
  if (host) cluster.crash(*host);
  return host.has_value();
}

bool fuse(Cluster& cluster, const Words& words) {
  constexpr std::array<std::string_view, fuse_points> points = {
      "send", "token", "persist", "ordered", "between", "delivery"};
  const auto host = host_of(cluster, words[1]);
  const auto* const point = std::find(points.begin(), points.end(), words[2]);
  const auto count = parse_number<std::size_t>(words[3]);
  if (!host || !count || point == points.end()) return false;
  cluster.set_fuse(*host, static_cast<FusePoint>(point - points.begin()), *count);
  return true;
}

bool start(Cluster& cluster, const Words& words) {
  const auto host = host_of(cluster, words[1]);
  const auto storage = parse_storage(words[2]);
  if (!host || !storage) return false;
  if (!cluster.is_up(*host)) cluster.start(*host, *storage);
  return true;
}

bool leave(Cluster& cluster, const Words& words) {
  const auto host = host_of(cluster, words[1]);
  if (host) cluster.leave(*host);
  return host.has_value();
}

bool pause(Cluster& cluster, const Words& words) {
  const auto host = host_of(cluster, words[1]);
  if (host) cluster.pause(*host);
  return host.has_value();
}

bool resume(Cluster& cluster, const Words& words) {
  const auto host = host_of(cluster, words[1]);
  if (host && cluster.is_paused(*host)) cluster.resume(*host);
  return host.has_value();
}

bool set_blocked(Cluster& cluster, const Words& words) {
  const std::vector<Ends> links = links_of(cluster, words[1]);
  for (const auto& [from, to] : links) {
    cluster.network().link(from, to).blocked = words[0] == "block";
  }
  return !links.empty();
}

bool split(Cluster& cluster, const Words& words) {
  std::vector<std::size_t> side_of(cluster.hosts(), 0);
  std::size_t side = 1;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "|") {
      ++side;
      continue;
    }
    const auto host = host_of(cluster, words[i]);
    if (host) side_of[*host] = side;
  }
  cluster.network().partition(side_of);
  return true;
}

bool set_link(Cluster& cluster, std::string_view link, std::string_view name, std::string_view to) {
  const auto knob = std::find_if(
      knobs().begin(), knobs().end(), [&](const Knob& known) { return known.name == name; });
  const std::vector<Ends> links = links_of(cluster, link);
  if (knob == knobs().end() || links.empty()) return false;
  return std::all_of(links.begin(), links.end(), [&](const Ends& ends) {
    LinkFaults& faults = cluster.network().link(ends.from, ends.to);
    return std::visit([&](auto field) { return set_value(faults.*field, to); }, knob->field);
  });
}

bool limit(Cluster& cluster, const Words& words) {
  return set_link(cluster, words[1], "packet_bytes_max", words[2]);
}

bool link(Cluster& cluster, const Words& words) {
  return set_link(cluster, words[1], words[2], words[3]);
}

bool cpu(Cluster& cluster, const Words& words) {
  const auto host = host_of(cluster, words[1]);
  const auto times = parse_number<std::uint32_t>(words[2]);
  if (!host || !times || *times == 0) return false;
  Condition condition = cluster.condition(*host);
  condition.slowness = *times;
  cluster.set_condition(*host, condition);
  return true;
}

bool clock(Cluster& cluster, const Words& words) {
  const auto host = host_of(cluster, words[1]);
  if (!host) return false;
  if (words[2] == "jump") {
    const auto ahead = parse_duration(words[3]);
    if (ahead) cluster.jump_clock(*host, *ahead);
    return ahead.has_value();
  }
  const auto rate = parse_number<double>(words[3]);
  if (words[2] != "rate" || !rate || *rate < 0.5 || *rate > 2.0) return false;
  cluster.set_clock_rate(
      *host, static_cast<std::int64_t>(*rate * static_cast<double>(MachineClock::true_rate)));
  return true;
}

bool disk(Cluster& cluster, const Words& words) {
  const auto host = host_of(cluster, words[1]);
  if (!host) return false;
  Condition condition = cluster.condition(*host);
  condition.disk_fails = words[2] == "fail";
  condition.disk_delay = Duration{0};
  if (words.size() == 4) {
    const auto delay = parse_duration(words[3]);
    if (words[2] != "slow" || !delay) return false;
    condition.disk_delay = *delay;
  } else if (words[2] != "fail" && words[2] != "ok") {
    return false;
  }
  cluster.set_condition(*host, condition);
  return true;
}

bool sends(Cluster& cluster, const Words& words) {
  const auto host = host_of(cluster, words[1]);
  const auto refused = parse_number<double>(words[2]);
  if (!host || !refused) return false;
  Condition condition = cluster.condition(*host);
  condition.sends_refused = *refused;
  cluster.set_condition(*host, condition);
  return true;
}

bool buffer(Cluster& cluster, const Words& words) {
  const auto host = host_of(cluster, words[1]);
  const auto bytes = parse_number<std::size_t>(words[2]);
  if (!host || !bytes) return false;
  Condition condition = cluster.condition(*host);
  condition.receive_buffer_bytes = *bytes;
  cluster.set_condition(*host, condition);
  return true;
}

bool configure(Cluster& cluster, const Words& words) {
  if (words.size() < 3) return false;
  const auto host = host_of(cluster, words[1]);
  std::vector<std::string> daemons;
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (host_of(cluster, words[i])) daemons.emplace_back(words[i]);
  }
  if (!host || std::find(daemons.begin(), daemons.end(), words[1]) == daemons.end()) return false;
  cluster.configure(*host, daemons);
  return true;
}

bool stranger(Cluster& cluster, const Words& words) {
  const auto host = host_of(cluster, words[1]);
  const auto seed = parse_number<std::uint64_t>(words[3]);
  if (!host || !seed) return false;
  Network& network = cluster.network();
  const auto packet = make_stranger(words[2], *seed, network.remembered(*host));
  if (packet && !packet->empty()) network.inject(cluster.now(), *host, *host, *packet);
  return packet.has_value();
}

bool replay(Cluster& cluster, const Words& words) {
  const auto host = host_of(cluster, words[1]);
  const auto back = parse_number<std::size_t>(words[3]);
  if (!host || !back) return false;
  Network& network = cluster.network();
  const BufferRef packet = find_remembered(words[2], *back, network.remembered(*host));
  if (!packet.empty()) network.inject(cluster.now(), *host, *host, packet);
  return true;
}

struct Operation {
  std::string_view name;
  std::size_t words;  ///< 0: any number
  bool (*perform)(Cluster&, const Words&);
};

constexpr std::array operations = {
    Operation{"crash", 2, crash},       Operation{"fuse", 4, fuse},
    Operation{"start", 3, start},       Operation{"leave", 2, leave},
    Operation{"pause", 2, pause},       Operation{"resume", 2, resume},
    Operation{"block", 2, set_blocked}, Operation{"open", 2, set_blocked},
    Operation{"split", 0, split},       Operation{"limit", 3, limit},
    Operation{"link", 4, link},         Operation{"cpu", 3, cpu},
    Operation{"clock", 4, clock},       Operation{"disk", 3, disk},
    Operation{"disk", 4, disk},         Operation{"sends", 3, sends},
    Operation{"buffer", 3, buffer},     Operation{"configure", 0, configure},
    Operation{"stranger", 4, stranger}, Operation{"replay", 4, replay},
};

struct Unit {
  std::string_view name;
  Duration::rep nanoseconds;
};
constexpr std::array units = {  // the longest name that fits is meant: "s" ends "ms" too
    Unit{"ns", 1},
    Unit{"us", 1'000},
    Unit{"ms", 1'000'000},
    Unit{"s", 1'000'000'000}};

}  // namespace

std::string to_words(Duration duration) {
  const Duration::rep count = duration.count();
  const Unit* best = units.data();
  for (const Unit& unit : units) {
    if (count % unit.nanoseconds == 0) best = &unit;
  }
  return std::to_string(count / best->nanoseconds) + std::string(best->name);
}

std::optional<Duration> parse_duration(std::string_view text) {
  const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& known) {
    return text.size() > known.name.size() &&
           text.substr(text.size() - known.name.size()) == known.name;
  });
  if (unit == units.end()) return std::nullopt;
  text.remove_suffix(unit->name.size());
  const std::size_t point = std::min(text.find('.'), text.size());
  const auto whole = parse_number<Duration::rep>(text.substr(0, point));
  if (!whole) return std::nullopt;
  Duration::rep count = *whole * unit->nanoseconds;
  Duration::rep digit = unit->nanoseconds;
  for (std::size_t i = point + 1; i < text.size(); ++i) {
    digit /= 10;
    if (text[i] < '0' || text[i] > '9' || digit == 0) return std::nullopt;
    count += digit * (text[i] - '0');
  }
  return Duration{count};
}

std::string to_string(const Injection& injection) {
  const Duration::rep count = injection.at.count();
  std::array<char, 48> time{};
  std::snprintf(
      time.data(),
      time.size(),
      "%lld.%06lldms ",
      static_cast<long long>(count / 1'000'000),
      static_cast<long long>(count % 1'000'000));
  return time.data() + injection.what;
}

std::optional<Injection> parse_injection(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto at = parse_duration(line.substr(0, space));
  if (!at) return std::nullopt;
  return Injection{.at = *at, .what = std::string(line.substr(space + 1))};
}

std::vector<std::string> link_operations(std::string_view link, const LinkFaults& links) {
  const LinkFaults none;
  std::vector<std::string> result;
  for (const Knob& knob : knobs()) {
    const bool differs =
        std::visit([&](auto field) { return links.*field != none.*field; }, knob.field);
    if (!differs) continue;
    for (std::string& operation : knob_operations(link, knob.name, links)) {
      result.push_back(std::move(operation));
    }
  }
  return result;
}

std::vector<std::string> knob_operations(
    std::string_view link, std::string_view knob, const LinkFaults& links) {
  std::vector<std::string> result;
  for (const Knob& known : knobs()) {
    if (known.name != knob) continue;
    result.push_back(
        "link " + std::string(link) + " " + std::string(knob) + " " +
        std::visit([&](auto field) { return show_value(links.*field); }, known.field));
  }
  return result;
}

bool perform(Cluster& cluster, std::string_view what) {
  const Words words = split_words(what);
  if (words.empty()) return false;
  const auto operation =
      std::find_if(operations.begin(), operations.end(), [&](const Operation& known) {
        return known.name == words[0] && (known.words == 0 || known.words == words.size());
      });
  return operation != operations.end() && operation->perform(cluster, words);
}

}  // namespace ringcast::sim
