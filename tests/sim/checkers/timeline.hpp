// SPDX-License-Identifier: Apache-2.0
//
// Timeline: a history cut into epochs, one per configuration a process was in, with the tables
// several checkers need. Refers to the history, which must outlive it.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sim/history.hpp"

namespace ringcast::sim {

struct Origination {
  const Originated* what{nullptr};
  std::size_t delivered_before{0};  ///< messages of this epoch delivered before it
};

/// A process in one configuration.
struct Epoch {
  const Installed* configuration{nullptr};  ///< null: before the first install, which is wrong
  Instant installed;
  std::vector<const Delivered*> deliveries;
  std::vector<Origination> originations;

  [[nodiscard]] bool transitional() const {
    return configuration != nullptr &&
           configuration->kind == ConfigurationChange::Kind::transitional;
  }
  /// The regular configuration whose messages belong here.
  [[nodiscard]] RingId ring() const {
    if (configuration == nullptr) return RingId{};
    return transitional() ? configuration->previous : configuration->id;
  }
};

struct Timeline {
  explicit Timeline(const History& history);

  const History& history;
  std::vector<std::vector<Epoch>> epochs;  ///< by process
  std::map<NodeKey, ProcessIndex> process_of;
  /// All messages of a ring that anybody delivered, by label.
  std::map<RingId, std::map<Label, const Delivered*>> union_of;
  std::map<RingId, const Installed*> regular;  ///< first seen install of each
  std::unordered_map<PayloadId, const Published*, HashOf> published;

  [[nodiscard]] std::string who(ProcessIndex process) const {
    return history.describe_process(process);
  }
  /// The publish behind a message, when its payload says whose it is.
  [[nodiscard]] const Published* publish_of(const std::optional<FoundPayload>& payload) const;
  [[nodiscard]] std::string show(const Epoch& epoch) const;
};

}  // namespace ringcast::sim
