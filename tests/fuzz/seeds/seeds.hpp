// SPDX-License-Identifier: Apache-2.0
//
// The seed corpora: for each target a few inputs that reach all its rooms.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace ringcast::fuzz {

struct Seed {
  std::string target;
  std::string name;
  std::vector<std::byte> bytes;
};

std::vector<Seed> all_seeds();

// One function per file of seeds.
void add_protocol_seeds(std::vector<Seed>& seeds);  ///< protocol_seeds.cpp
void add_client_seeds(std::vector<Seed>& seeds);    ///< client_seeds.cpp
void add_tool_seeds(std::vector<Seed>& seeds);      ///< tool_seeds.cpp
void add_writer_seeds(std::vector<Seed>& seeds);    ///< writer_seeds.cpp
void add_node_seeds(std::vector<Seed>& seeds);      ///< node_seeds.cpp

}  // namespace ringcast::fuzz
