// SPDX-License-Identifier: Apache-2.0
//
// script_tests: runs every script below a directory (or the files named) and compares the
// transcripts. RINGCAST_REWRITE=1 writes them instead. Whatever a script says, all that
// happened in it must also pass the simulator's checkers.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "script/runner.hpp"

namespace ringcast::script {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void show_difference(
    const std::vector<std::string>& expected, const std::vector<std::string>& actual) {
  std::size_t same = 0;
  while (same < expected.size() && same < actual.size() && expected[same] == actual[same]) {
    ++same;
  }
  for (std::size_t i = 0; i < same; ++i) {
    std::printf("      %s\n", actual[i].c_str());
  }
  for (std::size_t i = same; i < expected.size(); ++i) {
    std::printf("    - %s\n", expected[i].c_str());
  }
  for (std::size_t i = same; i < actual.size(); ++i) {
    std::printf("    + %s\n", actual[i].c_str());
  }
}

bool run_file(const std::filesystem::path& path, bool rewrite) {
  const std::string text = read_file(path);
  const Script script = parse(text);
  Runner runner;
  std::vector<std::vector<std::string>> transcripts;
  bool ok = !script.paragraphs.empty();
  for (const Paragraph& paragraph : script.paragraphs) {
    transcripts.push_back(runner.run(paragraph));
    if (rewrite || transcripts.back() == paragraph.expected) continue;
    if (ok) std::printf("%s\n", path.c_str());
    ok = false;
    for (const Command& command : paragraph.commands) {
      std::printf("    %s\n", command.text.c_str());
    }
    show_difference(paragraph.expected, transcripts.back());
  }
  for (const std::string& violation : runner.judge()) {
    std::printf("%s: %s\n", path.c_str(), violation.c_str());
    ok = false;
  }
  if (rewrite && print(script, transcripts) != text) {
    std::ofstream{path} << print(script, transcripts);
    std::printf("%s: rewritten\n", path.c_str());
  }
  return ok;
}

std::vector<std::filesystem::path> find_scripts(const std::filesystem::path& root) {
  if (std::filesystem::is_regular_file(root)) return {root};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() == ".txt" && entry.path().filename() != "CMakeLists.txt") {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

int run_all(const std::vector<std::string>& roots) {
  const char* wish = std::getenv("RINGCAST_REWRITE");
  const bool rewrite = wish != nullptr && std::string(wish) == "1";
  std::size_t ran = 0;
  std::size_t failed = 0;
  for (const std::string& root : roots) {
    for (const std::filesystem::path& path : find_scripts(root)) {
      ++ran;
      if (!run_file(path, rewrite)) ++failed;
    }
  }
  std::printf("%zu scripts, %zu failed\n", ran, failed);
  return failed == 0 && ran > 0 ? 0 : 1;
}

}  // namespace
}  // namespace ringcast::script

int main(int argc, char** argv) {
  std::vector<std::string> roots(argv + 1, argv + argc);
  if (roots.empty()) {
    std::fprintf(stderr, "usage: script_tests DIRECTORY|FILE ...\n");
    return 2;
  }
  return ringcast::script::run_all(roots);
}
