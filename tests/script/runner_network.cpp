// SPDX-License-Identifier: Apache-2.0
//
// What a script does to links and to single packets, and what it does when something happens.
#include <algorithm>
#include <utility>

#include "protocol/wire/codec.hpp"
#include "protocol/wire/seal.hpp"
#include "script/runner.hpp"
#include "script/words.hpp"

namespace ringcast::script {

namespace {

constexpr std::uint64_t without_end = 4000000000;
constexpr std::string_view own_cluster = "sim";

std::string_view kind_of(const Packet& packet) {
  switch (packet.header.type) {
    case PacketType::data:
      return std::get<Data>(packet.body).recovered ? "recovered" : "data";
    case PacketType::token:
      return "token";
    case PacketType::join:
      return std::get<Join>(packet.body).leave ? "leave" : "join";
    case PacketType::commit:
      return "commit";
    case PacketType::probe:
      return "probe";
    case PacketType::wakeup:
      return "wakeup";
  }
  return "?";
}

std::string packet_kind(std::span<const std::byte> bytes) {
  const Result<Packet> packet = decode(BufferRef::copy_of(bytes));
  return packet.ok() ? std::string(kind_of(*packet)) : "malformed";
}

/// Whose packet it is and its number; of a recovered one, those of what it carries.
std::pair<std::optional<NodeId>, std::uint64_t> origin_of(const Packet& packet) {
  if (const auto* const token = std::get_if<Token>(&packet.body)) {
    return {std::nullopt, token->seq.value};
  }
  const auto* const data = std::get_if<Data>(&packet.body);
  if (data == nullptr) return {std::nullopt, 0};
  if (!data->recovered) return {data->originator, data->seq.value};
  const Result<Data> inner = decode_recovered(*data);
  if (!inner.ok()) return {std::nullopt, 0};
  return {inner->originator, inner->seq.value};
}

/// May be done while a node handles an input: nothing that ends or calls it.
bool is_harmless(const std::vector<std::string>& command) {
  if (command[0] == "crash") return has(command, "after");
  return command[0] == "cut" || command[0] == "heal" || command[0] == "drop" ||
         command[0] == "delay" || command[0] == "copy" || command[0] == "keep" ||
         command[0] == "replay";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

}  // namespace

// Links.

void Runner::cut(const Words& words) {
  const std::size_t arrow = words.at(1).find("->");
  if (arrow != std::string::npos) {
    const auto from = host(words[1].substr(0, arrow));
    const auto to = host(words[1].substr(arrow + 2));
    if (from && to) network_->link(*from, *to).blocked = true;
    return;
  }
  std::vector<std::size_t> side(cluster_->hosts(), 0);
  std::size_t number = 0;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "|") {
      ++number;
      continue;
    }
    for (const std::string& name : split(words[i], ',')) {
      if (const auto index = host(name)) side[*index] = number;
    }
  }
  network_->partition(side);
}

void Runner::heal(const Words&) {
  network_->unblock_all();
  treatments_.clear();
}

// Packets.

std::optional<Runner::Pattern> Runner::pattern(const Words& words) {
  const std::size_t arrow = words.at(1).find("->");
  if (arrow == std::string::npos) {
    complain(words[0] + " FROM->TO KIND");
    return std::nullopt;
  }
  Pattern pattern;
  const auto end = [&](const std::string& name, std::optional<std::size_t>& target) {
    if (name == "*") return true;
    target = host(name);
    return target.has_value();
  };
  if (!end(words[1].substr(0, arrow), pattern.from)) return std::nullopt;
  if (!end(words[1].substr(arrow + 2), pattern.to)) return std::nullopt;
  pattern.kind = words.at(2);
  if (const auto of = value_of(words, "of")) pattern.originator = node_id(*of);
  if (const auto seq = value_of(words, "seq")) pattern.seq = to_number(*seq);
  pattern.longer = to_number(value_of(words, "longer").value_or("0"));
  pattern.skip = to_number(value_of(words, "skip").value_or("0"));
  pattern.spare = to_number(value_of(words, "spare").value_or("0"));
  const auto count = value_of(words, "count");
  pattern.count = count ? to_number(*count) : without_end;
  return pattern;
}

