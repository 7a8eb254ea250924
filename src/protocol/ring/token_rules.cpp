// SPDX-License-Identifier: Apache-2.0
#include "protocol/ring/token_rules.hpp"

#include <algorithm>
#include <iterator>

#include "protocol/base/assert.hpp"
#include "protocol/base/limits.hpp"

namespace ringcast {
namespace {

Seq end_of(const SeqRange& range) { return Seq{range.first.value + range.count}; }

}  // namespace

bool numbers_run_out(const Window& window, Seq seq) {
  return seq.value > packet_seq_limit - window.capacity();
}

Token resting_token(const RingId& ring, std::uint64_t token_seq, Seq seq) {
  Token token;
  token.ring = ring;
  token.token_seq = token_seq;
  token.seq = seq;
  token.aru = seq;
  return token;
}

void update_aru(Token& token, Seq my_aru, NodeId self) {
  RC_ASSERT(my_aru <= token.seq);
  const bool mine_to_raise = !token.aru_id || *token.aru_id == self;
  if (my_aru >= token.aru && !mine_to_raise) return;
  token.aru = my_aru;
  if (token.aru == token.seq) {
    token.aru_id.reset();
  } else {
    token.aru_id = self;
  }
}

void add_requests(std::vector<SeqRange>& requests, const Window& window, Seq bound) {
  std::vector<SeqRange> holes;
  window.append_holes(bound, retransmit_ranges_max, holes);
  if (holes.empty()) return;
  std::vector<SeqRange> all;
  all.reserve(requests.size() + holes.size());
  std::merge(requests.begin(), requests.end(), holes.begin(), holes.end(), std::back_inserter(all));
  std::vector<SeqRange> united;
  for (const auto& range : all) {
    if (united.empty() || range.first > end_of(united.back())) {
      united.push_back(range);
      continue;
    }
    auto& last = united.back();
    last = range_up_to(last.first, std::max(end_of(range), end_of(last)));
  }
  if (united.size() > retransmit_ranges_max) united.resize(retransmit_ranges_max);
  requests.swap(united);
}

void drop_requests(std::vector<SeqRange>& requests, Seq seq) {
  const auto open = std::find_if(requests.begin(), requests.end(), [&](const SeqRange& range) {
    return end_of(range) > next(seq);
  });
  requests.erase(requests.begin(), open);
  if (requests.empty() || requests.front().first > seq) return;
  requests.front() = range_up_to(next(seq), end_of(requests.front()));
}

std::uint64_t count(const std::vector<SeqRange>& requests) {
  std::uint64_t total = 0;
  for (const auto& range : requests) {
    total += range.count;
  }
  return total;
}

bool contains(const std::vector<SeqRange>& ranges, Seq seq) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), seq, [](Seq wanted, const SeqRange& range) {
        return wanted < range.first;
      });
  return after != ranges.begin() && seq < end_of(*std::prev(after));
}

void append_seq(std::vector<SeqRange>& ranges, Seq seq) {
  if (!ranges.empty() && end_of(ranges.back()) == seq) {
    ++ranges.back().count;
    return;
  }
  ranges.push_back(SeqRange{.first = seq, .count = 1});
}

}  // namespace ringcast
