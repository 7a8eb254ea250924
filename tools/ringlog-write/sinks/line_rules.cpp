// SPDX-License-Identifier: Apache-2.0
//
// Choosing and changing lines.
#include "tools/ringlog-write/sinks/line_rules.hpp"

#include <algorithm>

namespace ringcast::ringlog {

namespace {

constexpr std::int64_t expression_bytes_max = std::int64_t{8} << 20U;

re2::RE2::Options expression_options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(expression_bytes_max);
  options.set_encoding(re2::RE2::Options::EncodingLatin1);  // lines are bytes
  return options;
}

}  // namespace

std::optional<std::string> expression_problem(const std::string& expression) {
  const re2::RE2 compiled(expression, expression_options());
  if (compiled.ok()) return std::nullopt;
  return compiled.error();
}

LineRules::LineRules(const LineRuleOptions& options) : options_(options) {
  for (const auto& expression : options.match) {
    match_.push_back(std::make_unique<re2::RE2>(expression, expression_options()));
  }
  if (!options.timestamp.empty()) timestamp_.emplace(options.timestamp, options.utc);
}

bool LineRules::fits(std::string_view line) const {
  if (match_.empty()) return true;
  const re2::StringPiece piece(line.data(), line.size());
  return std::any_of(match_.begin(), match_.end(), [&](const auto& expression) {
    return re2::RE2::PartialMatch(piece, *expression);
  });
}

SinkBatch LineRules::apply(const JournalBatch& batch, const std::string& journal) {
  SinkBatch result;
  result.journal = journal;
  result.begin = batch.begin;
  result.end = batch.end;
  rewritten_.resize(timestamp_ ? batch.lines.size() : 0);  // so that none of them moves
  rewritten_count_ = 0;
  for (const auto& line : batch.lines) {
    if (line.is_marker ? !options_.markers : !fits(line.text)) continue;
    SinkLine kept;
    kept.text = line.text;
    kept.journal = &line;
    if (!line.is_marker) rewrite(kept);
    result.lines.push_back(kept);
  }
  return result;
}

void LineRules::rewrite(SinkLine& line) {
  if (options_.vhost) {
    const auto blank = line.text.find_first_of(" \t");
    if (blank != std::string_view::npos) {
      line.vhost = line.text.substr(0, blank);
      line.text.remove_prefix(blank + 1);
    }
  }
  if (!timestamp_) return;
  const auto begin = line.text.find('[');
  const auto end = begin == std::string_view::npos ? begin : line.text.find(']', begin);
  if (end == std::string_view::npos) return;
  auto& text = rewritten_[rewritten_count_++];
  text.assign(line.text, 0, begin);
  text += timestamp_->at(line.journal->origin.time_ms);
  text += line.text.substr(end + 1);
  line.text = text;
}

}  // namespace ringcast::ringlog
