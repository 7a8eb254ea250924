// SPDX-License-Identifier: Apache-2.0
#include "ringcast/names.hpp"

#include <algorithm>
#include <array>

namespace ringcast {
namespace {

constexpr bool belongs_to_words(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == ':' || c == '-';
}

// Each message has names in it, which are looked at wherever it is decoded.
constexpr auto word_characters = [] {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    table[i] = belongs_to_words(static_cast<char>(i));
  }
  return table;
}();

bool is_word_character(char c) { return word_characters[static_cast<unsigned char>(c)]; }

Error bad_name(std::string_view what, std::string_view text) {
  return Error{
      Errc::invalid_argument,
      std::string(what) + " \"" + std::string(text.substr(0, 80)) +
          "\" is not 1 to 64 letters, digits, '_', '.', ':' or '-'"};
}

}  // namespace

bool is_valid_word(std::string_view text) {
  return !text.empty() && text.size() <= name_bytes_max &&
         std::all_of(text.begin(), text.end(), is_word_character);
}

std::string to_string(const MemberName& name) { return "#" + name.session + "#" + name.daemon; }

Result<MemberName> parse_member(std::string_view text) {
  const auto second = text.size() > 1 ? text.find('#', 1) : std::string_view::npos;
  if (text.empty() || text.front() != '#' || second == std::string_view::npos) {
    return Error{
        Errc::invalid_argument,
        "member name \"" + std::string(text.substr(0, 80)) + "\" is not of the form #NAME#DAEMON"};
  }
  const auto session = text.substr(1, second - 1);
  const auto daemon = text.substr(second + 1);
  if (!is_valid_word(session)) return bad_name("private name", session);
  if (!is_valid_word(daemon)) return bad_name("daemon name", daemon);
  return MemberName{.session = std::string(session), .daemon = std::string(daemon)};
}

Result<void> check_group(std::string_view text) {
  if (!is_valid_word(text)) return bad_name("group name", text);
  return {};
}

Result<void> check_destination(std::string_view text) {
  if (text.empty() || text.front() != '#') return check_group(text);
  const auto member = parse_member(text);
  if (!member) return member.error();
  return {};
}

}  // namespace ringcast
