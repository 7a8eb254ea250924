// SPDX-License-Identifier: Apache-2.0
//
// Lines of an origins file, each a sealed JSON list:
//   ["journal",VERSION,GROUP,ID]            the header
//   ["cut",ID,LENGTH]                       cut to that length, and called ID from then on
//   ["source",PRODUCER,NAME,DAEMON]         numbered from 0 in their order
//   ["configuration",TEXT]                  of what follows
//   ["write",BEGIN,END,TIME_MS,RUN...]      RUN is [BYTES] for a marker, or
//                                           [BYTES,SOURCE,FIRST_SEQ,SEQ,INDEX]
#include "tools/ringlog-write/sinks/origins.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "tools/common/json.hpp"
#include "tools/ringlog/sealed_line.hpp"

namespace ringcast::ringlog {

namespace {

using tools::Json;

constexpr std::uint64_t origins_version = 1;
constexpr std::size_t marker_fields = 1;
constexpr std::size_t run_fields = 5;

bool is_numbers(const Json& json) {
  if (!json.is_array()) return false;
  for (const auto& item : json) {
    if (!item.is_number_unsigned()) return false;
  }
  return true;
}

bool is_texts(const Json& json, std::size_t count) {
  if (json.size() != count) return false;
  for (const auto& item : json) {
    if (!item.is_string()) return false;
  }
  return true;
}

// END of a write without parsing all of it: old writes are only stepped over.
std::optional<std::uint64_t> end_of_write(std::string_view text) {
  constexpr std::string_view head = "[\"write\",";
  if (!text.starts_with(head)) return std::nullopt;
  const auto comma = text.find(',', head.size());
  if (comma == std::string_view::npos) return std::nullopt;
  std::uint64_t end = 0;
  const auto read = std::from_chars(text.data() + comma + 1, text.data() + text.size(), end);
  if (read.ec != std::errc{}) return std::nullopt;
  return end;
}

// What of a write stands in front of `length`.
std::string front_of_write(std::string_view line, std::uint64_t length) {
  auto json = unsealed_line(line);
  constexpr std::size_t head_fields = 4;
  if (!json || !json->is_array() || json->size() < head_fields) return {};
  auto front = Json::array({(*json)[0], (*json)[1], length, (*json)[3]});
  auto at = (*json)[1].get<std::uint64_t>();
  for (std::size_t i = head_fields; i < json->size() && at < length; ++i) {
    auto run = (*json)[i];
    const auto bytes = std::min(run[0].get<std::uint64_t>(), length - at);
    run[0] = bytes;
    at += bytes;
    front.push_back(std::move(run));
  }
  return at == length ? sealed_line(front) : std::string();
}

}  // namespace

std::string origins_path(const std::string& journal) { return journal + ".origins"; }

bool OriginParser::take(std::string_view line, std::vector<OriginRun>& runs) {
  const auto text = unsealed_text(line);
  if (!text) return false;
  if (const auto end = end_of_write(*text)) {
    if (*end < end_) return false;
    if (*end <= begin_) {
      end_ = *end;
      return true;
    }
    return take_runs(*text, runs);
  }
  const auto json = Json::parse(*text, nullptr, false);
  if (!json.is_array() || json.empty() || !json[0].is_string()) return false;
  const auto word = json[0].get<std::string>();
  if (word == "journal" && json.size() == 4 && json[1] == origins_version) {
    if (!json[2].is_string() || !json[3].is_string()) return false;
    group_ = json[2].get<std::string>();
    journal_ = json[3].get<std::string>();
    return true;
  }
  if (word == "cut" && json.size() == 3 && json[1].is_string() && json[2].is_number_unsigned()) {
    cuts_.push_back(JournalCut{
        std::exchange(journal_, json[1].get<std::string>()), json[2].get<std::uint64_t>()});
    return true;
  }
  if (word == "source" && is_texts(json, 4)) {
    sources_.push_back(LineSource{
        json[1].get<std::string>(), json[2].get<std::string>(), json[3].get<std::string>()});
    return true;
  }
  if (word != "configuration" || !is_texts(json, 2)) return false;
  configuration_ = json[1].get<std::string>();
  return true;
}

bool OriginParser::take_runs(std::string_view text, std::vector<OriginRun>& runs) {
  const auto json = Json::parse(text, nullptr, false);
  constexpr std::size_t head_fields = 4;
  if (!json.is_array() || json.size() < head_fields || !json[1].is_number_unsigned() ||
      !json[2].is_number_unsigned() || !json[3].is_number()) {
    return false;
  }
  auto at = json[1].get<std::uint64_t>();
  for (std::size_t i = head_fields; i < json.size(); ++i) {
    const auto& item = json[i];
    if (!is_numbers(item)) return false;
    if (item.size() != marker_fields && item.size() != run_fields) return false;
    OriginRun run;
    run.begin = at;
    run.end = at + item[0].get<std::uint64_t>();
    run.time_ms = json[3].get<std::int64_t>();
    at = run.end;
    if (item.size() == run_fields) {
      const auto source = item[1].get<std::size_t>();
      if (source >= sources_.size()) return false;
      run.source = &sources_[source];
      run.first_seq = item[2].get<std::uint64_t>();
      run.configuration = configuration_;
      run.seq = item[3].get<std::uint64_t>();
      run.index = item[4].get<std::uint32_t>();
    }
    if (run.end > begin_) runs.push_back(std::move(run));
  }
  end_ = json[2].get<std::uint64_t>();
  return at == end_;
}

Result<OriginLog> OriginLog::open(
    const std::string& journal, const FileState& state, std::vector<std::string>& notes) {
  const auto path = origins_path(journal);
  const auto content = read_file(path);
  if (!content) return content.error();
  OriginParser parser;
  std::uint64_t whole = 0;
  if (content->has_value()) {
    std::string_view rest(**content);
    std::vector<OriginRun> ignored;
    parser.skip_to(state.end.length);
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      // A write beyond the journal's end was never completed.
      if (!parser.take(rest.substr(0, end), ignored) || parser.end() > state.end.length) break;
      whole += end + 1;
      rest.remove_prefix(end + 1);
    }
    const bool is_damaged =
        parser.end() <= state.end.length && rest.find('\n') != std::string_view::npos;
    if (is_damaged) {
      notes.push_back(
          path + ": damaged behind byte " + std::to_string(whole) +
          "; publisher and daemon of the lines it told of are not known any more");
    }
  }
  if (!parser.group().empty() && parser.group() != state.group) {
    return Error{
        Errc::invalid_argument,
        path + ": belongs to group " + parser.group() + "; move it away, or name another journal"};
  }
  auto file = AppendFile::open(path, whole);
  if (!file) return file.error();
  OriginLog log(std::move(file).value(), parser.journal());
  log.configuration_ = parser.configuration();
  log.cuts_ = parser.cuts();
  for (const auto& source : parser.sources()) {
    const auto number = log.sources_.size();
    log.sources_.emplace(source, number);
  }
  if (log.journal_.empty()) {
    log.journal_ = to_string(random_producer());
    log.file_.append(
        sealed_line(Json::array({"journal", origins_version, state.group, log.journal_})));
  }
  if (auto flushed = log.flush(); !flushed) return flushed.error();
  if (auto synced = log.sync(); !synced) return synced.error();
  if (auto synced = sync_directory_of(path); !synced) return synced.error();
  return log;
}

