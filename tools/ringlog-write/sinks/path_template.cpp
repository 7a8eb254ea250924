// SPDX-License-Identifier: Apache-2.0
//
// Words that cannot leave their directory.
#include "tools/ringlog-write/sinks/path_template.hpp"

#include <array>
#include <cstdio>
#include <xxhash.h>

namespace ringcast::ringlog {

namespace {

constexpr std::size_t component_bytes_max = 200;  // of 255, so that a rotated name has room
constexpr std::size_t cut_bytes = 160;
constexpr std::size_t fields_max = 8;
constexpr std::size_t template_bytes_max = 1024;

bool is_plain(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '-' || letter == '_' || letter == ':' ||
         letter == '.';
}

void append_escaped(std::string& word, char letter) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(letter);
  word += '%';
  word += digits[byte >> 4U];
  word += digits[byte & 0x0FU];
}

// A compressed file's name is not for lines to be appended to.
bool ends_as_compressed(std::string_view text, std::size_t dot) {
  const auto rest = text.substr(dot);
  return rest == ".zst" || rest == ".gz" || rest == ".new";
}

std::string cut_component(std::string component) {
  if (component.size() <= component_bytes_max) return component;
  std::array<char, 17> hash{};
  (void)std::snprintf(
      hash.data(),
      hash.size(),
      "%016llx",
      static_cast<unsigned long long>(XXH3_64bits(component.data(), component.size())));
  return component.substr(0, cut_bytes) + "%~" + hash.data();
}

std::string cut_components(const std::string& path) {
  std::string result;
  for (std::size_t at = 0;;) {
    const auto end = path.find('/', at);
    result += cut_component(path.substr(at, end == std::string::npos ? end : end - at));
    if (end == std::string::npos) return result;
    result += '/';
    at = end + 1;
  }
}

Error refusal(std::string what) { return Error{Errc::invalid_argument, std::move(what)}; }

}  // namespace

std::string harmless_word(std::string_view text) {
  if (text.empty()) return "%";
  std::string word;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_special_dot = text[i] == '.' && (i == 0 || ends_as_compressed(text, i));
    if (is_plain(text[i]) && !is_special_dot) {
      word += text[i];
    } else {
      append_escaped(word, text[i]);
    }
  }
  return word;
}

std::optional<PathTemplate::Field> PathTemplate::field_of(std::string_view name) {
  if (name == "group") return Field::group;
  if (name == "publisher") return Field::publisher;
  if (name == "daemon") return Field::daemon;
  if (name == "vhost") return Field::vhost;
  return std::nullopt;
}

std::string_view PathTemplate::value_of(Field field, const PathFields& fields) {
  switch (field) {
    case Field::none:
      return {};
    case Field::group:
      return fields.group;
    case Field::publisher:
      return fields.publisher;
    case Field::daemon:
      return fields.daemon;
    case Field::vhost:
      return fields.vhost;
  }
  return {};
}

void PathTemplate::add_text(std::string text, bool is_utc) {
  if (text.empty()) return;
  Part part;
  part.text = std::move(text);
  if (part.text.find('%') != std::string::npos) {
    part.time.emplace(part.text, is_utc);
    has_time_ = true;
  }
  parts_.push_back(std::move(part));
}

Result<PathTemplate> PathTemplate::parse(std::string_view text, bool is_utc) {
  if (text.empty() || text.front() != '/') {
    return refusal("it must be absolute: begin it with \"/\"");
  }
  if (text.back() == '/') return refusal("it must name a file: end it with a name, not with \"/\"");
  if (text.size() > template_bytes_max) {
    return refusal(
        "it may have " + std::to_string(template_bytes_max) + " bytes; choose a shorter one");
  }
  if (text.find('\0') != std::string_view::npos) return refusal("it holds a NUL; remove it");
  PathTemplate made;
  std::size_t fields = 0;
  while (!text.empty()) {
    const auto open = text.find('{');
    made.add_text(std::string(text.substr(0, open)), is_utc);
    if (open == std::string_view::npos) break;
    text.remove_prefix(open + 1);
    const auto close = text.find('}');
    const auto field = field_of(text.substr(0, close));
    if (close == std::string_view::npos || !field) {
      return refusal(
          "\"{" + std::string(text.substr(0, close)) +
          "\" is no field; write {group}, {publisher}, {daemon} or {vhost}");
    }
    Part part;
    part.field = *field;
    made.parts_.push_back(std::move(part));
    made.has_vhost_ = made.has_vhost_ || *field == Field::vhost;
    made.has_fields_ = made.has_fields_ || *field != Field::group;
    if (++fields > fields_max) {
      return refusal("it may have " + std::to_string(fields_max) + " fields; remove some");
    }
    text.remove_prefix(close + 1);
  }
  for (auto& part : made.parts_) {
    if (part.time && part.time->at(0).empty()) {
      return refusal("strftime makes nothing of \"" + part.text + "\"; shorten it");
    }
  }
  return made;
}

std::string PathTemplate::words(const PathFields& fields) const {
  std::string joined;
  for (const auto& part : parts_) {
    if (part.field == Field::none || part.field == Field::group) continue;
    joined += harmless_word(value_of(part.field, fields)) + "/";
  }
  return joined;
}

std::string PathTemplate::path(
    std::int64_t time_ms, const PathFields& fields, std::optional<std::string_view> all) {
  std::string path;
  for (auto& part : parts_) {
    if (part.time) {
      path += part.time->at(time_ms);
    } else if (part.field == Field::none) {
      path += part.text;
    } else if (all && part.field != Field::group) {
      path += *all;
    } else {
      path += harmless_word(value_of(part.field, fields));
    }
  }
  return cut_components(path);
}

std::string PathTemplate::period(std::int64_t time_ms) {
  std::string joined;
  for (auto& part : parts_) {
    if (part.time) joined += part.time->at(time_ms) + "\n";
  }
  return joined;
}

}  // namespace ringcast::ringlog
