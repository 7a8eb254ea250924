// SPDX-License-Identifier: Apache-2.0
#include "campaign/load.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "ringcast/configuration.hpp"
#include "ringcast/names.hpp"

#include "campaign/record.hpp"

namespace ringcast::campaign {

namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> list(std::string_view text) {
  if (text == "-") return {};
  return split(text, ',');
}

/// Whether all was understood is asked once, at the end of a line.
class Fields {
 public:
  explicit Fields(std::string_view line) : words_(split(line, ' ')) {}

  std::string_view word() {
    if (next_ < words_.size()) return words_[next_++];
    ok_ = false;
    return {};
  }
  std::string text() { return std::string(word()); }
  template <class T>
  T number(int base = 10) {
    const std::string_view digits = word();
    T value{0};
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    ok_ = ok_ && error == std::errc{} && end == digits.data() + digits.size();
    return value;
  }
  Instant time() { return Instant{std::chrono::microseconds{number<std::int64_t>()}}; }
  bool flag(char letter, std::string_view word) {
    return word.find(letter) != std::string_view::npos;
  }
  Service service() {
    const auto found = parse_service(word());
    ok_ = ok_ && found.has_value();
    return found.value_or(Service::agreed);
  }
  std::string rest() {
    std::string text;
    while (next_ < words_.size()) {
      text += (text.empty() ? "" : " ") + std::string(words_[next_++]);
    }
    return text;
  }
  void refuse() { ok_ = false; }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  std::vector<std::string_view> words_;
  std::size_t next_{0};
  bool ok_{true};
};

std::optional<Cause> parse_cause(std::string_view text) {
  for (const Cause cause : {Cause::join, Cause::leave, Cause::disconnect, Cause::network}) {
    if (to_string(cause) == text) return cause;
  }
  return std::nullopt;
}

std::optional<Errc> parse_code(std::string_view text) {
  for (std::uint16_t code = 1; code <= static_cast<std::uint16_t>(Errc::corrupt); ++code) {
    if (to_string(static_cast<Errc>(code)) == text) return static_cast<Errc>(code);
  }
  return std::nullopt;
}

class Loader {
 public:
  void read(const std::string& path) {
    std::ifstream file(path);
    if (!file) {
      recording_.problems.push_back(path + ": cannot be read");
      return;
    }
    current_.reset();
    bool frozen = false;
    bool log = false;
    std::uint64_t number = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      if (file.eof()) break;  // cut by a kill
      if (line.empty()) continue;
      Fields fields(std::string_view(line).substr(std::min<std::size_t>(2, line.size())));
      const Instant time = fields.time();
      const bool of_log = std::string_view("DXBZH").find(line[0]) != std::string_view::npos;
      log = log || of_log;
      frozen = frozen || line[0] == 'F';
      (of_log ? take_log(line[0], time, fields) : take(line[0], time, fields));
      if (!fields.ok()) {
        recording_.problems.push_back(
            path + ":" + std::to_string(number) + ": not understood: " + line.substr(0, 120));
        return;
      }
    }
    if (!frozen) hang_up();
  }

  Recording finish() {
    sim::History& history = recording_.sessions;
    for (sim::SessionRecord& session : history.sessions) {
      for (sim::SessionEvent& event : session.events) {
        if (auto* received = std::get_if<sim::Received>(&event.what)) {
          if (received->payload) number_anew(received->payload->id);
          last_ = std::max(last_, event.time);
        }
      }
    }
    std::sort(recording_.runs.begin(), recording_.runs.end(), [](const auto& a, const auto& b) {
      return a.started < b.started;
    });
    recording_.settled = healed_.has_value();
    history.settled = recording_.settled;
    history.healed = healed_.value_or(last_);
    history.finished = last_;
    return std::move(recording_);
  }

 private:
  /// The session of a recorder that is gone was hung up by it.
  void hang_up() {
    if (!current_) return;
    sim::SessionRecord& session = recording_.sessions.sessions[*current_];
    if (session.end == sim::SessionEnd::open) session.end = sim::SessionEnd::hung_up;
  }

  /// Sessions are numbered from 1 here; a session nobody recorded becomes 0.
  void number_anew(sim::PayloadId& id) const {
    const auto known = clients_.find(id.client);
    id.client = known == clients_.end() ? 0 : known->second;
  }

  NodeId node(std::string_view name) {
    const auto [at, fresh] = nodes_.try_emplace(std::string(name));
    if (fresh) {
      at->second = node_id(name);
      recording_.sessions.names[at->second] = at->first;
    }
    return at->second;
  }

