// SPDX-License-Identifier: Apache-2.0
//
// The journal's checkpoint as JSON.
#include "tools/ringlog-publish/journal_checkpoint.hpp"

#include "tools/common/json.hpp"
#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

namespace {

using tools::Json;

constexpr int checkpoint_version = 1;

Error damaged(const std::string& path) {
  return Error{
      Errc::corrupt,
      path +
          ": not a journal checkpoint of ringlog-publish, or damaged; move it away to read the "
          "journal from its beginning (lines already sent are then sent once more)"};
}

}  // namespace

Result<std::optional<JournalCheckpoint>> load_journal_checkpoint(const std::string& path) {
  const auto content = read_file(path);
  if (!content) return content.error();
  if (!content->has_value()) return std::optional<JournalCheckpoint>{};
  const auto json = Json::parse(**content, nullptr, false);
  if (!json.is_object() || json.value("ringlog_journal", Json()) != checkpoint_version) {
    return damaged(path);
  }
  const auto producer = json.value("producer", Json());
  const auto name = json.value("name", Json());
  const auto cursor = json.value("cursor", Json());
  const auto seq = json.value("seq", Json());
  const auto rules = json.value("rules", Json());
  const bool complete = producer.is_string() && name.is_string() && cursor.is_string() &&
                        seq.is_number_unsigned() && rules.is_number_unsigned();
  const auto id = complete ? parse_producer(producer.get<std::string>()) : std::nullopt;
  if (!id || seq.get<std::uint64_t>() == 0) return damaged(path);
  return std::optional(JournalCheckpoint{
      Producer{*id, name.get<std::string>()},
      cursor.get<std::string>(),
      seq.get<std::uint64_t>(),
      rules.get<std::uint64_t>()});
}

Result<void> save_journal_checkpoint(const std::string& path, const JournalCheckpoint& checkpoint) {
  Json json;
  json["ringlog_journal"] = checkpoint_version;
  json["producer"] = to_string(checkpoint.producer.id);
  json["name"] = checkpoint.producer.name;
  json["cursor"] = checkpoint.cursor;
  json["seq"] = checkpoint.seq;
  json["rules"] = checkpoint.rules;
  return replace_file(path, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace ringcast::ringlog
