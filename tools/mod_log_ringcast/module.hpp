// SPDX-License-Identifier: Apache-2.0
//
// What the module's parts share: its State, one for each reading of the configuration, and its
// three parts: directives, the publisher below the server's parent, and (mod_log_ringcast.cpp)
// the hooks with the log writer. Parent and children have one thread while any of it changes;
// later it is only read.
#pragma once

#include <vector>

#include "tools/mod_log_ringcast/apache.hpp"
#include "tools/mod_log_ringcast/line_relay.hpp"
#include "tools/mod_log_ringcast/publisher_process.hpp"
#include "tools/mod_log_ringcast/settings.hpp"

extern "C" {
extern module AP_MODULE_DECLARE_DATA log_ringcast_module;
}

namespace ringcast::ringlog {

/// What mod_log_config keeps for a target of ours. With `BufferedLogs On` it takes every target
/// for its own buffer, which begins with a file and the bytes waiting for it: none.
struct LogTarget {
  void* no_file;
  apr_size_t no_bytes;
  const char* head;  ///< of a packet; null: depends on the request
  apr_size_t head_bytes;
};

struct State {
  Settings settings;
  int targets_declared{0};
  std::vector<LogTarget> targets;  ///< its elements stay where they are
  ap_log_writer_init* other_init{nullptr};
  ap_log_writer* other_write{nullptr};
  PublisherProcess* process{nullptr};  ///< once a target needs it
  apr_pool_t* pool{nullptr};           ///< of the configuration
  server_rec* server{nullptr};         ///< the main one
  LineRelay* relay{nullptr};           ///< in a child
};

/// Apache's hooks have no argument of a module's own. Null between two configurations.
extern State* state;

/// The directives, in Apache's form.
const command_rec* directives();

/// Starts the publisher, or, at a restart, another one on the same pipe, which has the new
/// configuration and the new error log. Once for each configuration. False: reported.
bool ensure_publisher();
/// After all logs are open: what former publishers are still there, and that none is needed.
void retire_publishers();

}  // namespace ringcast::ringlog
