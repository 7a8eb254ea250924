// SPDX-License-Identifier: Apache-2.0
//
// ringcast groups: the groups the daemon knows, and who is in them.
#include <memory>
#include <unistd.h>

#include "tools/ringcast/commands.hpp"
#include "tools/ringcast/print.hpp"

namespace ringcast::tools {
namespace {

ExitCode show(Client& client, const std::string& group, bool json) {
  auto groups = client.groups(group, Client::Clock::now() + answer_time_max);
  if (!groups) return fail(groups.error());
  // A group exists as long as it has members; one asked for by name is shown empty.
  if (groups->empty() && !group.empty()) groups->push_back(GroupInfo{group, {}});
  Output output(program, STDOUT_FILENO);
  for (const auto& one : *groups) {
    print(output, json, one);
  }
  return output.finish();
}

ExitCode run(const GlobalOptions& globals, const std::string& group) {
  return with_client(client_options(globals), std::nullopt, [&](Client& client) {
    return show(client, group, globals.json);
  });
}

}  // namespace

void add_groups(CLI::App& app, Invocation& invocation) {
  auto group = std::make_shared<std::string>();
  auto* const command = app.add_subcommand("groups", "groups and their members");
  command->add_option("GROUP", *group, "only this one")->check(check_group_text);
  command->footer(
      "One line per group: its name, how many members, who.\n"
      "Example:\n"
      "  ringcast groups weblogs");
  command->callback([&invocation, group] {
    invocation.run = [&invocation, group] { return run(invocation.globals, *group); };
  });
}

}  // namespace ringcast::tools
