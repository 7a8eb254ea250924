// SPDX-License-Identifier: Apache-2.0
#include "protocol/base/ids.hpp"

#include <array>
#include <cstdio>
#include <xxhash.h>

namespace ringcast {
namespace {

std::string hex8(std::uint32_t value) {
  std::array<char, 9> text{};
  (void)std::snprintf(text.data(), text.size(), "%08x", value);
  return {text.data(), 8};
}

}  // namespace

NodeId node_id(std::string_view name) {
  return NodeId{static_cast<std::uint32_t>(XXH3_64bits(name.data(), name.size()))};
}

std::string to_string(NodeId id) { return hex8(id.value); }
std::string to_string(const NodeKey& key) {
  return hex8(key.node.value) + "/" + hex8(key.boot.value);
}

std::string to_string(const RingId& id) {
  return std::to_string(id.seq) + "." + hex8(id.representative.value) + "." + hex8(id.boot.value);
}

}  // namespace ringcast
