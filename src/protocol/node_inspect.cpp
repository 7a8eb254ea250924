// SPDX-License-Identifier: Apache-2.0
//
// What a node shows of its memory to checkers.
#include "protocol/node_impl.hpp"

namespace ringcast {

Inspection Node::Impl::inspect() const { return ring_.inspect(); }

std::vector<SessionInspection> Node::Impl::inspect_sessions() const {
  std::vector<SessionInspection> sessions;
  sessions.reserve(sessions_.size());
  for (const auto& [id, session] : sessions_) {
    sessions.push_back(SessionInspection{
        .session = id,
        .backlog_bytes = session.backlog_bytes(),
        .input_bytes = session.input_bytes(),
        .unordered_bytes = groups_ ? groups_->unordered_bytes(id) : 0});
  }
  return sessions;
}

Inspection Node::inspect() const { return impl_->inspect(); }
std::vector<SessionInspection> Node::inspect_sessions() const { return impl_->inspect_sessions(); }

bool Node::holds(const RingId& ring, Seq seq) const {
  const Impl& impl = *impl_;
  return impl.ring().holds(ring, seq);
}

}  // namespace ringcast
