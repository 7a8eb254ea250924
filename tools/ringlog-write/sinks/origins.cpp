// SPDX-License-Identifier: Apache-2.0
//
// Lines of an origins file, each a sealed JSON list:
//   ["journal",VERSION,GROUP,ID]            the header; sources are numbered anew behind it
//   ["earlier",ID,LENGTH]                   called ID up to a cut to that length; behind a header
//   ["cut",ID,LENGTH]                       cut to that length, and called ID from then on
//   ["jump",FRONT,[FROM,LINES],[TO,LINES],MARKER]   goes on at TO behind FROM
//   ["source",PRODUCER,NAME,DAEMON]         numbered from 0 in their order
//   ["configuration",TEXT]                  of what follows
//   ["write",BEGIN,END,TIME_MS,RUN...]      RUN is [BYTES] for a marker, or
//                                           [BYTES,SOURCE,FIRST_SEQ,SEQ,INDEX]
#include "tools/ringlog-write/sinks/origins.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <utility>

#include "tools/common/json.hpp"
#include "tools/ringlog/sealed_line.hpp"
#include "tools/ringlog/sparse_lines.hpp"

namespace ringcast::ringlog {

namespace {

using tools::Json;

constexpr std::uint64_t origins_version = 1;
constexpr std::uint64_t part_bytes = std::uint64_t{1} << 20U;
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

// Of a jump two places are told by length and lines alone.
std::optional<FileJump> jump_of(const Json& json) {
  constexpr std::size_t fields = 5;
  const bool fits = json.size() == fields && json[1].is_number_unsigned() && is_numbers(json[2]) &&
                    json[2].size() == 2 && is_numbers(json[3]) && json[3].size() == 2 &&
                    json[4].is_string();
  if (!fits) return std::nullopt;
  FileJump jump;
  jump.front = json[1].get<std::uint64_t>();
  jump.from.length = json[2][0].get<std::uint64_t>();
  jump.from.lines = json[2][1].get<std::uint64_t>();
  jump.to.length = json[3][0].get<std::uint64_t>();
  jump.to.lines = json[3][1].get<std::uint64_t>();
  jump.marker = json[4].get<std::string>();
  if (jump.front > jump.from.length || jump.from.length >= jump.to.length) return std::nullopt;
  return jump;
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
  return take_name(*text);
}

// What is no write.
bool OriginParser::take_name(std::string_view text) {
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_array() || json.empty() || !json[0].is_string()) return false;
  const auto word = json[0].get<std::string>();
  if (word == "journal" && json.size() == 4 && json[1] == origins_version) {
    if (!json[2].is_string() || !json[3].is_string()) return false;
    group_ = json[2].get<std::string>();
    journal_ = json[3].get<std::string>();
    ++headers_;
    cuts_.clear();
    numbers_.clear();
    configuration_.clear();
    return true;
  }
  const bool is_cut = (word == "cut" || word == "earlier") && json.size() == 3 &&
                      json[1].is_string() && json[2].is_number_unsigned();
  if (is_cut) {
    auto name = json[1].get<std::string>();
    if (word == "cut") std::swap(name, journal_);
    cuts_.push_back(JournalCut{std::move(name), json[2].get<std::uint64_t>()});
    return true;
  }
  if (word == "jump") {
    auto jump = jump_of(json);
    if (!jump || jump->to.length < end_) return false;
    end_ = jump->to.length;
    jumps_.push_back(*std::move(jump));
    return true;
  }
  if (word == "source" && is_texts(json, 4)) {
    const auto known = sources_.insert(LineSource{
        json[1].get<std::string>(), json[2].get<std::string>(), json[3].get<std::string>()});
    numbers_.push_back(&*known.first);
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
      if (source >= numbers_.size()) return false;
      run.source = numbers_[source];
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

// Up to the journal's end, or the first damage; `whole` is what of the file counts.
Result<void> OriginLog::read(
    const FileState& state,
    OriginParser& parser,
    std::deque<Part>& parts,
    std::uint64_t& whole,
    SparseLines& lines) {
  std::vector<OriginRun> ignored;
  parser.skip_to(state.end.length);
  for (;;) {
    const auto line = lines.next();
    if (!line) return line.error();
    if (!*line) return {};
    const auto before = parser.end();
    const auto headers = parser.headers();
    const bool is_good = parser.take(**line, ignored);
    // A write beyond the journal's end was never completed.
    if (parser.end() > state.end.length) return {};
    if (!is_good) return Error{Errc::corrupt, "damaged"};
    if (parser.headers() > headers) parts.push_back(Part{lines.line_begins(), before});
    whole = lines.line_ends();
  }
}

Result<OriginLog> OriginLog::open(
    const std::string& journal, const FileState& state, std::vector<std::string>& notes) {
  const auto path = origins_path(journal);
  auto lines = SparseLines::open(path);
  if (!lines) return lines.error();
  OriginParser parser;
  std::uint64_t whole = 0;
  std::deque<Part> parts;
  const auto read_well = read(state, parser, parts, whole, *lines);
  if (!read_well && read_well.error().code != Errc::corrupt) return read_well.error();
  if (!read_well) {
    notes.push_back(
        path + ": damaged behind byte " + std::to_string(whole) +
        "; publisher and daemon of the lines it told of are not known any more");
  }
  if (!parser.group().empty() && parser.group() != state.group) {
    return Error{
        Errc::invalid_argument,
        path + ": belongs to group " + parser.group() + "; move it away, or name another journal"};
  }
  auto file = AppendFile::open(path, whole);
  if (!file) return file.error();
  OriginLog log(std::move(file).value(), state.group);
  log.journal_ = parser.journal();
  log.configuration_ = parser.configuration();
  log.parts_ = std::move(parts);
  log.cuts_ = parser.cuts();
  log.jumps_ = parser.jumps();
  for (const auto* source : parser.sources()) {
    const auto number = log.sources_.size();
    log.sources_.emplace(*source, number);
  }
  if (log.journal_.empty()) {
    log.journal_ = to_string(random_producer());
    log.begin_part(0);
  }
  if (auto flushed = log.flush(); !flushed) return flushed.error();
  if (auto synced = log.sync(); !synced) return synced.error();
  if (auto synced = sync_directory_of(path); !synced) return synced.error();
  return log;
}

// What was known of names is said anew where it is used next.
void OriginLog::begin_part(std::uint64_t journal_length) {
  parts_.push_back(Part{file_.length() + file_.buffered(), journal_length});
  sources_.clear();
  configuration_.clear();
  file_.append(sealed_line(Json::array({"journal", origins_version, group_, journal_})));
  for (const auto& cut : cuts_) {
    file_.append(sealed_line(Json::array({"earlier", cut.journal, cut.length})));
  }
}

Result<void> OriginLog::jump(const FileJump& jump) {
  file_.append(sealed_line(Json::array(
      {"jump",
       jump.front,
       Json::array({jump.from.length, jump.from.lines}),
       Json::array({jump.to.length, jump.to.lines}),
       jump.marker})));
  jumps_.push_back(jump);
  begin_part(jump.to.length);
  if (auto flushed = flush(); !flushed) return flushed;
  return sync();
}

Result<void> OriginLog::release(std::uint64_t length) {
  const auto behind = std::partition_point(parts_.begin(), parts_.end(), [&](const Part& part) {
    return part.journal_length <= length;
  });
  if (behind - parts_.begin() < 2) return {};
  parts_.erase(parts_.begin(), std::prev(behind));
  std::erase_if(jumps_, [&](const FileJump& jump) { return jump.to.length <= length; });
  const auto to = std::min(parts_.front().offset, file_.length());
  if (release_bytes(file_.fd(), 0, to) == 0) return {};
  return system_error(file_.path(), "cannot release", errno);
}

// The writes behind are left out, and of one that reaches across what is in front. Names of
// sources and configurations stay: what follows is numbered on.
Result<void> OriginLog::cut(std::uint64_t length) {
  if (auto flushed = file_.flush(); !flushed) return flushed;
  auto lines = SparseLines::open(file_.path());
  if (!lines) return lines.error();
  OriginParser parser;
  std::string kept;
  parts_.clear();
  for (;;) {
    const auto line = lines->next();
    if (!line) return line.error();
    const auto before = parser.end();
    const auto headers = parser.headers();
    const auto jumps = parser.jumps().size();
    std::vector<OriginRun> runs;
    if (!*line || !parser.take(**line, runs)) break;
    if (parser.headers() > headers) parts_.push_back(Part{kept.size(), std::min(before, length)});
    const bool is_jump = parser.jumps().size() > jumps;
    if (parser.end() <= length || (runs.empty() && !is_jump)) {
      kept += **line;
      kept += '\n';
    } else if (!is_jump && before < length) {
      kept += front_of_write(**line, length);
    }
  }
  std::erase_if(jumps_, [&](const FileJump& jump) { return jump.to.length > length; });
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
  const auto length = file_.length() + file_.buffered();
  if (length - parts_.back().offset >= part_bytes) begin_part(offset);
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
