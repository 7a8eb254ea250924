// SPDX-License-Identifier: Apache-2.0
//
// FileReport: a log file by the chain at its places, one about every MiB. The places follow
// from the lines alone, so reports made on different hosts say up to where files are the same,
// and which one is the beginning of the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog/chain.hpp"

namespace ringcast::ringlog {

/// Lines are counted here with markers: all that end in a newline. In front of the part that is
/// kept only data lines are counted, so of a place lines say less than its length and chain.
struct FileReport {
  std::string name;               ///< the file's path, or that of its report
  bool is_file{false};            ///< of a file here, which can be read again
  FilePoint begins;               ///< the part that is kept, as its sidecar says
  FilePoint end;                  ///< behind the last whole line
  std::uint64_t rest{0};          ///< bytes behind it
  std::vector<FilePoint> points;  ///< ends of the first lines that reach each MiB
  std::string problem;            ///< why the file is not what its sidecar says, or empty
};

/// Reads the file. Errors: io.
Result<FileReport> report_of_file(const std::string& path);
/// The chain of the file at that length; nothing when no line ends there, or when that is not kept.
/// Errors: io.
Result<std::optional<std::uint64_t>> chain_at(const std::string& path, std::uint64_t length);

/// One line of JSON, without newline.
std::string to_json(const FileReport& report);
/// Errors: malformed.
Result<FileReport> parse_report(std::string_view text, const std::string& name);
/// The text is meant to be one.
bool looks_like_report(std::string_view text);

/// How two files stand to one another.
struct FileComparison {
  enum class Kind {
    equal,
    first_is_beginning,   ///< of the second
    second_is_beginning,  ///< of the first
    differ,
    apart,  ///< one ends in front of where the other begins
  };
  Kind kind{Kind::equal};
  FilePoint alike;          ///< up to here at least
  FilePoint until;          ///< they differ: in front of this place of the first, or its end
  std::uint64_t untold{0};  ///< bytes behind `alike` of which reports do not tell
};

/// Errors: io, when a file has to be read again.
Result<FileComparison> compare(const FileReport& first, const FileReport& second);

/// Where two files begin to differ behind a place up to which they are the same.
struct FirstDifference {
  std::uint64_t line{0};  ///< number of the line, from 1, markers counted
  std::uint64_t offset{0};
  std::string first;  ///< the line in the first file, or nothing at its end
  std::string second;
};
/// Errors: io; invalid_argument, when they do not differ.
Result<FirstDifference> first_difference(
    const std::string& first, const std::string& second, const FilePoint& alike);

}  // namespace ringcast::ringlog
