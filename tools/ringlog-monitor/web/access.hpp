// SPDX-License-Identifier: Apache-2.0
//
// Access: who may see the figures. With a token: whoever sends it as "Authorization: Bearer
// TOKEN", or a cookie that was given for it. The cookie is made of a key of this process alone,
// so that it tells nothing of the token and ends with the process. Without a token: every
// request whose Host is an address, or a name of this host; so a page of another site, whose
// name its owner turned to our address (DNS rebinding), reads nothing. Compares in constant time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/ringlog-monitor/web/http.hpp"

namespace ringcast::monitor {

class Access {
 public:
  static constexpr std::size_t token_bytes_min = 16;
  static constexpr std::size_t token_bytes_max = 1024;

  enum class Verdict {
    allowed,
    wrong_host,  ///< to be refused whatever is asked for
    no_token     ///< may see the empty page only
  };

  /// `hosts` are the names that may stand in Host, without a token; `port` tells the cookies of
  /// several monitors on one host apart.
  Access(std::string token, std::vector<std::string> hosts, std::uint16_t port);

  [[nodiscard]] Verdict judge(const HttpRequest& request) const;
  [[nodiscard]] bool has_token() const { return !token_.empty(); }
  /// The Set-Cookie for whoever knows the token; nothing for who does not.
  [[nodiscard]] std::optional<std::string> log_in(std::string_view token) const;
  /// The Set-Cookie that ends the session.
  [[nodiscard]] std::string log_out() const;

 private:
  [[nodiscard]] bool is_our_host(std::string_view host) const;
  [[nodiscard]] bool has_cookie(std::string_view cookies) const;

  std::string token_;
  std::vector<std::string> hosts_;
  std::string cookie_name_;
  std::string session_;
};

/// Printable ASCII without blanks, long enough. Empty when it is fine, else what is wrong.
std::string check_token(std::string_view token);

}  // namespace ringcast::monitor
