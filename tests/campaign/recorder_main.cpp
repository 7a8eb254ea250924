// SPDX-License-Identifier: Apache-2.0
//
// ringcast_recorder: a client that joins groups, publishes payloads that say who they are, and
// writes down everything it asked and was told (record.hpp). It knows nothing of what is done to
// its daemon: whenever a session ends it opens another one.
//
// A witness is in every group all the time, so that its record shows its daemon's order; a
// roamer joins and leaves, says goodbye or hangs up now and then. Commands are lines on stdin,
// each answered by itself on stdout: `quiet` asks for nothing new and makes sure to be in a
// session, `freeze` ends the recording, not the session. It ends with its stdin.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <poll.h>
#include <set>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "campaign/record.hpp"
#include "sim/random.hpp"

namespace ringcast::campaign {
namespace {

using Clock = Client::Clock;
using std::chrono::milliseconds;

constexpr std::uint64_t sessions_per_recorder = 100000;
constexpr milliseconds connect_pause{50};
constexpr int events_per_turn = 200;

struct Options {
  std::string socket;
  std::string record;
  std::string name;
  std::uint64_t number{0};
  std::uint64_t seed{1};
  std::vector<std::string> groups;
  bool witness{false};
  double rate{10};  ///< publishes a second
};

class Recorder {
 public:
  explicit Recorder(Options options) : options_(std::move(options)), random_(options_.seed) {}

  int run() {
    if (!record_.open(options_.record)) {
      std::perror(options_.record.c_str());
      return 1;
    }
    next_publish_ = next_change_ = next_connect_ = Clock::now();
    while (turn()) {
    }
    return 0;
  }

 private:
  bool turn() {
    if (!client_ && !frozen_ && Clock::now() >= next_connect_) connect();
    if (client_) receive();
    if (client_ && !quiet_) act();
    record_.flush();
    return wait();
  }

  void connect() {
    ClientOptions options;
    options.socket = options_.socket;
    options.name = options_.name;
    options.connect_timeout = milliseconds{1000};
    auto client = Client::connect(options);
    next_connect_ = Clock::now() + connect_pause;
    if (!client) return;
    client_.emplace(std::move(*client));
    ++sessions_;
    published_ = 0;
    asked_.clear();
    leaving_.clear();
    members_.clear();
    record_.session(session(), client_->name(), daemon_pid());
    if (!options_.witness) return;
    for (const std::string& group : options_.groups) {
      join(group);
    }
  }

  std::uint64_t session() const { return options_.number * sessions_per_recorder + sessions_; }

