// SPDX-License-Identifier: Apache-2.0
//
// ringcast join: talk in a group from the terminal. Lines typed are sent; messages, views
// and ring changes are printed as they come.
#include <map>
#include <memory>
#include <unistd.h>
#include <variant>

#include "ringcast/names.hpp"

#include "tools/common/line_reader.hpp"
#include "tools/common/stop_signal.hpp"
#include "tools/common/utf8.hpp"
#include "tools/common/waiting.hpp"
#include "tools/ringcast/commands.hpp"
#include "tools/ringcast/print.hpp"
#include "tools/ringcast/sender.hpp"

namespace ringcast::tools {
namespace {

constexpr std::chrono::seconds send_time_max{5};

constexpr std::string_view help_text =
    "-- a line is sent to the group; a line that starts with // is sent with one /\n"
    "-- /join [GROUP]     join a group and talk there\n"
    "-- /leave            leave the group (you can still send to it)\n"
    "-- /members          who is in the group\n"
    "-- /service [NAME]   reliable, fifo, causal, agreed or safe, for what is sent from now on\n"
    "-- /quit             leave and end; so does the end of the input\n";

class Talk {
 public:
  Talk(Client& client, std::string group, bool json)
      : client_(client),
        group_(std::move(group)),
        json_(json),
        sender_(client, [this](const Event& event) { print(event); }),
        reader_(STDIN_FILENO, client.message_bytes_max()) {}

  ExitCode run() {
    join(group_);
    while (!done_) {
      read_lines();
      if (!done_ && reader_.at_end()) end_of_input();
      check(sender_.drain());
      output_.flush();
      if (output_.is_over()) done_ = true;
      if (!done_) sleep();
    }
    const ExitCode printed = output_.finish();
    if (result_ != ExitCode::done) return result_;
    (void)client_.close(Client::Clock::now() + goodbye_time_max);
    return printed;
  }

 private:
  void read_lines() {
    while (!done_) {
      auto line = reader_.next();
      if (!line) {
        check(line.error());
        return;
      }
      if (!line->has_value()) return;
      obey(**line);
    }
  }

  void sleep() {
    const Woken woken =
        wait(client_, {.input_fd = STDIN_FILENO, .output_fd = output_.fd(), .stop_fd = stop_.fd()});
    if (woken.stop || woken.output_gone) {
      done_ = true;
    } else if (woken.input) {
      check(reader_.fill());
    }
  }

  // What was piped in is confirmed, and thereby printed, before we leave.
  void end_of_input() {
    check(sender_.finish(Client::Clock::now() + send_time_max));
    done_ = true;
  }

  void obey(std::string_view line) {
    if (line.empty() || line.front() != '/') {
      send(line);
    } else if (line.substr(0, 2) == "//") {
      send(line.substr(1));
    } else {
      const auto space = line.find(' ');
      const auto argument = space == std::string_view::npos ? "" : line.substr(space + 1);
      command(line.substr(0, space), std::string(argument));
    }
  }

  void command(std::string_view name, const std::string& argument) {
    if (name == "/quit") {
      end_of_input();
    } else if (name == "/join") {
      join(argument.empty() ? group_ : argument);
    } else if (name == "/leave") {
      complain(client_.leave(argument.empty() ? group_ : argument));
    } else if (name == "/members") {
      show_members(argument.empty() ? group_ : argument);
    } else if (name == "/service") {
      set_service(argument);
    } else if (name == "/help") {
      say(help_text);
    } else {
      say("-- there is no command " + std::string(name) + ": /help lists them\n");
    }
  }

  void join(const std::string& group) {
    auto joined = client_.join(group);
    if (joined || joined.error().code == Errc::already_member) group_ = group;
    complain(joined);
  }

  void send(std::string_view text) {
    Publication publication;
    publication.groups = {group_};
    publication.payload = as_bytes(text);
    publication.service = service_;
    const auto sent = sender_.send(publication, Client::Clock::now() + send_time_max);
    if (!sent && sent.error().code != Errc::closed) {
      complain(sent);
    } else {
      check(sent);
    }
  }

  void show_members(const std::string& group) {
    auto groups = client_.groups(group, Client::Clock::now() + answer_time_max);
    if (!groups) {
      complain(groups.error());
      return;
    }
    if (groups->empty()) groups->push_back(GroupInfo{group, {}});
    for (const auto& info : *groups) {
      if (json_) {
        append_json(output_.buffer(), info);
      } else {
        output_.buffer() += "-- ";
        append_text(output_.buffer(), info);
      }
    }
  }

  void set_service(const std::string& name) {
    const auto service = name.empty() ? service_ : parse_service(name);
    if (service) {
      service_ = *service;
      say("-- service " + std::string(to_string(service_)) + "\n");
    } else {
      say("-- " + check_service_text(name) + "\n");
    }
  }

  // Answers to commands: beside the events, so that stdout stays JSON when it is JSON.
  void say(std::string_view text) {
    if (json_) {
      (void)!write(STDERR_FILENO, text.data(), text.size());
    } else {
      output_.buffer() += text;
    }
  }

  void complain(const Result<void>& result) {
    if (!result) say("-- " + result.error().message + "\n");
  }

  void check(const Result<void>& result) {
    if (result || done_) return;
    result_ = fail(result.error());
    done_ = true;
  }

  void print(const Event& event) {
    // A confirmation says nothing new here: one's own message comes back.
    if (std::holds_alternative<Confirmation>(event)) return;
    tools::print(output_, json_, event);
  }

  Client& client_;
  std::string group_;
  bool json_;
  StopSignal stop_;
  Output output_{program, STDOUT_FILENO};
  Sender sender_;
  LineReader reader_;
  Service service_{Service::agreed};
  bool done_{false};
  ExitCode result_{ExitCode::done};
};

ExitCode run(const GlobalOptions& globals, const std::string& group) {
  return with_client(client_options(globals), std::nullopt, [&](Client& client) {
    if (!globals.json && isatty(STDIN_FILENO) == 1) {
      report(program, "you are " + to_string(client.name()) + "; /help lists the commands");
    }
    return Talk(client, group, globals.json).run();
  });
}

}  // namespace

void add_join(CLI::App& app, Invocation& invocation) {
  auto group = std::make_shared<std::string>();
  auto* const command = app.add_subcommand("join", "talk in a group from the terminal");
  command->add_option("GROUP", *group, "the group to join")->required()->check(check_group_text);
  command->footer(
      "Type to send; /leave, /join, /members, /service, /quit and /help are commands.\n"
      "Example:\n"
      "  ringcast --as ann join lobby");
  command->callback([&invocation, group] {
    invocation.run = [&invocation, group] { return run(invocation.globals, *group); };
  });
}

}  // namespace ringcast::tools
