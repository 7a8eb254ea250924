// SPDX-License-Identifier: Apache-2.0
#include "sim/story.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <vector>

namespace ringcast::sim {

namespace {

template <class T>
bool read_number(const std::string& text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

std::optional<std::set<Fault>> parse_faults(const std::string& plan, const std::string& text) {
  std::set<Fault> result;
  std::istringstream words{text};
  std::string word;
  while (words >> word) {
    const std::vector<Fault>& known = find_plan(plan)->faults;
    const auto at = std::find_if(
        known.begin(), known.end(), [&](Fault fault) { return to_string(fault) == word; });
    if (at == known.end()) return std::nullopt;
    result.insert(*at);
  }
  return result;
}

/// False: not a line of a story.
bool take_line(Story& story, const std::string& key, const std::string& value) {
  RunOptions& options = story.options;
  Overrides& overrides = options.overrides;
  if (key == "plan") {
    options.plan = value;
    return find_plan(value) != nullptr;
  }
  if (key == "seed") return read_number(value, options.seed);
  if (key == "nodes") return read_number(value, overrides.nodes.emplace()) && *overrides.nodes > 0;
  if (key == "clients") return read_number(value, overrides.clients.emplace());
  if (key == "invariant") {
    story.invariant = value;
    return !value.empty();
  }
  if (key == "duration") {
    overrides.fault_phase = parse_duration(value);
    return overrides.fault_phase.has_value();
  }
  if (key == "faults") {
    overrides.faults = parse_faults(options.plan, value);
    return overrides.faults.has_value();
  }
  if (key == "schedule") {
    overrides.schedule.emplace();
    return value.empty();
  }
  if (key != "at" || !overrides.schedule) return false;
  const std::optional<Injection> injection = parse_injection(value);
  if (injection) overrides.schedule->push_back(*injection);
  return injection.has_value();
}

}  // namespace

std::string to_text(const Story& story) {
  const Overrides& overrides = story.options.overrides;
  std::string text =
      "plan " + story.options.plan + "\nseed " + std::to_string(story.options.seed) + "\n";
  if (overrides.nodes) text += "nodes " + std::to_string(*overrides.nodes) + "\n";
  if (overrides.clients) text += "clients " + std::to_string(*overrides.clients) + "\n";
  if (overrides.faults) {
    text += "faults";
    for (const Fault fault : *overrides.faults) {
      text += " " + std::string(to_string(fault));
    }
    text += "\n";
  }
  if (overrides.fault_phase) text += "duration " + to_words(*overrides.fault_phase) + "\n";
  if (!story.invariant.empty()) text += "invariant " + story.invariant + "\n";
  if (!overrides.schedule) return text;
  text += "schedule\n";
  for (const Injection& injection : *overrides.schedule) {
    text += "at " + to_string(injection) + "\n";
  }
  return text;
}

Result<Story> parse_story(std::string_view text) {
  Story story;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.empty() || line.front() == '#') continue;
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string value = line.substr(std::min(space + 1, line.size()));
    if (take_line(story, line.substr(0, space), value)) continue;
    return Error{
        .code = Errc::invalid_argument,
        .message = "line " + std::to_string(number) + " is not a line of a story: " + line};
  }
  return story;
}

Result<Story> read_story(const std::string& path) {
  std::ifstream file{path};
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) {
    return Error{.code = Errc::invalid_argument, .message = "cannot be read: " + path};
  }
  return parse_story(text.str());
}

std::string describe(const Story& story) {
  const Overrides& overrides = story.options.overrides;
  std::string text = "plan " + story.options.plan;
  if (overrides.nodes) text += ", " + std::to_string(*overrides.nodes) + " nodes";
  if (overrides.clients) text += ", " + std::to_string(*overrides.clients) + " clients";
  if (overrides.faults) text += ", " + std::to_string(overrides.faults->size()) + " classes";
  if (overrides.fault_phase) text += ", " + to_words(*overrides.fault_phase);
  if (overrides.schedule) text += ", " + std::to_string(overrides.schedule->size()) + " operations";
  return text;
}

}  // namespace ringcast::sim
