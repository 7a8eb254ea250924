// SPDX-License-Identifier: Apache-2.0
#include "fuzz/node_script.hpp"

#include "fuzz/input.hpp"
#include "protocol/base/bytes.hpp"

namespace ringcast::fuzz {
namespace {

constexpr std::size_t step_head_bytes = 5;

}  // namespace

NodeScript decode_script(std::span<const std::byte> input) {
  NodeScript script;
  ByteReader reader(input);
  while (reader.remaining() >= step_head_bytes && script.size() < steps_max) {
    Step step;
    step.action = static_cast<Action>(reader.u8() % actions);
    step.a = reader.u8();
    step.b = reader.u8();
    const auto bytes = up_to(reader, reader.u16());
    step.bytes.assign(bytes.begin(), bytes.end());
    script.push_back(std::move(step));
  }
  return script;
}

std::vector<std::byte> encode_script(const NodeScript& script, std::size_t bytes_max) {
  ByteWriter writer;
  for (const auto& step : script) {
    const auto length = static_cast<std::uint16_t>(step.bytes.size());
    if (writer.size() + step_head_bytes + length > bytes_max) break;
    writer.u8(static_cast<std::uint8_t>(step.action));
    writer.u8(step.a);
    writer.u8(step.b);
    writer.u16(length);
    writer.bytes(std::span{step.bytes}.first(length));
  }
  const auto view = writer.view();
  return {view.begin(), view.end()};
}

}  // namespace ringcast::fuzz
