// SPDX-License-Identifier: Apache-2.0
//
// WriterMessage: the smaller things writers tell one another, as messages of type writer_type
// on the writers' group: whom nobody waits for any longer, whose pending files wait to be
// merged, and the lines of one, to be written by all at that place in the order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "ringcast/configuration.hpp"
#include "ringcast/result.hpp"

#include "tools/ringlog/record.hpp"

namespace ringcast::ringlog {

inline constexpr std::int32_t writer_type = 0x726C0010;

/// The members named do not answer at the point `sync`, and are no longer in step.
struct Exclude {
  std::string sync;
  std::vector<std::string> members;  ///< "#name#daemon"
  bool operator==(const Exclude&) const = default;
};
/// The sender has pending files of these configurations.
struct Announce {
  std::vector<ConfigurationId> configurations;
  bool operator==(const Announce&) const = default;
};
struct OfferedRecord {
  Record record;
  std::string daemon{};  ///< of its publisher; empty when that is not known
  bool operator==(const OfferedRecord&) const = default;
};
/// Records out of the sender's pending file of that configuration.
struct Offer {
  ConfigurationId configuration;
  std::vector<OfferedRecord> records;
  bool operator==(const Offer&) const = default;
};

using WriterMessage = std::variant<Exclude, Announce, Offer>;

std::vector<std::byte> encode(const WriterMessage& message);
/// Errors: malformed, unsupported_version.
Result<WriterMessage> decode_writer_message(std::span<const std::byte> payload);

}  // namespace ringcast::ringlog
