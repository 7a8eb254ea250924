// SPDX-License-Identifier: Apache-2.0
//
// Comparison: the statements of a group's writers about their files, as of one point in the
// order, and which of them all follow. The point is a view of the writers' group, or the
// exclusion of a member; the same statements lead to the same choice everywhere.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "tools/ringlog/table_message.hpp"

namespace ringcast::ringlog {

struct Statement {
  bool is_live{false};  ///< in step: its file is what the order makes of it
  FilePoint end;
  std::optional<Position> position;
  Table table;
  Table gaps;
  std::set<std::string> missed;    ///< writers that may have written, out of its reach
  std::set<std::string> formerly;  ///< its own earlier names
};

/// True when all should follow `one` rather than `other`: those in step come first, then who
/// has written in the later configuration, then who has written more.
bool goes_before(const Statement& one, const Statement& other);

class Comparison {
 public:
  /// A new point; statements of earlier ones count no longer. All `others` are awaited.
  void begin(std::string point, std::set<std::string> others);
  /// Those who left make no statement and have made none.
  void keep_only(const std::set<std::string>& members);
  void end() { begin({}, {}); }

  /// A statement, or a part of one. True when it is complete, for this point and awaited.
  bool take(const std::string& sender, const TableMessage& message);

  [[nodiscard]] const std::string& point() const { return point_; }
  [[nodiscard]] const std::set<std::string>& awaited() const { return awaited_; }
  [[nodiscard]] const std::map<std::string, Statement>& statements() const { return statements_; }
  /// The statement that all follow, among those made and `own`, if that is given; null: none.
  [[nodiscard]] const Statement* choice(const Statement* own) const;
  /// Who has the file that a statement speaks of.
  [[nodiscard]] std::set<std::string> holders(const FilePoint& end) const;

 private:
  struct Incoming {
    std::uint32_t parts{0};
    Statement statement;
  };

  std::string point_;
  std::set<std::string> awaited_;
  std::map<std::string, Incoming> incoming_;
  std::map<std::string, Statement> statements_;
};

}  // namespace ringcast::ringlog