// The writes behind are left out, and of one that reaches across what is in front. Names of
// sources and configurations stay: what follows is numbered on.
Result<void> OriginLog::cut(std::uint64_t length) {
  if (auto flushed = file_.flush(); !flushed) return flushed;
  const auto content = read_file(file_.path());
  if (!content) return content.error();
  OriginParser parser;
  std::string kept;
  std::string_view rest(content->has_value() ? std::string_view(**content) : std::string_view());
  for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    const auto line = rest.substr(0, end + 1);
    const auto before = parser.end();
    std::vector<OriginRun> runs;
    if (!parser.take(line.substr(0, end), runs)) break;
    const bool is_write = !runs.empty();
    if (parser.end() <= length || !is_write) {
      kept += line;
    } else if (before < length) {
      kept += front_of_write(line.substr(0, end), length);
    }
    rest.remove_prefix(end + 1);
  }
  cuts_.push_back(JournalCut{journal_, length});
  // Sinks that keep rows find the last one of a journal by the order of its names.
  constexpr std::size_t id_digits = 32;
  constexpr std::size_t number_digits = 6;
  const auto number = std::to_string(cuts_.size());
  journal_ = journal_.substr(0, id_digits) + "." +
             std::string(number_digits - std::min(number_digits, number.size()), '0') + number;
  kept += sealed_line(Json::array({"cut", journal_, length}));
  if (auto replaced = replace_file(file_.path(), kept); !replaced) return replaced;
  auto file = AppendFile::open(file_.path(), kept.size());
  if (!file) return file.error();
  file_ = std::move(file).value();
  return {};
}

