// SPDX-License-Identifier: Apache-2.0
//
// mod_log_ringcast: `CustomLog "$GROUP"` in Apache 2.4. Formats and conditions stay
// mod_log_config's: this module takes the place of its log writer for targets with a leading
// `$` and hands all others on. Lines go through a socket to `ringlog-publish fan-out`, which the
// server's parent process starts and starts again; no worker ever waits for it. What is decided
// where: settings.hpp, line_relay.hpp, publisher_process.hpp; why: docs/logging.md.
#include <cerrno>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

#include "tools/mod_log_ringcast/apache.hpp"
#include "tools/mod_log_ringcast/line_relay.hpp"
#include "tools/mod_log_ringcast/publisher_process.hpp"
#include "tools/mod_log_ringcast/settings.hpp"
#include "tools/mod_log_ringcast/vhost_group.hpp"

extern "C" {
extern module AP_MODULE_DECLARE_DATA log_ringcast_module;
APLOG_USE_MODULE(log_ringcast);
}

namespace {

using namespace ringcast::ringlog;

// The last digit is the layout of what lies there: it may outlive this code.
constexpr auto process_key = "mod_log_ringcast.publisher.1";
constexpr std::chrono::milliseconds child_patience{2000};
constexpr std::chrono::milliseconds parent_patience{12000};

/// What mod_log_config keeps for a target of ours. With `BufferedLogs On` it takes every target
/// for its own buffer, which begins with a file and the bytes waiting for it: none.
struct Target {
  void* no_file;
  apr_size_t no_bytes;
  const char* head;  ///< of a packet; null: depends on the request
  apr_size_t head_bytes;
};

/// One for each reading of the configuration.
struct State {
  Settings settings;
  int targets_declared{0};
  std::vector<Target> targets;  // its elements stay where they are
  ap_log_writer_init* other_init{nullptr};
  ap_log_writer* other_write{nullptr};
  PublisherProcess* process{nullptr};
  apr_pool_t* pool{nullptr};
  server_rec* server{nullptr};
  LineRelay* relay{nullptr};  // in a child
};

// Apache's hooks have no argument of a module's own.
State* state = nullptr;

bool is_ours(const void* handle) {
  const auto* const target = static_cast<const Target*>(handle);
  const auto& targets = state->targets;
  return !targets.empty() && target >= targets.data() && target < targets.data() + targets.size();
}

bool is_trial_run() { return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG; }

// The publisher's process.

PublisherProcess* kept_process(apr_pool_t* pool) {
  void* data = nullptr;
  (void)apr_pool_userdata_get(&data, process_key, pool);
  return static_cast<PublisherProcess*>(data);
}

void watch(pid_t pid);

void start_publisher() {
  auto& process = *state->process;
  const auto words = publisher_command(state->settings);
  const int error = start(process, words);
  if (error == 0) {
    watch(process.pid);
  } else {
    ap_log_error(
        APLOG_MARK, APLOG_ERR, error, state->server, "cannot start %s", words.front().c_str());
  }
}

void on_process(int reason, void* data, int status) {
  if (reason != APR_OC_REASON_DEATH && reason != APR_OC_REASON_LOST) return;
  const auto pid = static_cast<apr_proc_t*>(data)->pid;
  apr_proc_other_child_unregister(data);
  auto* const process = kept_process(state->server->process->pool);
  forget(*process, pid);
  if (process->pid != pid) return;
  process->pid = -1;
  int mpm_state = AP_MPMQ_STOPPING;
  (void)ap_mpm_query(AP_MPMQ_MPM_STATE, &mpm_state);
  if (mpm_state == AP_MPMQ_STOPPING) return;
  ap_log_error(
      APLOG_MARK,
      APLOG_ERR,
      0,
      state->server,
      "the publisher (pid %ld) ended with status %d; starting another, which finds what this one "
      "had not read",
      static_cast<long>(pid),
      status);
  start_publisher();
}

void watch(pid_t pid) {
  auto* const process = static_cast<apr_proc_t*>(apr_pcalloc(state->pool, sizeof(apr_proc_t)));
  process->pid = pid;
  apr_proc_other_child_register(process, on_process, process, nullptr, state->pool);
}

// The configuration goes: for another one, and the publisher stays; or the server ends, and then
// all lines are in the socket, since the children are gone.
apr_status_t on_configuration_end(void* /*data*/) {
  auto* const process = state->process;
  if (process == nullptr || process->owner != getpid()) return APR_SUCCESS;
  if (ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_EXITING) return APR_SUCCESS;
  if (process->pid < 0) (void)start(*process, publisher_command(state->settings));
  close_socket(*process);
  if (!wait_for_end(*process, parent_patience)) {
    ap_log_error(
        APLOG_MARK,
        APLOG_WARNING,
        0,
        nullptr,
        "the publisher (pid %ld) is still sending lines as the server ends",
        static_cast<long>(process->pid));
  }
  return APR_SUCCESS;
}

// The first time there is a target. At a restart another publisher follows the one that is
// there, on the same socket: it has the new configuration and the new error log.
bool ensure_publisher(server_rec* server) {
  if (state->process != nullptr) return true;
  auto* process = kept_process(server->process->pool);
  if (process == nullptr) {
    process = new (apr_palloc(server->process->pool, sizeof(PublisherProcess))) PublisherProcess;
    (void)apr_pool_userdata_set(process, process_key, nullptr, server->process->pool);
  }
  if (process->send_end < 0) {
    const int error = open_socket(*process);
    if (error != 0) {
      ap_log_error(APLOG_MARK, APLOG_EMERG, error, server, "cannot open a socket");
      return false;
    }
  }
  state->process = process;
  retire(*process, true);
  start_publisher();
  apr_pool_cleanup_register(state->pool, nullptr, on_configuration_end, apr_pool_cleanup_null);
  return true;
}

// The log writer.

void* init_target(apr_pool_t* pool, server_rec* server, const char* name) {
  if (!is_group_target(name)) return state->other_init(pool, server, name);
  if (state->targets.size() == state->targets.capacity()) {
    ap_log_error(APLOG_MARK, APLOG_EMERG, 0, server, "%s: more targets than directives", name);
    return nullptr;
  }
  if (!is_trial_run() && !ensure_publisher(state->server)) return nullptr;
  Target target{};
  if (!is_vhost_target(name)) {
    const auto head = packet_head(std::string_view(name).substr(1), false);
    target.head = apr_pstrmemdup(pool, head.data(), head.size());
    target.head_bytes = head.size();
  }
  return &state->targets.emplace_back(target);
}

void relay_line(
    request_rec* request, const Target& target, std::span<const std::string_view> parts) {
  if (target.head != nullptr) {
    state->relay->send({target.head, target.head_bytes}, parts);
  } else {
    const char* const name = ap_get_server_name(request);
    state->relay->send(packet_head(vhost_group(name == nullptr ? "" : name), true), parts);
  }
}

apr_status_t write_line(
    request_rec* request,
    void* handle,
    const char** portions,
    int* lengths,
    int count,
    apr_size_t length) {
  if (!is_ours(handle)) {
    return state->other_write(request, handle, portions, lengths, count, length);
  }
  if (state->relay == nullptr) return APR_ENOTIMPL;
  const auto size = static_cast<std::size_t>(count);
  auto* const parts =
      static_cast<std::string_view*>(apr_palloc(request->pool, size * sizeof(std::string_view)));
  for (std::size_t i = 0; i < size; ++i) {
    new (&parts[i]) std::string_view(portions[i], static_cast<std::size_t>(lengths[i]));
  }
  try {
    relay_line(request, *static_cast<const Target*>(handle), {parts, size});
  } catch (const std::exception&) {
    return APR_ENOMEM;
  }
  return APR_SUCCESS;
}

// Hooks, in the order in which they come.

apr_status_t forget_state(void* data) {
  delete static_cast<State*>(data);
  state = nullptr;
  return APR_SUCCESS;
}

int on_pre_config(apr_pool_t* pool, apr_pool_t* /*log*/, apr_pool_t* /*temporary*/) {
  state = new State;
  state->pool = pool;
  state->settings.publisher = RINGCAST_PUBLISHER;
  apr_pool_cleanup_register(pool, state, forget_state, apr_pool_cleanup_null);
  return OK;
}

int on_check_config(
    apr_pool_t* /*pool*/, apr_pool_t* /*log*/, apr_pool_t* /*temporary*/, server_rec* server) {
  if (state->targets_declared == 0) return OK;
  const auto& path = state->settings.publisher;
  if (::access(path.c_str(), X_OK) == 0) return OK;
  ap_log_error(
      APLOG_MARK,
      APLOG_STARTUP | APLOG_EMERG,
      errno,
      server,
      "%s cannot be executed; RingcastPublisher names the path of ringlog-publish",
      path.c_str());
  return !OK;
}

int on_open_logs(
    apr_pool_t* /*pool*/, apr_pool_t* /*log*/, apr_pool_t* /*temporary*/, server_rec* server) {
  if (state->targets_declared == 0) return OK;
  auto* const set_init = APR_RETRIEVE_OPTIONAL_FN(ap_log_set_writer_init);
  auto* const set_write = APR_RETRIEVE_OPTIONAL_FN(ap_log_set_writer);
  if (set_init == nullptr || set_write == nullptr) {
    ap_log_error(
        APLOG_MARK,
        APLOG_STARTUP | APLOG_EMERG,
        0,
        server,
        "mod_log_ringcast needs mod_log_config");
    return DONE;
  }
  state->server = server;
  state->targets.reserve(static_cast<std::size_t>(state->targets_declared));
  state->other_init = set_init(init_target);
  state->other_write = set_write(write_line);
  return OK;
}

// When there is no target any more, the publisher sends what it has and ends.
int on_post_config(
    apr_pool_t* /*pool*/, apr_pool_t* /*log*/, apr_pool_t* /*temporary*/, server_rec* server) {
  auto* const process = kept_process(server->process->pool);
  if (is_trial_run() || process == nullptr) return OK;
  state->server = server;
  if (state->process == nullptr && process->send_end >= 0) {
    close_socket(*process);
    retire(*process, false);
  }
  for (const auto pid : process->retired) {
    if (pid > 0) watch(pid);
  }
  return OK;
}

apr_status_t close_relay(void* /*data*/) {
  auto* const relay = std::exchange(state->relay, nullptr);
  if (relay != nullptr && relay->close(child_patience)) delete relay;
  return APR_SUCCESS;
}

void on_child_init(apr_pool_t* pool, server_rec* server) {
  auto* const process = state->process;
  if (process == nullptr) return;
  if (process->owner != getpid()) (void)::close(process->receive_end);
  LineRelay::Options options;
  options.socket = process->send_end;
  options.buffer_bytes_max = state->settings.buffer_bytes;
  options.report = [server](const std::string& text) {
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server, "%s", text.c_str());
  };
  state->relay = new LineRelay(std::move(options));
  apr_pool_cleanup_register(pool, nullptr, close_relay, apr_pool_cleanup_null);
}

void register_hooks(apr_pool_t* /*pool*/) {
  ap_hook_pre_config(on_pre_config, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_check_config(on_check_config, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_open_logs(on_open_logs, nullptr, nullptr, APR_HOOK_FIRST);  // before mod_log_config
  ap_hook_post_config(on_post_config, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_child_init(on_child_init, nullptr, nullptr, APR_HOOK_MIDDLE);
}

// Directives.

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

}  // namespace

extern "C" {
module AP_MODULE_DECLARE_DATA log_ringcast_module = {
    STANDARD20_MODULE_STUFF,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    directives(),
    register_hooks,
    AP_MODULE_FLAG_NONE};
}