  std::int64_t daemon_pid() const {
    ucred peer{};
    socklen_t length = sizeof peer;
    if (getsockopt(client_->fd(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return 0;
    return peer.pid;
  }

  void receive() {
    for (int i = 0; i < events_per_turn && client_; ++i) {
      auto event = client_->try_receive();
      if (!event || !event->has_value()) return;
      if (!frozen_) record_.event(**event);
      if (std::holds_alternative<Closed>(**event)) drop();
      note(**event);
    }
  }

  /// What later requests depend on.
  void note(const Event& event) {
    if (const auto* view = std::get_if<View>(&event)) members_ = view->members;
    if (const auto* left = std::get_if<Left>(&event)) forget(left->group);
    const auto* refused = std::get_if<Refused>(&event);
    if (refused != nullptr && !refused->group.empty()) forget(refused->group);
  }

  void forget(const std::string& group) {
    asked_.erase(group);
    leaving_.erase(group);
  }

  void drop() {
    client_.reset();
    next_connect_ = Clock::now() + connect_pause;
  }

  void act() {
    const auto now = Clock::now();
    if (now >= next_publish_) {
      publish();
      const double mean_ms = 1000.0 / std::max(options_.rate, 0.001);
      // A publisher that was stopped, or had no daemon, does not catch up.
      next_publish_ = now + std::chrono::duration_cast<Clock::duration>(random_.around(
                                Duration{static_cast<Duration::rep>(mean_ms * 1e6)}));
    }
    if (client_ && !options_.witness && now >= next_change_) {
      change();
      next_change_ = now + std::chrono::duration_cast<Clock::duration>(
                               random_.around(std::chrono::seconds{2}));
    }
  }

  void join(const std::string& group) {
    record_.join(group);
    if (client_->join(group)) asked_.insert(group);
  }

  /// Joins, leaves, says goodbye, hangs up.
  void change() {
    const std::string& group = random_.pick(options_.groups);
    const double what = random_.unit();
    if (what < 0.04) {
      record_.over("goodbye", "-");
      (void)client_->close(Clock::now() + milliseconds{500});
      drop();
    } else if (what < 0.06) {
      record_.over("hung-up", "-");
      drop();
    } else if (!asked_.contains(group)) {
      join(group);
    } else if (what < 0.5 && leaving_.insert(group).second) {
      record_.leave(group);
      (void)client_->leave(group);
    }
  }

  std::size_t draw_size() {
    const double kind = random_.unit();
    if (kind < 0.02) return random_.between(20000, 120000);
    if (kind < 0.12) return random_.between(1500, 6000);
    return random_.between(sim::identified_payload_bytes_min, 400);
  }

  std::vector<std::string> draw_groups() {
    if (!members_.empty() && random_.chance(0.05)) return {to_string(random_.pick(members_))};
    std::set<std::string> groups{random_.pick(options_.groups)};
    while (random_.chance(0.25)) {
      groups.insert(random_.pick(options_.groups));
    }
    return {groups.begin(), groups.end()};
  }

  void publish() {
    const std::uint64_t burst = random_.chance(0.05) ? 10 : 1;
    for (std::uint64_t i = 0; i < burst && client_; ++i) {
      publish_one();
    }
  }

  void publish_one() {
    const sim::PayloadId id{.client = session(), .number = ++published_};
    const std::vector<std::byte> payload = sim::make_payload(id, draw_size());
    Publication publication;
    publication.groups = draw_groups();
    publication.payload = payload;
    publication.service = static_cast<Service>(random_.below(5));
    // A witness that does not hear itself is none.
    publication.echo = options_.witness || !random_.chance(0.1);
    publication.confirm = !random_.chance(0.1);
    record_.publish(id, publication);
    const auto ticket = client_->try_publish(publication);
    if (ticket) {
      record_.taken(id.number, *ticket);
    } else if (ticket.error().code != Errc::closed) {
      record_.not_taken(id.number);
    }
  }

  milliseconds pause() const {
    if (client_ && client_->has_event()) return milliseconds{0};
    auto next = client_ ? next_publish_ : next_connect_;
    if (client_ && quiet_) next = Clock::now() + milliseconds{1000};
    if (client_ && !quiet_ && !options_.witness) next = std::min(next, next_change_);
    const auto left = std::chrono::ceil<milliseconds>(next - Clock::now());
    return std::clamp(left, milliseconds{0}, milliseconds{1000});
  }

  /// False when the input has ended.
  bool wait() {
    std::array<pollfd, 2> entries{
        pollfd{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
        pollfd{.fd = client_ ? client_->fd() : -1, .events = POLLIN, .revents = 0}};
    if (client_ && client_->wants_write()) entries[1].events |= POLLOUT;
    if (poll(entries.data(), entries.size(), static_cast<int>(pause().count())) < 0) {
      return errno == EINTR;
    }
    return entries[0].revents == 0 || take_commands();
  }

  bool take_commands() {
    std::array<char, 256> bytes{};
    const ssize_t got = read(STDIN_FILENO, bytes.data(), bytes.size());
    if (got <= 0) return false;
    input_.append(bytes.data(), static_cast<std::size_t>(got));
    for (std::size_t end = input_.find('\n'); end != std::string::npos; end = input_.find('\n')) {
      const std::string command = input_.substr(0, end);
      input_.erase(0, end + 1);
      if (command == "quiet") quiet_ = true;
      if (command == "freeze" && !frozen_) {
        frozen_ = true;
        record_.frozen();
      }
      std::printf("%s\n", command.c_str());
    }
    std::fflush(stdout);
    return true;
  }

  Options options_;
  sim::Random random_;
  Record record_;
  std::optional<Client> client_;
  std::uint64_t sessions_{0};
  std::uint32_t published_{0};
  std::set<std::string> asked_;      ///< groups it is in, or asked to be
  std::set<std::string> leaving_;    ///< of these, those it asked to leave
  std::vector<MemberName> members_;  ///< of the last view
  Clock::time_point next_publish_;
  Clock::time_point next_change_;
  Clock::time_point next_connect_;
  bool quiet_{false};
  bool frozen_{false};
  std::string input_;
};

int run(int argc, char** argv) {
  CLI::App app{"A client that records everything it asks and is told"};
  Options options;
  app.add_option("--socket", options.socket, "of the daemon")->required();
  app.add_option("--record", options.record, "the file to write")->required();
  app.add_option("--number", options.number, "of this recorder, unique in the campaign")
      ->required();
  app.add_option("--as", options.name, "private name [the daemon makes one up]");
  app.add_option("--seed", options.seed, "of what it does");
  app.add_option("--group", options.groups, "to be in")->required();
  app.add_option("--rate", options.rate, "publishes a second");
  app.add_flag("--witness", options.witness, "in every group all the time");
  CLI11_PARSE(app, argc, argv);
  return Recorder{std::move(options)}.run();
}

}  // namespace
}  // namespace ringcast::campaign

int main(int argc, char** argv) { return ringcast::campaign::run(argc, argv); }
