// SPDX-License-Identifier: Apache-2.0
//
// The input is one envelope as another daemon might send it.
#include "protocol/groups/envelope.hpp"

#include <algorithm>

#include "fuzz/check.hpp"
#include "fuzz/heap.hpp"
#include "fuzz/targets.hpp"

namespace ringcast::fuzz {

void envelope(Bytes input) {
  const HeapMeter heap;
  const auto decoded = decode_envelope(input);
  heap.check_peak(64 * input.size() + 16384, "decoding an envelope");
  const bool is_message = decoded.ok() && std::holds_alternative<ClientMessage>(*decoded);
  check(decode_client_message(input).has_value() == is_message, "two ways to decode a message");
  if (!decoded) {
    check_refusal(decoded.error());
    check(decoded.error().code == Errc::malformed, "a refused envelope is malformed");
    return;
  }
  const BufferRef again = encode(*decoded);
  check(same(again.bytes(), input), "encode(decode(bytes)) is bytes");
  if (const auto* const message = std::get_if<ClientMessage>(&*decoded)) {
    check(header_bytes(*message) <= envelope_overhead_max, "the overhead is bounded");
    check(
        header_bytes(*message) + message->payload.size() == input.size(),
        "header and payload are the envelope");
  }
}

}  // namespace ringcast::fuzz
