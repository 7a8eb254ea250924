// SPDX-License-Identifier: Apache-2.0
#include "client/verifier.hpp"

#include <bit>

namespace ringcast::bench {
namespace {

// One multiplication each for sender and number. The rotation lets high bits come back low, so
// that an exchange of two neighbours is not undone by what follows.
std::uint64_t mix(std::uint64_t hash, const Head& head) {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;
  hash = (std::rotl(hash, 29) ^ head.sender) * odd;
  return (std::rotl(hash, 29) ^ head.number) * odd;
}

}  // namespace

void Verifier::take(const Head& head, std::size_t bytes) {
  if (head.sender >= senders_.size() || bytes != message_bytes_) {
    ++spoiled_;
    return;
  }
  auto& sender = senders_[head.sender];
  if (head.number < sender.next || sender.ended) {
    ++repeated_;
    return;
  }
  missing_ += head.number - sender.next;
  order_ = mix(order_, head);
  sender.next = head.number + 1;
  if (head.kind == Kind::last) {
    sender.ended = true;
    ++ended_;
  } else {
    ++delivered_;
  }
}

}  // namespace ringcast::bench
