// SPDX-License-Identifier: Apache-2.0
//
// Writing JSON: strings are copied in runs between the characters that need an escape.
#include "tools/common/json_line.hpp"

#include <array>
#include <cstdio>

namespace ringcast::tools {
namespace {

bool needs_escape(char character) {
  return character == '"' || character == '\\' || static_cast<unsigned char>(character) < 0x20;
}

void append_escape(std::string& out, char character) {
  switch (character) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  constexpr std::string_view hex = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(character);
  out += "\\u00";
  out += hex[value >> 4U];
  out += hex[value & 0xfU];
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t run = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!needs_escape(text[at])) continue;
    out.append(text, run, at - run);
    append_escape(out, text[at]);
    run = at + 1;
  }
  out.append(text, run, text.size() - run);
  out += '"';
}

void JsonLine::separate() {
  if (out_.back() != '{' && out_.back() != '[') out_ += ',';
}

void JsonLine::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
}

JsonLine& JsonLine::text(std::string_view name, std::string_view value) {
  key(name);
  append_json_string(out_, value);
  return *this;
}

JsonLine& JsonLine::number(std::string_view name, std::uint64_t value) {
  key(name);
  out_ += std::to_string(value);
  return *this;
}

JsonLine& JsonLine::integer(std::string_view name, std::int64_t value) {
  key(name);
  out_ += std::to_string(value);
  return *this;
}

JsonLine& JsonLine::seconds(std::string_view name, double value) {
  key(name);
  std::array<char, 64> text{};
  (void)std::snprintf(text.data(), text.size(), "%.3f", value);
  out_ += text.data();
  return *this;
}

JsonLine& JsonLine::boolean(std::string_view name, bool value) {
  key(name);
  out_ += value ? "true" : "false";
  return *this;
}

JsonLine& JsonLine::null(std::string_view name) {
  key(name);
  out_ += "null";
  return *this;
}

JsonLine& JsonLine::words(std::string_view name, const std::vector<std::string>& values) {
  open_array(name);
  for (const auto& value : values) {
    separate();
    append_json_string(out_, value);
  }
  return close_array();
}

JsonLine& JsonLine::members(std::string_view name, const std::vector<MemberName>& values) {
  open_array(name);
  for (const auto& value : values) {
    separate();
    append_json_string(out_, to_string(value));
  }
  return close_array();
}

JsonLine& JsonLine::numbers(std::string_view name, const std::vector<std::uint64_t>& values) {
  open_array(name);
  for (const auto value : values) {
    separate();
    out_ += std::to_string(value);
  }
  return close_array();
}

JsonLine& JsonLine::open_object(std::string_view name) {
  key(name);
  out_ += '{';
  return *this;
}

JsonLine& JsonLine::open_element() {
  separate();
  out_ += '{';
  return *this;
}

JsonLine& JsonLine::close_object() {
  out_ += '}';
  return *this;
}

JsonLine& JsonLine::open_array(std::string_view name) {
  key(name);
  out_ += '[';
  return *this;
}

JsonLine& JsonLine::close_array() {
  out_ += ']';
  return *this;
}

void JsonLine::end() { out_ += "}\n"; }

}  // namespace ringcast::tools
