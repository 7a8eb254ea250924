// SPDX-License-Identifier: Apache-2.0
//
// StateFile: the few bytes that must survive a restart, in one small text file with a
// checksum. Written beside, synced, renamed over, directory synced: after store() returns
// without error the state is on the disk, before it the old state is. [MBR-3]
//
// Losing the file is safe, so a damaged one is moved aside and never a reason not to start.
#pragma once

#include <string>
#include <string_view>

#include "ringcast/result.hpp"

#include "protocol/effects.hpp"

namespace ringcast {

struct LoadedState {
  StoredState state;
  std::string warning;  ///< a sentence when a damaged file was moved aside; else empty
};

class StateFile {
 public:
  /// The file DIRECTORY/NAME.state; nothing is touched yet.
  StateFile(std::string directory, std::string_view name);

  /// Makes the directory (0700, its parents too) and tries to write in it.
  /// Errors: io.
  Result<void> prepare() const;
  /// A missing file is the state of a first start. Errors: none; see LoadedState::warning.
  [[nodiscard]] LoadedState load() const;
  /// Blocks until the state is on the disk. Errors: io, with the old state kept.
  Result<void> store(const StoredState& state) const;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string directory_;
  std::string path_;
};

/// `configured` (with %n) when not empty, else STATE_DIRECTORY, else /var/lib/ringcast/NAME for
/// root, else $XDG_STATE_HOME/ringcast/NAME, whose default is ~/.local/state.
std::string state_directory(std::string_view configured, std::string_view name);

}  // namespace ringcast
