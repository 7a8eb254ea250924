// SPDX-License-Identifier: Apache-2.0
//
// JsonApi: what is below /api/, from the figures as they are. Only reads; names of fields are a
// promise to scripts, as those of --json. Every answer is bounded.
#pragma once

#include <string>
#include <string_view>

#include "tools/common/json.hpp"
#include "tools/ringlog-monitor/group_analyses.hpp"
#include "tools/ringlog-monitor/ring_state.hpp"
#include "tools/ringlog-monitor/web/http.hpp"

namespace ringcast::monitor {

class JsonApi {
 public:
  static constexpr std::size_t rows_max = 10000;

  /// Both outlive this; `ring` is null when a file is read. Whether readers have to have a token
  /// is what they are told.
  JsonApi(const GroupAnalyses& analyses, const RingState* ring, bool has_token)
      : analyses_(analyses), ring_(ring), has_token_(has_token) {}

  /// REQUIRES: the path begins with /api/. The method is checked by the caller.
  [[nodiscard]] HttpResponse answer(const HttpRequest& request) const;

  /// One event of the stream: the figures and the last seconds of a group, "" for all.
  /// REQUIRES: there is such a group.
  [[nodiscard]] std::string event(const std::string& group) const;

 private:
  [[nodiscard]] HttpResponse groups() const;
  [[nodiscard]] HttpResponse figures(const HttpRequest& request, const Analysis& analysis) const;
  [[nodiscard]] HttpResponse events(const HttpRequest& request) const;
  [[nodiscard]] std::string report(const Analysis& analysis, std::size_t top) const;

  const GroupAnalyses& analyses_;
  const RingState* ring_;
  bool has_token_;
};

}  // namespace ringcast::monitor
