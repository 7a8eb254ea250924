// SPDX-License-Identifier: Apache-2.0
#include "campaign/record.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

namespace ringcast::campaign {

namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ',';
    text += word;
  }
  return text.empty() ? "-" : text;
}

std::string joined(const std::vector<MemberName>& members) {
  std::vector<std::string> words;
  words.reserve(members.size());
  for (const MemberName& member : members) {
    words.push_back(to_string(member));
  }
  return joined(words);
}

std::string or_dash(std::string text) { return text.empty() ? "-" : text; }

std::string flags(std::initializer_list<std::pair<bool, char>> choices) {
  std::string text;
  for (const auto& [on, letter] : choices) {
    if (on) text += letter;
  }
  return or_dash(text);
}

std::string hexadecimal(std::uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(value));
  return text;
}

/// The fields of an event's line behind the time, and its letter.
struct Fields {
  char kind{'?'};
  std::vector<std::string> words;

  void operator()(const Message& message) {
    const sim::Content content = sim::look_into(message.payload);
    const auto& found = content.payload;
    std::string identity = "-";
    if (found) {
      identity = std::to_string(found->id.client) + "." + std::to_string(found->id.number) +
                 (found->intact ? ".1" : ".0");
    }
    kind = 'M';
    words = {
        to_string(message.position.configuration),
        std::to_string(message.position.seq),
        std::to_string(message.position.index),
        to_string(message.sender),
        std::string(to_string(message.service)),
        flags({{message.transitional, 't'}}),
        joined(message.groups),
        identity,
        hexadecimal(content.hash)};
  }
  void operator()(const View& view) {
    kind = 'V';
    words = {
        view.group,
        view.id,
        std::string(to_string(view.cause)),
        joined(view.who),
        joined(view.members),
        joined(view.with_me)};
  }
  void operator()(const Transitional& signal) {
    kind = 'T';
    words = {signal.group};
  }
  void operator()(const Left& left) {
    kind = 'L';
    words = {left.group};
  }
  void operator()(const Configuration& configuration) {
    kind = 'G';
    words = {to_string(configuration.id), joined(configuration.daemons)};
  }
  void operator()(const Confirmation& confirmation) {
    kind = 'C';
    words = {
        std::to_string(confirmation.ticket),
        to_string(confirmation.position.configuration),
        std::to_string(confirmation.position.seq),
        std::to_string(confirmation.position.index),
        flags({{confirmation.stable, 's'}, {confirmation.transitional, 't'}})};
  }
  void operator()(const Refused& refused) {
    kind = 'R';
    words = {
        std::to_string(refused.ticket),
        or_dash(refused.group),
        std::string(to_string(refused.error.code))};
  }
  void operator()(const Closed& closed) {
    kind = 'E';
    words = {"closed", closed.reason};
  }
  void operator()(const Reconnected& /*event*/) {}  // recorders do not ask for it
};

}  // namespace

bool Record::open(const std::string& path) {
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  return fd_ >= 0;
}

Record::~Record() {
  flush();
  if (fd_ >= 0) ::close(fd_);
}

void Record::flush() {
  std::size_t done = 0;
  while (done < text_.size()) {
    const ssize_t wrote = ::write(fd_, text_.data() + done, text_.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      // A record with a hole would accuse the daemons.
      std::perror("ringcast_recorder: the record cannot be written");
      std::_Exit(3);
    }
    done += static_cast<std::size_t>(wrote);
  }
  text_.clear();
}

void Record::line(char kind, const std::vector<std::string>& fields) {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
  text_ += kind;
  text_ += ' ' + std::to_string(now.count());
  for (const std::string& field : fields) {
    text_ += ' ';
    text_ += field;
  }
  text_ += '\n';
}

void Record::session(std::uint64_t session, const MemberName& name, std::int64_t daemon_pid) {
  line('S', {std::to_string(session), name.daemon, std::to_string(daemon_pid), name.session});
  flush();
}

void Record::join(const std::string& group) {
  line('j', {group});
  flush();
}

void Record::leave(const std::string& group) {
  line('l', {group});
  flush();
}

void Record::publish(const sim::PayloadId& id, const Publication& publication) {
  line(
      'p',
      {std::to_string(id.number),
       std::string(to_string(publication.service)),
       flags({{publication.echo, 'e'}, {publication.confirm, 'c'}}),
       std::to_string(publication.payload.size()),
       joined(publication.groups)});
  flush();
}

void Record::taken(std::uint32_t number, std::uint64_t ticket) {
  line('k', {std::to_string(number), std::to_string(ticket)});
}

void Record::not_taken(std::uint32_t number) { line('n', {std::to_string(number)}); }

void Record::event(const Event& event) {
  Fields fields;
  std::visit(fields, event);
  line(fields.kind, fields.words);
}

void Record::over(const std::string& kind, const std::string& reason) {
  line('E', {kind, or_dash(reason)});
  flush();
}

void Record::frozen() {
  line('F', {});
  flush();
}

}  // namespace ringcast::campaign
