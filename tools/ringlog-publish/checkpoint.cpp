// SPDX-License-Identifier: Apache-2.0
//
// The checkpoint file as JSON.
#include "tools/ringlog-publish/checkpoint.hpp"

#include <xxhash.h>

#include "tools/common/json.hpp"
#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

namespace {

using tools::Json;
constexpr int checkpoint_version = 1;

std::optional<std::uint64_t> number(const Json& json, const char* field) {
  const auto it = json.find(field);
  if (it == json.end() || !it->is_number_unsigned()) return std::nullopt;
  return it->get<std::uint64_t>();
}

std::optional<std::string> text(const Json& json, const char* field) {
  const auto it = json.find(field);
  if (it == json.end() || !it->is_string()) return std::nullopt;
  return it->get<std::string>();
}

std::optional<CheckpointEntry> parse_entry(const Json& json) {
  const auto path = text(json, "path");
  const auto device = number(json, "device");
  const auto inode = number(json, "inode");
  const auto hashed = number(json, "fingerprint_bytes");
  const auto hash = number(json, "fingerprint");
  const auto producer = parse_producer(text(json, "producer").value_or(""));
  const auto name = text(json, "name");
  const auto offset = number(json, "offset");
  const auto seq = number(json, "seq");
  const bool complete = path && device && inode && hashed && hash && producer && name && offset;
  if (!complete || !seq || *seq == 0) return std::nullopt;
  CheckpointEntry entry{
      *path,
      FileId{*device, *inode},
      Fingerprint{*hashed, *hash},
      Producer{*producer, *name},
      *offset,
      *seq,
      number(json, "filter").value_or(0),
      std::nullopt};
  if (const auto since = number(json, "absent_since")) {
    entry.absent_since = std::chrono::sys_seconds(std::chrono::seconds(*since));
  }
  return entry;
}

Error damaged(const std::string& path) {
  return Error{
      Errc::corrupt,
      path +
          ": not a checkpoint of ringlog-publish, or damaged; move it away to read all files "
          "from their beginning (lines already sent are then sent once more)"};
}

}  // namespace

Result<Fingerprint> fingerprint_of(int fd, std::uint64_t bytes) {
  const auto head = read_part(fd, 0, bytes, "followed file");
  if (!head) return head.error();
  return Fingerprint{bytes, XXH3_64bits(head->data(), head->size())};
}

Result<std::vector<CheckpointEntry>> load_checkpoint(const std::string& path) {
  const auto content = read_file(path);
  if (!content) return content.error();
  std::vector<CheckpointEntry> entries;
  if (!content->has_value()) return entries;
  const auto json = Json::parse(**content, nullptr, false);
  if (!json.is_object() || number(json, "ringlog_checkpoint") != checkpoint_version) {
    return damaged(path);
  }
  const auto files = json.find("files");
  if (files == json.end() || !files->is_array()) return damaged(path);
  for (const auto& item : *files) {
    auto entry = item.is_object() ? parse_entry(item) : std::nullopt;
    if (!entry) return damaged(path);
    entries.push_back(std::move(*entry));
  }
  return entries;
}

Result<void> save_checkpoint(const std::string& path, const std::vector<CheckpointEntry>& entries) {
  Json files = Json::array();
  for (const auto& entry : entries) {
    Json item;
    item["path"] = entry.path;
    item["device"] = entry.id.device;
    item["inode"] = entry.id.inode;
    item["fingerprint_bytes"] = entry.fingerprint.bytes;
    item["fingerprint"] = entry.fingerprint.hash;
    item["producer"] = to_string(entry.producer.id);
    item["name"] = entry.producer.name;
    item["offset"] = entry.offset;
    item["seq"] = entry.seq;
    if (entry.filter != 0) item["filter"] = entry.filter;
    if (entry.absent_since) item["absent_since"] = entry.absent_since->time_since_epoch().count();
    files.push_back(std::move(item));
  }
  Json json;
  json["ringlog_checkpoint"] = checkpoint_version;
  json["files"] = std::move(files);
  return replace_file(path, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace ringcast::ringlog
