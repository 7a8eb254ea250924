// SPDX-License-Identifier: Apache-2.0
//
// Gathering statements, and the one order among them.
#include "tools/ringlog-write/comparison.hpp"

#include <tuple>
#include <utility>

namespace ringcast::ringlog {

bool goes_before(const Statement& one, const Statement& other) {
  const auto key = [](const Statement& statement) {
    const auto configuration = statement.position ? statement.position->configuration.seq : 0;
    return std::tuple(statement.is_live, configuration, statement.end.length, statement.end.chain);
  };
  return key(one) > key(other);
}

void Comparison::begin(std::string point, std::set<std::string> others) {
  point_ = std::move(point);
  awaited_ = std::move(others);
  incoming_.clear();
  statements_.clear();
}

void Comparison::keep_only(const std::set<std::string>& members) {
  const auto is_gone = [&](const auto& item) { return !members.contains(item.first); };
  std::erase_if(incoming_, is_gone);
  std::erase_if(statements_, is_gone);
  std::erase_if(awaited_, [&](const std::string& name) { return !members.contains(name); });
}

bool Comparison::take(const std::string& sender, const TableMessage& message) {
  if (message.is_news || message.sync != point_ || !awaited_.contains(sender)) return false;
  auto& incoming = incoming_[sender];
  if (message.part != incoming.parts + 1) return false;
  ++incoming.parts;
  auto& statement = incoming.statement;
  statement.is_live = message.is_live;
  statement.missed = message.missed;
  statement.formerly = message.formerly;
  statement.end = message.end;
  statement.position = message.position;
  statement.table.merge(message.table);
  statement.gaps.merge(message.gaps);
  if (message.part < message.parts) return false;
  statements_[sender] = std::move(statement);
  incoming_.erase(sender);
  awaited_.erase(sender);
  return true;
}

const Statement* Comparison::choice(const Statement* own) const {
  const auto* best = own;
  for (const auto& [member, statement] : statements_) {
    if (best == nullptr || goes_before(statement, *best)) best = &statement;
  }
  return best;
}

std::set<std::string> Comparison::holders(const FilePoint& end) const {
  std::set<std::string> names;
  for (const auto& [member, statement] : statements_) {
    if (statement.end == end) names.insert(member);
  }
  return names;
}

}  // namespace ringcast::ringlog
