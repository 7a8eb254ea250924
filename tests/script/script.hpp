// SPDX-License-Identifier: Apache-2.0
//
// Script: a file of paragraphs, each a few commands, a line of four dashes and the transcript
// they must produce. Parsing and printing only; what a command means is in runner.hpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ringcast::script {

struct Command {
  int line{0};
  std::string text;                ///< as in the file
  std::vector<std::string> words;  ///< cut at spaces; "a text" is one word without its quotes
};

struct Paragraph {
  std::vector<std::string> lines;  ///< commands, comments and blanks, as in the file
  std::vector<Command> commands;
  std::vector<std::string> expected;
};

struct Script {
  std::vector<Paragraph> paragraphs;
  std::vector<std::string> trailing;  ///< comments after the last transcript
};

Script parse(std::string_view text);
/// The file with these transcripts instead. REQUIRES: one per paragraph.
std::string print(const Script& script, const std::vector<std::vector<std::string>>& transcripts);

}  // namespace ringcast::script
