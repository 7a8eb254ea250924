// SPDX-License-Identifier: Apache-2.0
#include "script/script.hpp"

#include <utility>

namespace ringcast::script {

namespace {

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::vector<std::string> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  bool has_word = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
      has_word = true;
    } else if (c == ' ' && !quoted) {
      if (has_word) words.push_back(std::exchange(word, {}));
      has_word = false;
    } else {
      word += c;
      has_word = true;
    }
  }
  if (has_word) words.push_back(word);
  return words;
}

}  // namespace

Script parse(std::string_view text) {
  Script script;
  Paragraph paragraph;
  bool in_transcript = false;
  int number = 0;
  for (const std::string& line : split_lines(text)) {
    ++number;
    if (in_transcript) {
      if (!line.empty()) {
        paragraph.expected.push_back(line);
        continue;
      }
      in_transcript = false;
      script.paragraphs.push_back(std::exchange(paragraph, {}));
      continue;
    }
    if (line == "----") {
      in_transcript = true;
      continue;
    }
    paragraph.lines.push_back(line);
    if (line.empty() || line[0] == '#') continue;
    paragraph.commands.push_back({.line = number, .text = line, .words = split_words(line)});
  }
  if (in_transcript) {
    script.paragraphs.push_back(std::move(paragraph));
  } else {
    script.trailing = paragraph.lines;
    if (!paragraph.commands.empty()) script.paragraphs.push_back(std::move(paragraph));
  }
  return script;
}

std::string print(const Script& script, const std::vector<std::vector<std::string>>& transcripts) {
  std::string text;
  for (std::size_t i = 0; i < script.paragraphs.size(); ++i) {
    if (i > 0) text += '\n';
    for (const std::string& line : script.paragraphs[i].lines) {
      text += line + '\n';
    }
    text += "----\n";
    for (const std::string& line : transcripts[i]) {
      text += line + '\n';
    }
  }
  return text;
}

}  // namespace ringcast::script