  RingId ring(std::string_view text, Fields& fields) {
    const auto [at, fresh] = rings_.try_emplace(std::string(text));
    if (!fresh) return at->second;
    const auto id = parse_configuration_id(text);
    if (!id) {
      fields.refuse();
      return {};
    }
    at->second = {
        .seq = id->seq, .representative = node(id->representative), .boot = BootId{id->boot}};
    return at->second;
  }

  std::vector<Member> members(std::string_view text, Fields& fields) {
    std::vector<Member> result;
    for (const std::string_view word : list(text)) {
      const auto name = parse_member(word);
      if (!name) {
        fields.refuse();
        return {};
      }
      result.push_back({.node = node(name->daemon), .name = name->session, .session = {}});
    }
    return result;
  }

  static std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> result;
    for (const std::string_view word : list(text)) {
      result.emplace_back(word);
    }
    return result;
  }

  void take_log(char kind, Instant time, Fields& fields) {
    if (kind == 'D') {
      DaemonRun run;
      run.daemon = fields.text();
      run.pid = fields.number<std::int64_t>();
      run.started = time;
      recording_.runs.push_back(run);
    } else if (kind == 'X') {
      const std::string daemon = fields.text();
      const auto pid = fields.number<std::int64_t>();
      for (DaemonRun& run : recording_.runs) {
        if (run.daemon == daemon && run.pid == pid && !run.ended) run.ended = time;
      }
    } else if (kind == 'B') {
      Fault fault;
      fault.number = fields.number<std::uint64_t>();
      fault.kind = fields.text();
      fault.target = fields.text();
      fault.began = time;
      recording_.faults.push_back(fault);
    } else if (kind == 'Z') {
      const auto number = fields.number<std::uint64_t>();
      for (Fault& fault : recording_.faults) {
        if (fault.number == number) fault.ended = time;
      }
    } else {
      healed_ = time;
    }
  }

  void open_session(Instant time, Fields& fields) {
    hang_up();
    const auto number = fields.number<std::uint64_t>();
    const std::string daemon = fields.text();
    const auto pid = fields.number<std::int64_t>();
    sim::SessionRecord& session = recording_.sessions.open_session(daemon, std::nullopt, time);
    session.name = fields.text();
    (void)node(daemon);
    current_ = session.client - 1;
    clients_[number] = session.client;
    recording_.notes.push_back({.daemon_pid = pid, .recorder = number / 100000});
  }

  void take(char kind, Instant time, Fields& fields) {
    if (kind == 'S') {
      open_session(time, fields);
      return;
    }
    if (!current_) {
      fields.refuse();
      return;
    }
    sim::SessionRecord& session = recording_.sessions.sessions[*current_];
    auto event = read_event(kind, session, fields);
    if (event) {
      session.events.push_back({.time = time, .what = std::move(*event)});
    } else if (kind == 'E') {
      close_session(session, time, fields);
    } else if (kind == 'k' || kind == 'n') {
      settle_publish(session, kind == 'k', fields);
    } else if (kind != 'F') {
      fields.refuse();
    }
  }

  std::optional<sim::ClientHistoryEvent> read_event(
      char kind, const sim::SessionRecord& session, Fields& fields) {
    switch (kind) {
      case 'j':
        return sim::AskedJoin{.group = fields.text()};
      case 'l':
        return sim::AskedLeave{.group = fields.text()};
      case 'p':
        return read_publish(session, fields);
      case 'M':
        return read_message(fields);
      case 'V':
        return read_view(fields);
      case 'T':
        return TransitionalEvent{.group = fields.text()};
      case 'L':
        return LeftEvent{.group = fields.text()};
      case 'G':
        return read_configuration(fields);
      case 'C':
        return read_confirmation(fields);
      case 'R':
        return read_refused(fields);
      default:
        return std::nullopt;
    }
  }

  static sim::Published read_publish(const sim::SessionRecord& session, Fields& fields) {
    sim::Published publish;
    publish.id = {.client = session.client, .number = fields.number<std::uint32_t>()};
    publish.service = fields.service();
    const std::string_view flags = fields.word();
    publish.echo = fields.flag('e', flags);
    publish.confirm = fields.flag('c', flags);
    publish.size = fields.number<std::size_t>();
    publish.groups = words(fields.word());
    return publish;
  }

  sim::Received read_message(Fields& fields) {
    sim::Received received;
    sim::ReceivedMessage& event = received.event;
    event.configuration = ring(fields.word(), fields);
    event.seq = Seq{fields.number<std::uint64_t>()};
    event.index = fields.number<std::uint32_t>();
    const auto sender = members(fields.word(), fields);
    if (sender.size() == 1) {
      event.sender_node = sender[0].node;
      event.sender_name = sender[0].name;
    } else {
      fields.refuse();
    }
    event.service = fields.service();
    event.transitional = fields.flag('t', fields.word());
    event.groups = words(fields.word());
    const std::string_view identity = fields.word();
    if (identity != "-") {
      std::string spaced(identity);
      std::replace(spaced.begin(), spaced.end(), '.', ' ');
      Fields parts(spaced);
      sim::FoundPayload found;
      found.id.client = parts.number<std::uint64_t>();
      found.id.number = parts.number<std::uint32_t>();
      found.intact = parts.number<int>() == 1;
      if (!parts.ok()) fields.refuse();
      received.payload = found;
    }
    received.hash = fields.number<std::uint64_t>(16);
    return received;
  }

  ViewEvent read_view(Fields& fields) {
    ViewEvent view;
    view.group = fields.text();
    const std::string_view id = fields.word();
    const std::size_t slash = id.rfind('/');
    const std::size_t wave = id.find('~');
    if (slash == std::string_view::npos) {
      fields.refuse();
      return view;
    }
    Fields number(id.substr(slash + 1));
    view.id.number = number.number<std::uint64_t>();
    if (!number.ok()) fields.refuse();
    view.id.configuration = ring(id.substr(0, std::min(slash, wave)), fields);
    if (wave != std::string_view::npos) {
      view.id.next = ring(id.substr(wave + 1, slash - wave - 1), fields);
    }
    const auto cause = parse_cause(fields.word());
    if (!cause) fields.refuse();
    view.cause = cause.value_or(Cause::join);
    view.who = members(fields.word(), fields);
    view.members = members(fields.word(), fields);
    view.with_me = members(fields.word(), fields);
    return view;
  }

  ConfigurationEvent read_configuration(Fields& fields) {
    ConfigurationEvent change;
    change.id = ring(fields.word(), fields);
    for (const std::string_view name : list(fields.word())) {
      change.daemons.push_back(node(name));
    }
    return change;
  }

  ConfirmEvent read_confirmation(Fields& fields) {
    ConfirmEvent confirm;
    confirm.ticket = fields.number<std::uint64_t>();
    confirm.configuration = ring(fields.word(), fields);
    confirm.seq = Seq{fields.number<std::uint64_t>()};
    confirm.index = fields.number<std::uint32_t>();
    const std::string_view flags = fields.word();
    confirm.stable = fields.flag('s', flags);
    confirm.transitional = fields.flag('t', flags);
    return confirm;
  }

  static sim::Refused read_refused(Fields& fields) {
    sim::Refused refused;
    refused.about = fields.number<std::uint64_t>();
    refused.subject = fields.text();
    if (refused.subject == "-") refused.subject.clear();
    const auto code = parse_code(fields.word());
    if (!code) fields.refuse();
    refused.code = code.value_or(Errc::invalid_argument);
    return refused;
  }

  /// The publish of that number was handed over under a ticket, or not at all.
  static void settle_publish(sim::SessionRecord& session, bool taken, Fields& fields) {
    const auto number = fields.number<std::uint32_t>();
    const std::uint64_t ticket = taken ? fields.number<std::uint64_t>() : 0;
    for (auto event = session.events.rbegin(); event != session.events.rend(); ++event) {
      auto* publish = std::get_if<sim::Published>(&event->what);
      if (publish == nullptr || publish->id.number != number) continue;
      if (taken) {
        publish->ticket = ticket;
      } else {
        session.events.erase(std::next(event).base());
      }
      return;
    }
    fields.refuse();
  }

  static void close_session(sim::SessionRecord& session, Instant time, Fields& fields) {
    const std::string kind = fields.text();
    session.reason = fields.rest();
    session.ended = time;
    const auto says = [&](std::string_view words) {
      return session.reason.find(words) != std::string::npos;
    };
    if (kind == "goodbye") {
      session.end = sim::SessionEnd::goodbye;
    } else if (kind == "hung-up") {
      session.end = sim::SessionEnd::hung_up;
    } else if (says("without a reason") || says("connection to the daemon lost")) {
      session.end = sim::SessionEnd::lost;
    } else {
      session.end = sim::SessionEnd::closed;
    }
  }

  Recording recording_;
  std::optional<std::size_t> current_;
  std::unordered_map<std::uint64_t, std::uint64_t> clients_;  ///< as recorded -> here
  std::map<std::string, NodeId> nodes_;
  std::unordered_map<std::string, RingId> rings_;
  std::optional<Instant> healed_;
  Instant last_;
};

}  // namespace

Recording load(const std::vector<std::string>& paths) {
  Loader loader;
  for (const std::string& path : paths) {
    loader.read(path);
  }
  return loader.finish();
}

}  // namespace ringcast::campaign
