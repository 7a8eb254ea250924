// SPDX-License-Identifier: Apache-2.0
//
// The order, the clients and what happens to them.
#include "tests/unit/tools/writers_network.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <catch2/catch.hpp>

namespace ringcast::ringlog {

namespace {

const std::string group = "weblogs";
constexpr std::chrono::milliseconds tick{5};

}  // namespace

WritersNetwork::WritersNetwork(std::uint64_t seed, std::vector<std::string> daemons)
    : random_(seed), daemons_(std::move(daemons)) {
  std::map<std::string, int> together;
  for (const auto& daemon : daemons_) {
    together[daemon] = 0;
  }
  reconfigure(together);
}

void WritersNetwork::start_writer(const std::string& name, const std::string& daemon) {
  auto& client = clients_[name];
  client = Client{};
  client.name = name;
  client.daemon = daemon;
  StoreOptions options;
  options.group = group;
  options.path = directory_ / name;
  options.keep = keeps_[name];
  options.tell = [this, name](const std::string& sentence) {
    story_.push_back(name + ": " + sentence);
  };
  options.calls.sync = [](int) { return 0; };
  options.calls.sync_directory = [](const std::string&) -> Result<void> { return {}; };
  client.scribe = std::make_unique<Scribe>(std::move(options));
  const auto opened = client.scribe->open(now_);
  INFO((opened ? std::string() : opened.error().message));
  REQUIRE(opened);
  auto& component = component_of(daemon);
  client.inbox.push_back(Configuration{component.id, component.daemons, daemons_});
  std::set<std::string> writers;
  for (const auto& member : members(component.groups[writers_group(group)])) {
    writers.insert(to_string(member));
  }
  client.scribe->on_session(client.member(), std::size_t{1} << 14U, writers, now_);
  story_.push_back(name + " starts");
}

void WritersNetwork::kill_writer(const std::string& name) {
  story_.push_back(name + " is killed");
  auto& client = clients_.at(name);
  client.scribe.reset();
  client.inbox.clear();
  auto& component = component_of(client.daemon);
  std::erase_if(component.waiting, [&](const Request& request) {
    return request.client == name && (!request.message || any(2) == 0);
  });
  for (const auto& which : {group, writers_group(group)}) {
    change_group(component, which, Cause::disconnect, client);
  }
}

void WritersNetwork::drain(const std::string& name) {
  auto& client = clients_.at(name);
  while (!client.inbox.empty()) {
    read_one(client);
  }
}

void WritersNetwork::add_publisher(const std::string& daemon) {
  const auto number = std::to_string(clients_.size());
  auto& client = clients_["p" + number];
  client.name = "p" + number;
  client.daemon = daemon;
  client.outbox = std::make_unique<Outbox>(std::size_t{1} << 20U);
  client.producer.id.bytes[0] = static_cast<std::uint8_t>(clients_.size());
  client.producer.name = client.name;
  auto& component = component_of(daemon);
  client.inbox.push_back(Configuration{component.id, component.daemons, daemons_});
}

void WritersNetwork::publish(std::size_t publisher, std::uint64_t lines, std::size_t line_bytes) {
  for (auto& [name, client] : clients_) {
    if (!client.outbox || publisher-- > 0) continue;
    Record record{client.producer, client.seq + 1, Lines{}};
    for (std::uint64_t i = 0; i < lines; ++i) {
      auto line = name + ":" + std::to_string(++client.seq);
      line.resize(std::max(line.size(), line_bytes), '.');
      lines_.insert(line);
      std::get<Lines>(record.body).lines.push_back(line);
    }
    (void)client.outbox->accept(OutgoingRecord{encode(record), lines, Origin{}});
    return;
  }
}

WritersNetwork::Component& WritersNetwork::component_of(const std::string& daemon) {
  for (auto& component : components_) {
    const auto& all = component.daemons;
    if (std::find(all.begin(), all.end(), daemon) != all.end()) return component;
  }
  FAIL("no component has " << daemon);
  return components_.front();
}

std::vector<MemberName> WritersNetwork::members(const std::vector<std::string>& names) const {
  std::vector<MemberName> made;
  for (const auto& name : names) {
    made.push_back(clients_.at(name).member());
  }
  return made;
}

void WritersNetwork::reconfigure(const std::map<std::string, int>& parts) {
  std::string told = "network";
  for (const auto& [daemon, number] : parts) {
    told += " " + daemon + "=" + std::to_string(number);
  }
  story_.push_back(told);
  // Where each group's members were together, by client.
  std::map<std::string, std::map<std::string, std::set<std::string>>> before;
  std::map<int, Component> next;
  for (auto& old : components_) {
    std::map<int, Component> sides;
    for (const auto& daemon : old.daemons) {
      sides[parts.at(daemon)].daemons.push_back(daemon);
    }
    for (auto& [side_number, side] : sides) {
      const auto number = side_number;
      // The same was ordered everywhere; how much of it was stable is each side's own business.
      Component delivering = old;
      std::erase_if(delivering.groups, [](const auto& item) { return item.second.empty(); });
      delivering.daemons = side.daemons;
      delivering.views += 1000 * (static_cast<std::uint64_t>(number) + 1);  // ids of its own
      auto regular = old.ordered.empty() ? 0 : any(old.ordered.size() + 1);
      while (!delivering.ordered.empty()) {
        deliver_one(delivering, regular == 0);
        regular -= regular > 0 ? 1 : 0;
      }
      // Members of the other sides stay listed up to here.
      for (auto& [name, all] : delivering.groups) {
        std::erase_if(all, [&](const std::string& client) {
          return parts.at(clients_.at(client).daemon) != number;
        });
      }
      auto& target = next[number];
      target.daemons.insert(target.daemons.end(), side.daemons.begin(), side.daemons.end());
      for (const auto& [name, all] : delivering.groups) {
        auto& group_members = target.groups[name];
        for (const auto& client : all) {
          before[name][client] = {all.begin(), all.end()};
        }
        group_members.insert(group_members.end(), all.begin(), all.end());
      }
      for (const auto& request : old.waiting) {
        if (parts.at(clients_.at(request.client).daemon) == number) {
          target.waiting.push_back(request);
        }
      }
    }
  }
  if (components_.empty()) next[0].daemons = daemons_;
  components_.clear();
  for (auto& [number, component] : next) {
    std::sort(component.daemons.begin(), component.daemons.end());
    component.id = ConfigurationId{++rings_, component.daemons.front(), 1};
    components_.push_back(std::move(component));
    install(components_.back(), before);
  }
}

void WritersNetwork::install(
    Component& component,
    const std::map<std::string, std::map<std::string, std::set<std::string>>>& before) {
  for (auto& [name, client] : clients_) {
    const auto& all = component.daemons;
    if (std::find(all.begin(), all.end(), client.daemon) == all.end()) continue;
    if (!client.scribe && !client.outbox) continue;
    client.inbox.push_back(Configuration{component.id, component.daemons, daemons_});
  }
  for (auto& [name, all] : component.groups) {
    std::sort(all.begin(), all.end());
    View view;
    view.group = name;
    view.id = to_string(component.id) + "/" + std::to_string(++component.views);
    view.cause = Cause::network;
    view.members = members(all);
    for (const auto& client : all) {
      const auto& with = before.at(name).at(client);
      view.with_me = members({with.begin(), with.end()});
      clients_.at(client).inbox.push_back(Transitional{name});
      clients_.at(client).inbox.push_back(view);
    }
  }
}

void WritersNetwork::order_one(Component& component) {
  component.ordered.push_back(std::move(component.waiting.front()));
  component.waiting.pop_front();
}

void WritersNetwork::deliver_one(Component& component, bool transitional) {
  const auto request = std::move(component.ordered.front());
  component.ordered.pop_front();
  deliver(component, request, transitional);
}

void WritersNetwork::deliver(Component& component, const Request& request, bool transitional) {
  ++component.seq;
  if (!request.message) {
    auto& client = clients_.at(request.client);
    if (client.scribe) change_group(component, request.group, Cause::join, client);
    return;
  }
  auto message = *request.message;
  message.position = Position{component.id, component.seq, 0};
  message.transitional = transitional;
  for (auto& [name, client] : clients_) {
    if (!client.scribe && !client.outbox) continue;
    const auto& all = component.daemons;
    if (std::find(all.begin(), all.end(), client.daemon) == all.end()) continue;
    bool gets_it = false;
    for (const auto& to : message.groups) {
      const auto& in_group = component.groups[to];
      const bool is_in = std::find(in_group.begin(), in_group.end(), name) != in_group.end();
      gets_it = gets_it || is_in || to == to_string(client.member());
    }
    if (gets_it) client.inbox.push_back(message);
    if (name == request.client && client.outbox) {
      client.inbox.push_back(
          Confirmation{request.ticket, message.position, !transitional, transitional});
    }
  }
}

void WritersNetwork::change_group(
    Component& component, const std::string& name, Cause cause, Client& who) {
  auto& all = component.groups[name];
  const auto was = all;
  const bool is_in = std::find(all.begin(), all.end(), who.name) != all.end();
  if (cause == Cause::join && !is_in) all.push_back(who.name);
  if (cause != Cause::join && !is_in) return;
  if (cause != Cause::join) std::erase(all, who.name);
  std::sort(all.begin(), all.end());
  View view;
  view.group = name;
  view.id = to_string(component.id) + "/" + std::to_string(++component.views);
  view.cause = cause;
  view.who = {who.member()};
  view.members = members(all);
  const auto& here = component.daemons;
  for (const auto& name_of : all) {
    auto& client = clients_.at(name_of);
    if (std::find(here.begin(), here.end(), client.daemon) == here.end()) continue;
    view.with_me = name_of == who.name ? view.who : members(was);
    if (cause != Cause::join) view.with_me = view.members;
    client.inbox.push_back(view);
  }
}

void WritersNetwork::publish_from(Client& client, Outgoing message, std::uint64_t ticket) {
  Message made;
  made.sender = client.member();
  made.groups = {message.to};
  if (!message.also_to.empty()) made.groups.push_back(message.also_to);
  made.service = message.service;
  made.type = message.type;
  made.payload = std::move(message.payload);
  component_of(client.daemon).waiting.push_back(Request{client.name, "", std::move(made), ticket});
}

void WritersNetwork::read_one(Client& client) {
  auto event = std::move(client.inbox.front());
  client.inbox.pop_front();
  if (client.scribe) {
    client.scribe->on_event(std::move(event), now_);
    work_writer(client);
    return;
  }
  if (const auto* configuration = std::get_if<Configuration>(&event)) {
    client.configuration = *configuration;
    client.outbox->retry_set_aside();
  } else if (const auto* confirmation = std::get_if<Confirmation>(&event)) {
    const bool has_majority = client.configuration->id == confirmation->position.configuration &&
                              client.configuration->has_majority();
    (void)client.outbox->on_confirmation(*confirmation, has_majority);
  } else if (const auto* message = std::get_if<Message>(&event)) {
    if (const auto progress = decode_progress(message->payload)) {
      (void)client.outbox->on_written(message->sender, *progress);
    }
  }
}

void WritersNetwork::work(Client& client) {
  if (client.scribe) {
    work_writer(client);
  } else if (client.outbox) {
    work_publisher(client);
  }
}

void WritersNetwork::work_publisher(Client& client) {
  auto& outbox = *client.outbox;
  if (const auto number = outbox.next()) {
    const auto ticket = ++client.tickets;
    publish_from(
        client,
        Outgoing{group, record_type, Service::safe, outbox.record(*number).payload},
        ticket);
    outbox.on_sent(*number, ticket);
  } else if (outbox.needs_settle()) {
    const auto ticket = ++client.tickets;
    publish_from(
        client,
        Outgoing{group, record_type, Service::safe, encode(Record{client.producer, 0, Settle{}})},
        ticket);
    outbox.on_settle_sent(ticket);
  } else if (outbox.set_aside() > 0 && any(50) == 0) {
    outbox.retry_set_aside();
  }
}

void WritersNetwork::work_writer(Client& client) {
  auto& scribe = *client.scribe;
  scribe.step(now_);
  if (const auto reason = scribe.restart_reason()) {
    const auto name = client.name;
    const auto daemon = client.daemon;
    story_.push_back(name + " joins again: " + *reason);
    auto& component = component_of(daemon);
    scribe.on_session_end();
    REQUIRE(scribe.store().finish(std::chrono::steady_clock::now()));
    for (const auto& which : {group, writers_group(group)}) {
      change_group(component, which, Cause::disconnect, client);
    }
    start_writer(name, daemon);
    return;
  }
  if (scribe.may_join() && !std::exchange(client.joined, true)) {
    component_of(client.daemon).waiting.push_back(Request{client.name, group, {}, 0});
  }
  if (client.joined && scribe.may_join_writers() && !std::exchange(client.joined_writers, true)) {
    component_of(client.daemon)
        .waiting.push_back(Request{client.name, writers_group(group), {}, 0});
  }
  while (!scribe.outgoing().empty()) {
    publish_from(client, std::move(scribe.outgoing().front()), 0);
    scribe.outgoing().pop_front();
  }
  for (auto& [sender, progress] : scribe.take_progress()) {
    extend(client.progress[sender].written, progress.written);
    client.progress[sender].is_awaited |= progress.is_awaited;
  }
  for (auto& [sender, progress] : client.progress) {
    if (!progress.is_awaited || !scribe.store().is_kept()) continue;
    progress.is_awaited = false;
    publish_from(
        client,
        Outgoing{to_string(sender), progress_type, Service::safe, encode(progress.written)},
        0);
  }
}

void WritersNetwork::step() {
  now_ += tick;
  auto& component = components_[any(components_.size())];
  if (!component.waiting.empty() && any(2) == 0) order_one(component);
  if (!component.ordered.empty() && any(2) == 0) deliver_one(component, false);
  auto it = clients_.begin();
  std::advance(it, static_cast<std::ptrdiff_t>(any(clients_.size())));
  auto& client = it->second;
  for (auto count = any(4); count > 0 && !client.inbox.empty(); --count) {
    read_one(client);
  }
  work(client);
}

bool WritersNetwork::settle() {
  std::size_t quiet = 0;
  for (std::size_t i = 0; i < 200000; ++i) {
    step();
    bool is_quiet = true;
    for (const auto& component : components_) {
      is_quiet = is_quiet && component.waiting.empty() && component.ordered.empty();
    }
    for (const auto& [name, client] : clients_) {
      is_quiet = is_quiet && client.inbox.empty() && (!client.outbox || client.outbox->empty());
      if (client.scribe) {
        is_quiet = is_quiet && client.scribe->reconciler().is_live() &&
                   !client.scribe->reconciler().is_unsure() &&
                   !client.scribe->reconciler().has_segments();
      }
    }
    quiet = is_quiet ? quiet + 1 : 0;
    if (quiet > 200) return true;
  }
  return false;
}

std::string WritersNetwork::file(const std::string& writer) const {
  return read_text(directory_ / writer);
}

bool WritersNetwork::is_live(const std::string& writer) const {
  return is_running(writer) && clients_.at(writer).scribe->reconciler().is_live();
}

bool WritersNetwork::are_together(const std::string& one, const std::string& other) const {
  for (const auto& component : components_) {
    const auto& all = component.daemons;
    const auto has = [&](const std::string& name) {
      return std::find(all.begin(), all.end(), clients_.at(name).daemon) != all.end();
    };
    if (has(one)) return has(other);
  }
  return false;
}

std::vector<std::string> WritersNetwork::pending_files() const {
  std::vector<std::string> found;
  for (const auto& item : std::filesystem::directory_iterator(directory_.path())) {
    const auto name = item.path().filename().string();
    if (name.find(".pending-") != std::string::npos) found.push_back(name);
  }
  return found;
}

std::string WritersNetwork::story() const {
  std::string text;
  for (const auto& sentence : story_) {
    text += sentence + "\n";
  }
  for (const auto& [name, client] : clients_) {
    if (!client.scribe) continue;
    const auto& mind = client.scribe->reconciler();
    text += name + (mind.is_live() ? " live" : " not live") + " awaits";
    for (const auto& other : mind.awaited()) {
      text += " " + other;
    }
    text += mind.target() ? " has a target" : "";
    text += mind.has_segments() ? " has pending files" : "";
    text += "\n";
  }
  return text;
}

}  // namespace ringcast::ringlog
