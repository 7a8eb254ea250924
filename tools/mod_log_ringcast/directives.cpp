// SPDX-License-Identifier: Apache-2.0
//
// The directives: Apache's words, handed to Settings.
#include <string>

#include "tools/mod_log_ringcast/module.hpp"

namespace ringcast::ringlog {

namespace {

const char* answer(cmd_parms* command, const std::string& problem) {
  return problem.empty()
             ? nullptr
             : apr_pstrcat(command->pool, command->cmd->name, ": ", problem.c_str(), nullptr);
}

// Each log directive is mod_log_config's, too; this only looks at its target.
const char* look_at_log(cmd_parms* command, void* /*directory*/, int count, char* const words[]) {
  if (count == 0 || !is_group_target(words[0])) return nullptr;
  ++state->targets_declared;
  return answer(command, check_target(words[0]));
}

const char* take_daemon(cmd_parms* command, void* /*directory*/, const char* text) {
  if (const char* const error = ap_check_cmd_context(command, GLOBAL_ONLY)) return error;
  return answer(command, add_daemons(state->settings, text));
}

const char* take_path(cmd_parms* command, std::string& path, const char* text) {
  if (const char* const error = ap_check_cmd_context(command, GLOBAL_ONLY)) return error;
  const char* const whole = ap_server_root_relative(command->pool, text);
  if (whole == nullptr) return answer(command, std::string(text) + " is no valid path");
  path = whole;
  return nullptr;
}

const char* take_publisher(cmd_parms* command, void* /*directory*/, const char* text) {
  return take_path(command, state->settings.publisher, text);
}

const char* take_spool(cmd_parms* command, void* /*directory*/, const char* text) {
  return take_path(command, state->settings.spool, text);
}

const char* take_buffer(cmd_parms* command, void* /*directory*/, const char* text) {
  if (const char* const error = ap_check_cmd_context(command, GLOBAL_ONLY)) return error;
  return answer(command, set_buffer(state->settings, text));
}

const char* take_groups_max(cmd_parms* command, void* /*directory*/, const char* text) {
  if (const char* const error = ap_check_cmd_context(command, GLOBAL_ONLY)) return error;
  return answer(command, set_groups_max(state->settings, text));
}

const char* take_option(cmd_parms* command, void* /*directory*/, const char* text) {
  if (const char* const error = ap_check_cmd_context(command, GLOBAL_ONLY)) return error;
  state->settings.publisher_options.emplace_back(text);
  return nullptr;
}

// Apache keeps directives of all kinds in one type without arguments, meant for C.
template <class Function>
cmd_func as_command(Function* function) {
  return reinterpret_cast<cmd_func>(reinterpret_cast<void*>(function));
}

command_rec directive(
    const char* name, cmd_func function, cmd_how arguments, const char* description) {
  return command_rec{name, function, nullptr, RSRC_CONF, arguments, description};
}

}  // namespace

const command_rec* directives() {
  constexpr auto log = "as in mod_log_config; a target with a leading $ is a group";
  static const command_rec all[] = {
      directive("CustomLog", as_command(look_at_log), TAKE_ARGV, log),
      directive("GlobalLog", as_command(look_at_log), TAKE_ARGV, log),
      directive("TransferLog", as_command(look_at_log), TAKE_ARGV, log),
      directive(
          "RingcastDaemon",
          as_command(take_daemon),
          ITERATE,
          "sockets or HOST:PORT of ringcast daemons, the first that answers is used"),
      directive("RingcastPublisher", as_command(take_publisher), TAKE1, "path of ringlog-publish"),
      directive(
          "RingcastSpool",
          as_command(take_spool),
          TAKE1,
          "directory where lines wait when memory is full"),
      directive(
          "RingcastBuffer",
          as_command(take_buffer),
          TAKE1,
          "most bytes that wait in one server process (1M)"),
      directive(
          "RingcastGroupsMax",
          as_command(take_groups_max),
          TAKE1,
          "most groups of $#vhost at a time (64)"),
      directive(
          "RingcastPublisherOption",
          as_command(take_option),
          ITERATE,
          "further words on the command line of ringlog-publish"),
      command_rec{}};
  return static_cast<const command_rec*>(all);
}

}  // namespace ringcast::ringlog
