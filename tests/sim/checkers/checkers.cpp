// SPDX-License-Identifier: Apache-2.0
#include "sim/checkers/checkers.hpp"

namespace ringcast::sim {

void check_all(const History& history, Report& report) {
  const Timeline timeline{history};
  check_integrity(timeline, report);
  check_configurations(timeline, report);
  check_acyclic(timeline, report);
  check_order(timeline, report);
  check_gaps(timeline, report);
  check_states(timeline, report);
  check_isolation(timeline, report);
  check_agreement(timeline, report);
  check_views(timeline, report);
  check_group_delivery(timeline, report);
  check_exchange(timeline, report);
  check_clients(timeline, report);
  check_liveness(timeline, report);
}

}  // namespace ringcast::sim
