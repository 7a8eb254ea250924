// SPDX-License-Identifier: Apache-2.0
//
// Apache's headers in the one order in which they can be read.
#pragma once

// clang-format off
#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <ap_mpm.h>
#include <mod_log_config.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
// clang-format on
