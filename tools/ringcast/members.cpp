// SPDX-License-Identifier: Apache-2.0
//
// ringcast members: the daemons of the ring, and those that are away.
#include <unistd.h>

#include "tools/common/json_events.hpp"
#include "tools/common/output.hpp"
#include "tools/common/text_events.hpp"
#include "tools/ringcast/commands.hpp"

namespace ringcast::tools {
namespace {

ExitCode show(Client& client, bool json) {
  auto status = client.status(Client::Clock::now() + answer_time_max);
  if (!status) return fail(status.error());
  Output output(program, STDOUT_FILENO);
  if (json) {
    append_json_members(output.buffer(), *status);
  } else {
    append_text_members(output.buffer(), *status);
  }
  return output.finish();
}

ExitCode run(const GlobalOptions& globals) {
  return with_client(client_options(globals), std::nullopt, [&](Client& client) {
    return show(client, globals.json);
  });
}

}  // namespace

void add_members(CLI::App& app, Invocation& invocation) {
  auto* const command = app.add_subcommand("members", "the daemons of the ring");
  command->footer(
      "Every configured daemon is listed with its address, as member or as away.\n"
      "Example:\n"
      "  ringcast members");
  command->callback(
      [&invocation] { invocation.run = [&invocation] { return run(invocation.globals); }; });
}

}  // namespace ringcast::tools
