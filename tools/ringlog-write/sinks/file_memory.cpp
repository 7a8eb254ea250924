// SPDX-License-Identifier: Apache-2.0
//
// Lines: ["sink",VERSION] ["touch",[PATH,LENGTH]...] ["at",JOURNAL,OFFSET] ["name",HASH]
// ["period",TEXT] ["use",PATH] ["close",PATH] ["closed",PATH].
#include "tools/ringlog-write/sinks/file_memory.hpp"

#include <utility>

#include "tools/ringlog/sealed_line.hpp"

namespace ringcast::ringlog {

namespace {

using tools::Json;

constexpr std::uint64_t memory_version = 1;
constexpr std::uint64_t growth_max = std::uint64_t{4} << 20U;

bool is_text(const Json& json, std::size_t at) { return json.size() > at && json[at].is_string(); }
bool is_number(const Json& json, std::size_t at) {
  return json.size() > at && json[at].is_number_unsigned();
}

// Paths are bytes, JSON is UTF-8; a strftime in another locale may make other bytes.
std::string as_latin(const std::string& bytes) {
  std::string text;
  for (const char letter : bytes) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x80U) {
      text += letter;
    } else {
      text += static_cast<char>(0xC0U | (byte >> 6U));
      text += static_cast<char>(0x80U | (byte & 0x3FU));
    }
  }
  return text;
}

std::string from_latin(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80U || i + 1 == text.size()) {
      bytes += text[i];
    } else {
      ++i;
      bytes +=
          static_cast<char>(((byte & 0x03U) << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU));
    }
  }
  return bytes;
}

}  // namespace

Result<FileMemory> FileMemory::open(const std::string& path, bool is_synced) {
  FileMemory memory(path, is_synced);
  const auto content = read_file(path);
  if (!content) return content.error();
  std::string_view rest = content->has_value() ? std::string_view(**content) : std::string_view();
  bool is_known = false;
  for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    const auto json = unsealed_line(rest.substr(0, end));
    if (!json || !json->is_array() || !is_text(*json, 0)) break;
    if ((*json)[0] == "sink") is_known = is_number(*json, 1) && (*json)[1] == memory_version;
    if (!is_known) break;
    memory.apply(*json);
    rest.remove_prefix(end + 1);
  }
  if (content->has_value() && !is_known && !(*content)->empty()) {
    return Error{
        Errc::corrupt,
        path +
            ": damaged, or written by a newer version; without it this sink does not know "
            "where it was: restore it, or move it and the sink's files away to begin anew"};
  }
  if (auto rewritten = memory.rewrite(); !rewritten) return rewritten.error();
  return memory;
}

void FileMemory::apply(const Json& json) {
  const auto word = json[0].get<std::string>();
  if (word == "touch") {
    touched_.clear();
    for (std::size_t i = 1; i < json.size(); ++i) {
      if (!json[i].is_array() || !is_text(json[i], 0) || !is_number(json[i], 1)) continue;
      touched_.push_back(
          TouchedFile{from_latin(json[i][0].get<std::string>()), json[i][1].get<std::uint64_t>()});
    }
  } else if (word == "at" && is_text(json, 1) && is_number(json, 2)) {
    position_ = SinkPosition{json[1].get<std::string>(), json[2].get<std::uint64_t>()};
    touched_.clear();
  } else if (word == "name" && is_number(json, 1)) {
    names_.insert(json[1].get<std::uint64_t>());
  } else if (word == "period" && is_text(json, 1)) {
    period_ = from_latin(json[1].get<std::string>());
    used_.clear();
  } else if (is_text(json, 1)) {
    const auto path = from_latin(json[1].get<std::string>());
    if (word == "use") used_.insert(path);
    if (word == "close") closing_.insert(path);
    if (word == "closed") closing_.erase(path);
  }
}

void FileMemory::note(const Json& json) { noted_ += sealed_line(json); }

Result<void> FileMemory::write() {
  file_->append(std::exchange(noted_, {}));
  if (auto flushed = file_->flush(); !flushed) return flushed;
  if (!is_synced_) return {};
  return file_->sync();
}

std::string FileMemory::content() const {
  auto text = sealed_line(Json::array({"sink", memory_version}));
  for (const auto& name : names_) {
    text += sealed_line(Json::array({"name", name}));
  }
  if (!period_.empty()) text += sealed_line(Json::array({"period", as_latin(period_)}));
  for (const auto& path : used_) {
    text += sealed_line(Json::array({"use", as_latin(path)}));
  }
  for (const auto& path : closing_) {
    text += sealed_line(Json::array({"close", as_latin(path)}));
  }
  if (position_) text += sealed_line(Json::array({"at", position_->journal, position_->offset}));
  if (!touched_.empty()) {
    Json json = Json::array({"touch"});
    for (const auto& file : touched_) {
      json.push_back(Json::array({as_latin(file.path), file.length}));
    }
    text += sealed_line(json);
  }
  return text;
}

Result<void> FileMemory::rewrite() {
  const auto text = content();
  if (auto replaced = replace_file(path_, text); !replaced) return replaced;
  auto file = AppendFile::open(path_, text.size());
  if (!file) return file.error();
  file_.emplace(std::move(file).value());
  noted_.clear();  // it is in the content
  rewritten_bytes_ = text.size();
  return {};
}

Result<void> FileMemory::begin(const std::vector<TouchedFile>& files) {
  touched_ = files;
  Json json = Json::array({"touch"});
  for (const auto& file : files) {
    json.push_back(Json::array({as_latin(file.path), file.length}));
  }
  note(json);
  return write();
}

Result<void> FileMemory::commit(const SinkPosition& position) {
  touched_.clear();
  position_ = position;
  note(Json::array({"at", position.journal, position.offset}));
  if (auto written = write(); !written) return written;
  if (file_->length() < 2 * rewritten_bytes_ + growth_max) return {};
  return rewrite();
}

bool FileMemory::admit(std::uint64_t name, std::size_t names_max) {
  if (names_.contains(name)) return true;
  if (names_.size() >= names_max) return false;
  names_.insert(name);
  note(Json::array({"name", name}));
  return true;
}

void FileMemory::use(const std::string& path) {
  if (used_.insert(path).second) note(Json::array({"use", as_latin(path)}));
}

std::set<std::string> FileMemory::next_period(const std::string& period) {
  if (period == period_) return {};
  period_ = period;
  note(Json::array({"period", as_latin(period)}));
  return std::exchange(used_, {});
}

void FileMemory::close(const std::string& path) {
  if (closing_.insert(path).second) note(Json::array({"close", as_latin(path)}));
}

void FileMemory::closed(const std::string& path) {
  if (closing_.erase(path) > 0) note(Json::array({"closed", as_latin(path)}));
}

}  // namespace ringcast::ringlog
