// SPDX-License-Identifier: Apache-2.0
//
// A request and its answer, as values: what the handlers of the web page see of HTTP.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/common/json.hpp"

namespace ringcast::monitor {

struct HttpRequest {
  std::string method;
  std::string path;                                       ///< decoded, without the query
  std::map<std::string, std::string, std::less<>> query;  ///< decoded; of a repeated one the last
  std::string host;
  std::string authorization;
  std::string cookie;
  std::string content_type;
  std::string body;

  /// Empty when it is not there.
  [[nodiscard]] std::string_view parameter(std::string_view name) const {
    const auto found = query.find(name);
    return found == query.end() ? std::string_view() : std::string_view(found->second);
  }
};

struct HttpResponse {
  int status{200};
  std::string content_type{"application/json"};
  std::string body;  ///< or the first event of a channel
  std::vector<std::pair<std::string, std::string>> headers{};
  /// Not empty: a stream that goes on with whatever is published to the channel of that name.
  std::string channel{};
};

inline HttpResponse json_response(const tools::Json& json, int status = 200) {
  return {status, "application/json", tools::one_line_json(json) + "\n"};
}

/// {"error":"what; remedy","status":404}
inline HttpResponse error_response(int status, const std::string& message) {
  return json_response({{"error", message}, {"status", status}}, status);
}

}  // namespace ringcast::monitor
