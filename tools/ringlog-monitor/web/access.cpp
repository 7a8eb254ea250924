// SPDX-License-Identifier: Apache-2.0
//
// OpenSSL gives the random bytes and compares.
#include "tools/ringlog-monitor/web/access.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdexcept>
#include <utility>

#include "tools/ringlog-monitor/web/listen_address.hpp"

namespace ringcast::monitor {

namespace {

constexpr std::string_view bearer = "bearer ";

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Digest digest_of(std::string_view text) {
  Digest digest{};
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  (void)::SHA256(bytes, text.size(), digest.data());
  return digest;
}

// Digests are of one length, so that the time tells nothing of the texts.
bool is_same(std::string_view one, std::string_view other) {
  const auto first = digest_of(one);
  const auto second = digest_of(other);
  return ::CRYPTO_memcmp(first.data(), second.data(), first.size()) == 0;
}

std::string random_text() {
  constexpr std::string_view digits = "0123456789abcdef";
  constexpr unsigned half_byte = 4;
  std::array<unsigned char, SHA256_DIGEST_LENGTH> bytes{};
  if (::RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    throw std::runtime_error("the system gives no random numbers");  // ends the program
  }
  std::string text;
  for (const auto byte : bytes) {
    text += digits[byte >> half_byte];
    text += digits[byte % digits.size()];
  }
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return result;
}

// Without the port and the brackets of IPv6.
std::string_view name_of(std::string_view host) {
  if (!host.empty() && host.front() == '[') {
    const auto end = host.find(']');
    return end == std::string_view::npos ? host : host.substr(1, end - 1);
  }
  return host.substr(0, host.rfind(':'));
}

}  // namespace

Access::Access(std::string token, std::vector<std::string> hosts, std::uint16_t port)
    : token_(std::move(token)),
      hosts_(std::move(hosts)),
      cookie_name_("ringlog-" + std::to_string(port)),
      session_(random_text()) {
  for (auto& host : hosts_) {
    host = lower(host);
  }
}

Access::Verdict Access::judge(const HttpRequest& request) const {
  if (token_.empty()) return is_our_host(request.host) ? Verdict::allowed : Verdict::wrong_host;
  const std::string_view authorization = request.authorization;
  const bool is_bearer = lower(authorization.substr(0, bearer.size())) == bearer;
  if (is_bearer && is_same(authorization.substr(bearer.size()), token_)) return Verdict::allowed;
  return has_cookie(request.cookie) ? Verdict::allowed : Verdict::no_token;
}

bool Access::is_our_host(std::string_view host) const {
  const auto name = lower(name_of(host));
  return is_ip_address(name) || std::find(hosts_.begin(), hosts_.end(), name) != hosts_.end();
}

bool Access::has_cookie(std::string_view cookies) const {
  const auto head = cookie_name_ + "=";
  while (!cookies.empty()) {
    const auto one = cookies.substr(0, cookies.find(';'));
    cookies.remove_prefix(std::min(cookies.size(), one.size() + 1));
    const auto start = std::min(one.find_first_not_of(' '), one.size());
    const auto pair = one.substr(start);
    if (pair.starts_with(head) && is_same(pair.substr(head.size()), session_)) return true;
  }
  return false;
}

std::optional<std::string> Access::log_in(std::string_view token) const {
  if (token_.empty() || !is_same(token, token_)) return std::nullopt;
  return cookie_name_ + "=" + session_ + "; Path=/; HttpOnly; SameSite=Strict";
}

std::string Access::log_out() const {
  return cookie_name_ + "=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict";
}

std::string check_token(std::string_view token) {
  const bool is_printable = std::all_of(
      token.begin(), token.end(), [](unsigned char letter) { return std::isgraph(letter) != 0; });
  if (is_printable && token.size() >= Access::token_bytes_min &&
      token.size() <= Access::token_bytes_max) {
    return {};
  }
  return "a token is " + std::to_string(Access::token_bytes_min) + " to " +
         std::to_string(Access::token_bytes_max) +
         " letters, digits and signs without blanks; openssl rand -hex 16 makes one";
}

}  // namespace ringcast::monitor
