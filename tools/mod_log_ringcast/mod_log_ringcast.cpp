// SPDX-License-Identifier: Apache-2.0
//
// mod_log_ringcast: `CustomLog "$GROUP"` in Apache 2.4. Formats and conditions stay
// mod_log_config's: this module takes the place of its log writer for targets with a leading
// `$` and hands all others on. Lines go through a pipe to `ringlog-publish fan-out`, which the
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

#include "tools/mod_log_ringcast/module.hpp"
#include "tools/mod_log_ringcast/vhost_group.hpp"

APLOG_USE_MODULE(log_ringcast);

namespace ringcast::ringlog {

State* state = nullptr;

namespace {

constexpr std::chrono::milliseconds child_patience{2000};

bool is_ours(const void* handle) {
  const auto* const target = static_cast<const LogTarget*>(handle);
  const auto& targets = state->targets;
  return !targets.empty() && target >= targets.data() && target < targets.data() + targets.size();
}

bool is_trial_run() { return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG; }

// The log writer.

void* init_target(apr_pool_t* pool, server_rec* server, const char* name) {
  if (!is_group_target(name)) return state->other_init(pool, server, name);
  if (state->targets.size() == state->targets.capacity()) {
    ap_log_error(APLOG_MARK, APLOG_EMERG, 0, server, "%s: more targets than directives", name);
    return nullptr;
  }
  if (!is_trial_run() && !ensure_publisher()) return nullptr;
  LogTarget target{};
  if (!is_vhost_target(name)) {
    const auto head = packet_head(std::string_view(name).substr(1), false);
    target.head = apr_pstrmemdup(pool, head.data(), head.size());
    target.head_bytes = head.size();
  }
  return &state->targets.emplace_back(target);
}

void relay_line(
    request_rec* request, const LogTarget& target, std::span<const std::string_view> parts) {
  if (target.head != nullptr) {
    state->relay->send({target.head, target.head_bytes}, parts);
  } else {
    const char* const name = ap_get_server_name(request);
    state->relay->send(packet_head(vhost_group(name == nullptr ? "" : name), true), parts);
  }
}

// NOLINTNEXTLINE(readability-function-size): the parameters are mod_log_config's
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
    relay_line(request, *static_cast<const LogTarget*>(handle), {parts, size});
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

int on_post_config(
    apr_pool_t* /*pool*/, apr_pool_t* /*log*/, apr_pool_t* /*temporary*/, server_rec* server) {
  if (is_trial_run()) return OK;
  state->server = server;
  retire_publishers();
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
  LineRelay::Options options;
  options.pipe = process->write_end;  // the other end stays open here too: no SIGPIPE ever comes
  options.buffer_bytes_max = state->settings.buffer_bytes;
  options.report = [server](const std::string& text) {
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server, "%s", text.c_str());
  };
  state->relay = new LineRelay(std::move(options));
  apr_pool_cleanup_register(pool, nullptr, close_relay, apr_pool_cleanup_null);
}

}  // namespace

static void register_hooks(apr_pool_t* /*pool*/) {
  ap_hook_pre_config(on_pre_config, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_check_config(on_check_config, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_open_logs(on_open_logs, nullptr, nullptr, APR_HOOK_FIRST);  // before mod_log_config
  ap_hook_post_config(on_post_config, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_child_init(on_child_init, nullptr, nullptr, APR_HOOK_MIDDLE);
}

}  // namespace ringcast::ringlog

extern "C" {
module AP_MODULE_DECLARE_DATA log_ringcast_module = {
    STANDARD20_MODULE_STUFF,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    ringcast::ringlog::directives(),
    ringcast::ringlog::register_hooks,
    AP_MODULE_FLAG_NONE};
}