bool Runner::matches(
    const Pattern& pattern, std::size_t from, std::size_t to, std::span<const std::byte> bytes) {
  if (pattern.from && *pattern.from != from) return false;
  if (pattern.to && *pattern.to != to) return false;
  if (bytes.size() <= pattern.longer) return false;
  const Result<Packet> packet = decode(BufferRef::copy_of(bytes));
  if (!packet.ok()) return pattern.kind == "any";
  if (pattern.kind != "any" && pattern.kind != kind_of(*packet)) return false;
  const auto [originator, seq] = origin_of(*packet);
  if (pattern.originator && pattern.originator != originator) return false;
  return !pattern.seq || *pattern.seq == seq;
}

std::string Runner::describe(std::span<const std::byte> bytes) const {
  const Result<Packet> packet = decode(BufferRef::copy_of(bytes));
  if (!packet.ok()) return "malformed";
  const auto names = [&](const std::vector<NodeKey>& keys) {
    std::vector<std::string> all;
    for (const NodeKey& key : keys) {
      all.push_back(recorder_->history.name_of(key.node));
    }
    return in_braces(all);
  };
  std::string text(kind_of(*packet));
  const auto [originator, seq] = origin_of(*packet);
  if (originator) {
    text += " " + std::to_string(seq) + " of " + recorder_->history.name_of(*originator);
  }
  if (const auto* const join = std::get_if<Join>(&packet->body)) {
    text += " proc " + names(join->proc) + " fail " + names(join->fail);
  }
  if (const auto* const token = std::get_if<Token>(&packet->body)) {
    text += " " + show(token->ring) + " seq " + std::to_string(token->seq.value) + " aru " +
            std::to_string(token->aru.value) + (token->rtr.empty() ? "" : " with requests");
  }
  return text;
}

/// drop, delay, copy, keep and watch.
void Runner::treat(const Words& words) {
  const std::optional<Pattern> which = pattern(words);
  if (!which) return;
  Treatment treatment{.pattern = *which, .verb = words[0], .by = {}, .name = {}, .then = {}};
  if (const auto by = value_of(words, "by")) treatment.by = to_duration(*by);
  const bool has_count = value_of(words, "count").has_value();
  if (words[0] == "keep") {
    treatment.name = value_of(words, "as").value_or("it");
    if (!has_count) treatment.pattern.count = 1;
  }
  treatments_.push_back(std::move(treatment));
}

bool Runner::filter(std::size_t from, std::size_t to, std::span<const std::byte> bytes) {
  bool stopped = false;
  for (std::size_t i = 0; i < treatments_.size() && !stopped; ++i) {
    Treatment& treatment = treatments_[i];
    Pattern& pattern = treatment.pattern;
    if (pattern.count == 0 || !matches(pattern, from, to, bytes)) continue;
    if (pattern.skip > 0) {
      --pattern.skip;
      continue;
    }
    if (pattern.spare > 0 && ++pattern.seen % pattern.spare == 0) continue;
    --pattern.count;
    stopped = apply(treatment, from, to, bytes);
  }
  return stopped;
}

bool Runner::apply(
    Treatment& treatment, std::size_t from, std::size_t to, std::span<const std::byte> bytes) {
  const auto tell = [&](const std::string& what) {
    if (!shown_.contains("drop")) return;
    say(cluster_->name(from), packet_kind(bytes) + " -> " + cluster_->name(to) + " " + what);
  };
  if (treatment.verb == "drop") {
    tell("lost");
    return true;
  }
  if (treatment.verb == "delay" || treatment.verb == "copy") {
    const bool is_delayed = treatment.verb == "delay";
    tell(is_delayed ? "delayed" : "will come again");
    network_->inject(cluster_->now() + treatment.by, from, to, BufferRef::copy_of(bytes));
    return is_delayed;
  }
  if (treatment.verb == "watch") {
    say(cluster_->name(from), describe(bytes) + " -> " + cluster_->name(to));
    return false;
  }
  if (treatment.verb == "keep") {
    kept_[treatment.name] = Kept{.from = from, .to = to, .bytes = BufferRef::copy_of(bytes)};
    return false;
  }
  carry_out_later(treatment.then);
  return false;
}

