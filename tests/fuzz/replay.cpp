// SPDX-License-Identifier: Apache-2.0
//
// fuzz_replay TARGET FILE-OR-DIRECTORY...: runs a target over inputs that are kept, without
// libFuzzer. fuzz_replay --all DIRECTORY: every DIRECTORY/corpus/TARGET and
// DIRECTORY/regressions/TARGET; a target without a corpus is a failure.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/targets.hpp"

namespace {

namespace fs = std::filesystem;
using ringcast::fuzz::Bytes;

struct Target {
  std::string_view name;
  void (*run)(Bytes);
};

constexpr std::array targets{
    Target{"client", ringcast::fuzz::client},
    Target{"configuration", ringcast::fuzz::configuration},
    Target{"writer_configuration", ringcast::fuzz::writer_configuration},
    Target{"envelope", ringcast::fuzz::envelope},
    Target{"groups", ringcast::fuzz::groups},
    Target{"monitor", ringcast::fuzz::monitor},
    Target{"monitor_web", ringcast::fuzz::monitor_web},
    Target{"node", ringcast::fuzz::node},
    Target{"packet", ringcast::fuzz::packet},
    Target{"ringlog", ringcast::fuzz::ringlog},
    Target{"ringlog_files", ringcast::fuzz::ringlog_files},
    Target{"writers", ringcast::fuzz::writers},
    Target{"server_frames", ringcast::fuzz::server_frames},
    Target{"session", ringcast::fuzz::session},
    Target{"syslog", ringcast::fuzz::syslog},
    Target{"unpacker", ringcast::fuzz::unpacker}};

std::vector<fs::path> files_in(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// The inputs run; 0 when one could not be read.
std::size_t replay(const Target& target, const fs::path& path) {
  std::size_t count = 0;
  for (const auto& name : files_in(path)) {
    std::ifstream file(name, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    if (!file) {
      (void)std::fprintf(stderr, "cannot read %s\n", name.c_str());
      return 0;
    }
    // Said before, for an input that fails does not come back.
    (void)std::printf("%s %s\n", std::string(target.name).c_str(), name.c_str());
    (void)std::fflush(stdout);
    target.run(std::as_bytes(std::span{content}));
    ++count;
  }
  return count;
}

int replay_all(const fs::path& directory) {
  for (const auto& target : targets) {
    if (replay(target, directory / "corpus" / target.name) == 0) {
      (void)std::fprintf(stderr, "no corpus of %s\n", std::string(target.name).c_str());
      return 1;
    }
    const auto regressions = directory / "regressions" / target.name;
    if (fs::exists(regressions) && replay(target, regressions) == 0) return 1;
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string_view> words(arguments + 1, arguments + count);
  if (words.size() == 2 && words[0] == "--all") return replay_all(words[1]);
  const auto* const target = std::find_if(targets.begin(), targets.end(), [&](const Target& t) {
    return words.size() > 1 && t.name == words[0];
  });
  if (target == targets.end()) {
    (void)std::fprintf(stderr, "usage: fuzz_replay TARGET PATH... | --all DIRECTORY\n");
    return 2;
  }
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (replay(*target, words[i]) == 0) return 1;
  }
  return 0;
}
