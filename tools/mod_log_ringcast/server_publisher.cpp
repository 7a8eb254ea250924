// SPDX-License-Identifier: Apache-2.0
//
// The publisher below the server's parent process: started, started again, followed by another
// one at a restart, waited for at the end.
#include <algorithm>
#include <chrono>
#include <new>
#include <unistd.h>

#include "tools/mod_log_ringcast/module.hpp"

APLOG_USE_MODULE(log_ringcast);

namespace ringcast::ringlog {

namespace {

// The last digit is the layout of what lies there: it may outlive this code.
constexpr auto process_key = "mod_log_ringcast.publisher.2";
constexpr std::chrono::milliseconds parent_patience{12000};

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
// all lines are in the pipe, since the children are gone.
apr_status_t on_configuration_end(void* /*data*/) {
  auto* const process = state->process;
  if (process == nullptr || process->owner != getpid()) return APR_SUCCESS;
  if (ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_EXITING) return APR_SUCCESS;
  end_pipe(*process);
  if (process->pid < 0) (void)start(*process, publisher_command(state->settings));
  const auto deadline = std::chrono::steady_clock::now() + parent_patience;
  const auto left = [&deadline] {
    const auto time = deadline - std::chrono::steady_clock::now();
    return std::max(
        std::chrono::ceil<std::chrono::milliseconds>(time), std::chrono::milliseconds(0));
  };
  bool has_ended = wait_for_end(*process, left());
  // It may have been told to stop, as by a signal to all of the server's processes.
  if (has_ended && has_unread(*process)) {
    (void)start(*process, publisher_command(state->settings));
    has_ended = wait_for_end(*process, left());
  }
  close_pipe(*process);
  if (!has_ended) {
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

}  // namespace

bool ensure_publisher() {
  auto* const server = state->server;
  if (state->process != nullptr) return true;
  auto* process = kept_process(server->process->pool);
  if (process == nullptr) {
    process = new (apr_palloc(server->process->pool, sizeof(PublisherProcess))) PublisherProcess;
    (void)apr_pool_userdata_set(process, process_key, nullptr, server->process->pool);
  }
  if (process->write_end < 0) {
    const int error = open_pipe(*process);
    if (error != 0) {
      ap_log_error(APLOG_MARK, APLOG_EMERG, error, server, "cannot open a pipe");
      return false;
    }
  }
  state->process = process;
  retire(*process, true);
  start_publisher();
  apr_pool_cleanup_register(state->pool, nullptr, on_configuration_end, apr_pool_cleanup_null);
  return true;
}

void retire_publishers() {
  auto* const process = kept_process(state->server->process->pool);
  if (process == nullptr) return;
  // No target any more: it sends what it has and ends.
  if (state->process == nullptr && process->write_end >= 0) {
    close_pipe(*process);
    retire(*process, false);
  }
  for (const auto pid : process->retired) {
    if (pid > 0) watch(pid);
  }
}

}  // namespace ringcast::ringlog
