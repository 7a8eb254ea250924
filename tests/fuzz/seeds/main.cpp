// SPDX-License-Identifier: Apache-2.0
//
// fuzz_seeds DIRECTORY: writes the seed corpora, DIRECTORY/TARGET/NAME, with the real encoders
// and, for `node`, by recording a real ring. Run it again when a format changes.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "fuzz/seeds/seeds.hpp"

int main(int count, char** arguments) {
  if (count != 2) {
    (void)std::fprintf(stderr, "usage: fuzz_seeds DIRECTORY\n");
    return 2;
  }
  const std::filesystem::path directory(arguments[1]);
  for (const auto& seed : ringcast::fuzz::all_seeds()) {
    std::filesystem::create_directories(directory / seed.target);
    std::ofstream file(directory / seed.target / seed.name, std::ios::binary);
    for (const auto byte : seed.bytes) {
      file.put(static_cast<char>(byte));
    }
    file.close();
    if (!file) {
      (void)std::fprintf(stderr, "cannot write %s/%s\n", arguments[1], seed.name.c_str());
      return 1;
    }
  }
  return 0;
}
