// SPDX-License-Identifier: Apache-2.0
//
// TailSource: the files that --tail names, read ahead of the daemon by a few MiB at most.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ringcast/result.hpp"

#include "tools/ringlog-publish/intake.hpp"
#include "tools/ringlog-publish/source.hpp"
#include "tools/ringlog-publish/tail_set.hpp"
#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

class TailSource final : public Source {
 public:
  struct Options {
    TailSet::Options tails;  ///< but for the checkpoint's path
    std::string state_directory;
    std::string group;
    bool once{false};  ///< end at the end of the files
  };

  /// Takes the state directory's checkpoint of that group for itself. `intake` outlives this.
  /// Errors: io, corrupt; invalid_argument, when another process has it.
  static Result<std::unique_ptr<TailSource>> open(Options options, Intake& intake);

  void watch(std::vector<pollfd>& /*fds*/, Instant /*now*/) override {}
  [[nodiscard]] std::optional<Instant> wake_up(Instant now) const override;
  void read(Instant now) override;
  void stop(Instant now) override;
  [[nodiscard]] bool is_over() const override { return is_over_; }
  void on_settled(const Origin& origin) override { tails_.on_settled(origin); }
  void save(Instant now) override { tails_.try_save(now); }
  bool leave(Instant now) override;
  [[nodiscard]] SourceCounters counters() const override;
  [[nodiscard]] bool is_incomplete() const override;
  [[nodiscard]] std::optional<Error> fatal() const override { return fatal_; }
  std::vector<std::string> notes() override;

 private:
  TailSource(Options options, Descriptor lock, Intake& intake);

  Options options_;
  Descriptor lock_;
  Intake& intake_;
  TailSet tails_;
  Instant next_look_{};
  bool waits_{false};  // looked at, not read: the outbox is full
  bool is_stopping_{false};
  bool is_over_{false};
  std::uint64_t lines_{0};
  std::optional<Error> fatal_;
  std::vector<std::string> notes_;
};

}  // namespace ringcast::ringlog
