// SPDX-License-Identifier: Apache-2.0
//
// Token rules: the arithmetic of one visit, as pure functions. Source: TOCS95, section 4;
// the request bound is the accelerated ring's.
#pragma once

#include <cstddef>
#include <vector>

#include "protocol/base/ids.hpp"
#include "protocol/ring/window.hpp"
#include "protocol/wire/packets.hpp"

namespace ringcast {

/// Less than a window of packet numbers is left above `seq`. [ORD-11]
bool numbers_run_out(const Window& window, Seq seq);

/// A token at rest: everyone has everything up to `seq`.
Token resting_token(const RingId& ring, std::uint64_t token_seq, Seq seq);

/// Lowers or raises token.aru to what this node has. [ORD-3]
/// REQUIRES: token.seq already counts what this visit originated.
void update_aru(Token& token, Seq my_aru, NodeId self);

/// Adds to `requests` (sorted, disjoint) the holes of `window` up to `bound` that are not in it
/// yet, up to the limit of a token. [ORD-5]
void add_requests(std::vector<SeqRange>& requests, const Window& window, Seq bound);

/// Takes out of `requests` (sorted, disjoint) what lies up to `seq`.
void drop_requests(std::vector<SeqRange>& requests, Seq seq);

/// Packets named by `requests`.
std::uint64_t count(const std::vector<SeqRange>& requests);

/// True when one of `ranges` (sorted, disjoint) has `seq`.
bool contains(const std::vector<SeqRange>& ranges, Seq seq);

/// Appends `seq` to the last of `ranges` or as a new one. REQUIRES: ascending calls.
void append_seq(std::vector<SeqRange>& ranges, Seq seq);

}  // namespace ringcast
