// SPDX-License-Identifier: Apache-2.0
//
// Splitting at newlines; lines that lie whole in the input are not copied.
#include "tools/ringlog-publish/line_splitter.hpp"

namespace ringcast::ringlog {

void LineSplitter::feed(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto part = bytes.substr(0, end);
    const bool complete = end != std::string_view::npos;
    if (overlong_ > 0 || partial_.size() + part.size() > bytes_max_) {
      overlong_ += partial_.size() + part.size();
      partial_.clear();
      if (complete) sink(SplitLine{{}, overlong_, true});
      if (complete) overlong_ = 0;
    } else if (!complete) {
      partial_ += part;
    } else if (partial_.empty()) {
      sink(SplitLine{part, part.size(), false});
    } else {
      partial_ += part;
      sink(SplitLine{partial_, partial_.size(), false});
      partial_.clear();
    }
    if (!complete) return;
    bytes.remove_prefix(end + 1);
  }
}

void LineSplitter::end(const Sink& sink) {
  if (overlong_ > 0) {
    sink(SplitLine{{}, overlong_, true});
  } else if (!partial_.empty()) {
    sink(SplitLine{partial_, partial_.size(), false});
  }
  clear();
}

void LineSplitter::clear() {
  partial_.clear();
  overlong_ = 0;
}

}  // namespace ringcast::ringlog