void Runner::replay(const Words& words) {
  const auto found = kept_.find(words.at(1));
  if (found == kept_.end()) return complain("nothing kept as " + words[1]);
  const Kept& kept = found->second;
  std::size_t to = kept.to;
  if (const auto name = value_of(words, "to")) {
    const auto index = host(*name);
    if (!index) return;
    to = *index;
  }
  BufferRef bytes = BufferRef::copy_of(kept.bytes.bytes());
  const auto sender = value_of(words, "sender");
  const auto cluster = value_of(words, "cluster");
  const auto boot = value_of(words, "boot");
  if (sender || cluster || boot) {
    NodeKey key = read_header(bytes.bytes()).sender;
    if (sender) key = NodeKey{node_id(*sender), BootId{1}};
    if (boot) key.boot = BootId{static_cast<std::uint32_t>(to_number(*boot))};
    NullSealer sealer(key, cluster_tag(cluster.value_or(std::string(own_cluster))));
    sealer.seal(bytes.writable());
  }
  if (const auto size = value_of(words, "bytes")) {
    bytes = bytes.slice(0, std::min<std::size_t>(to_number(*size), bytes.size()));
  }
  if (const auto bit = value_of(words, "flip")) {
    const std::size_t at = to_number(*bit) % (bytes.size() * 8);
    bytes.writable()[at / 8] ^= std::byte{1} << (at % 8);
  }
  network_->inject(cluster_->now() + delay_, kept.from, to, std::move(bytes));
}

// Events.

void Runner::when(const Words& words) {
  const auto is_verb = [](const std::string& word) { return word == "then" || word == "first"; };
  const auto verb = std::find_if(words.begin(), words.end(), is_verb);
  if (verb == words.end() || verb + 1 == words.end()) return complain("when ... then COMMAND");
  const Words condition(words.begin(), verb);
  const Words then(verb + 1, words.end());
  if (words.at(1).find("->") != std::string::npos) {
    std::optional<Pattern> which = pattern(condition);
    if (!which) return;
    which->count = 1;
    treatments_.push_back({.pattern = *which, .verb = "when", .by = {}, .name = {}, .then = then});
    return;
  }
  const std::optional<std::size_t> index = host(words[1]);
  if (!index) return;
  Trigger trigger;
  trigger.host = *index;
  trigger.kind = words.at(2);
  if (condition.size() > 3 && condition[3].rfind("skip=", 0) != 0) trigger.part = condition[3];
  trigger.skip = to_number(value_of(condition, "skip").value_or("0"));
  trigger.first = *verb == "first";
  if (trigger.first && !is_harmless(then)) return complain("not inside an input: " + then[0]);
  trigger.then = then;
  triggers_.push_back(std::move(trigger));
}

void Runner::on_event(std::size_t host, const std::string& kind, const std::string& text) {
  for (std::size_t i = 0; i < triggers_.size(); ++i) {
    Trigger& trigger = triggers_[i];
    if (trigger.done || trigger.host != host || trigger.kind != kind) continue;
    if (text.find(trigger.part) == std::string::npos) continue;
    if (trigger.skip > 0) {
      --trigger.skip;
      continue;
    }
    trigger.done = true;
    if (trigger.first) {
      const Words then = trigger.then;
      say(cluster_->name(host), "-> " + joined(then));
      carry_out(then);
    } else {
      carry_out_later(trigger.then);
    }
  }
}

// What happens inside a node must not end it; its output goes first.
void Runner::carry_out_later(const Words& words) {
  cluster_->at(cluster_->now(), [this, words] {
    say("*", joined(words));
    carry_out(words);
  });
}

}  // namespace ringcast::script