std::size_t OriginLog::index_of(const LineSource& source) {
  const auto [at, is_new] = sources_.emplace(source, sources_.size());
  if (is_new) {
    file_.append(sealed_line(Json::array({"source", source.producer, source.name, source.daemon})));
  }
  return at->second;
}

void OriginLog::enter(const std::string& configuration) {
  file_.append(sealed_line(Json::array({"configuration", configuration})));
  configuration_ = configuration;
}

/// One write's line in the making; a new source or configuration divides it in two.
class OriginLog::WriteLine {
 public:
  WriteLine(OriginLog& log, std::string_view data, std::uint64_t offset, std::int64_t time_ms)
      : log_(log), data_(data), offset_(offset), time_ms_(time_ms) {
    begin();
  }

  [[nodiscard]] std::size_t at() const { return at_; }

  void put_marker() { put(1, Json::array()); }

  void put(const LineOrigin& origin) {
    const LineSource source{to_string(origin.producer.id), origin.producer.name, origin.daemon};
    const auto configuration = to_string(origin.position.configuration);
    const auto number = number_of(source);
    if (configuration != log_.configuration_) {
      seal();
      log_.enter(configuration);
    }
    const auto& position = origin.position;
    put(origin.lines, Json::array({number, origin.first_seq, position.seq, position.index}));
  }

  /// A line that was copied from elsewhere, without its origin.
  void put_unknown() { put(1, Json::array({number_of(LineSource{}), 0U, 0U, 0U})); }

  void seal() {
    if (!has_runs_) return;
    json_[2] = offset_ + at_;
    log_.file_.append(sealed_line(json_));
    begin();
  }

 private:
  void begin() {
    json_ = Json::array({"write", offset_ + at_, offset_ + at_, time_ms_});
    has_runs_ = false;
  }

  std::size_t number_of(const LineSource& source) {
    if (!log_.sources_.contains(source)) seal();
    return log_.index_of(source);
  }

  void put(std::uint64_t lines, Json run) {
    const auto begin = at_;
    for (; lines > 0 && at_ < data_.size(); --lines) {
      at_ = data_.find('\n', at_) + 1;
    }
    run.insert(run.begin(), at_ - begin);
    json_.push_back(std::move(run));
    has_runs_ = true;
  }

  OriginLog& log_;
  std::string_view data_;
  std::uint64_t offset_;
  std::int64_t time_ms_;
  std::size_t at_{0};
  Json json_;
  bool has_runs_{false};
};

void OriginLog::append(std::uint64_t offset, const ReconcilerOutput& output, std::int64_t time_ms) {
  WriteLine write(*this, output.data, offset, time_ms);
  auto origin = output.origins.begin();
  std::vector<std::uint64_t> markers;
  for (const auto& entry : output.entries) {
    for (const auto& marker : entry.markers) {
      markers.push_back(marker.offset - offset);
    }
  }
  auto marker = markers.begin();
  while (write.at() < output.data.size()) {
    if (marker != markers.end() && *marker == write.at()) {
      write.put_marker();
      ++marker;
    } else if (origin != output.origins.end() && origin->offset == write.at()) {
      write.put(*origin);
      ++origin;
    } else {
      write.put_unknown();
    }
  }
  write.seal();
}

}  // namespace ringcast::ringlog
