// SPDX-License-Identifier: Apache-2.0
//
// One zstd frame each, with contexts that are kept: making one costs more than a small batch.
#include "tools/ringlog/packing.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <zstd.h>

#include "tools/ringlog/bytes.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::size_t length_bytes = 4;
// A zstd block makes at most 128 KiB of 4 bytes or more; what claims more lies.
constexpr std::size_t ratio_max = 32768;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { (void)ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { (void)ZSTD_freeDCtx(context); }
};

ZSTD_CCtx* compressor() {
  static thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  return context.get();
}

ZSTD_DCtx* decompressor() {
  static thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  return context.get();
}

Error malformed(const std::string& what) { return Error{Errc::malformed, "packed lines: " + what}; }

}  // namespace

std::optional<std::vector<std::byte>> pack(std::span<const std::byte> bytes, int level) {
  std::vector<std::byte> packed(length_bytes + ZSTD_compressBound(bytes.size()));
  const auto size = ZSTD_compressCCtx(
      compressor(),
      packed.data() + length_bytes,
      packed.size() - length_bytes,
      bytes.data(),
      bytes.size(),
      level);
  if (ZSTD_isError(size) != 0 || length_bytes + size >= bytes.size()) return std::nullopt;
  PayloadWriter length;
  length.number(static_cast<std::uint32_t>(bytes.size()));
  const auto head = length.take();
  std::copy(head.begin(), head.end(), packed.begin());
  packed.resize(length_bytes + size);
  return packed;
}

Result<std::vector<std::byte>> unpack(std::span<const std::byte> packed, std::size_t bytes_max) {
  PayloadReader in(packed);
  const auto length = static_cast<std::size_t>(in.number<std::uint32_t>());
  if (!in.ok()) return malformed("ends inside its length");
  if (length > bytes_max) {
    return malformed(
        std::to_string(length) + " bytes, which is more than a record may hold (" +
        std::to_string(bytes_max) + ")");
  }
  if (length / ratio_max > in.left()) return malformed("longer than its content can be");
  std::vector<std::byte> bytes(length);
  const auto rest = packed.subspan(length_bytes);
  const auto size =
      ZSTD_decompressDCtx(decompressor(), bytes.data(), bytes.size(), rest.data(), rest.size());
  if (ZSTD_isError(size) != 0) return malformed(ZSTD_getErrorName(size));
  if (size != length) return malformed("not as long as it says");
  return bytes;
}

}  // namespace ringcast::ringlog
