// SPDX-License-Identifier: Apache-2.0
//
// The checkers: one function and file per family of properties. The names E1.., G1.., C1.., L1..
// are those of docs/simulation.md. Each takes linear time in the events, up to the size of a
// ring, and judges what was delivered; printed labels (ring, seq, index) are checked for
// consistency with it, never trusted in its place.
#pragma once

#include "sim/checkers/report.hpp"
#include "sim/checkers/timeline.hpp"

namespace ringcast::sim {

void check_integrity(const Timeline& timeline, Report& report);       // E1 E2 E3 E25
void check_configurations(const Timeline& timeline, Report& report);  // E4 E5 E6 E7 E8
void check_acyclic(const Timeline& timeline, Report& report);         // E9
void check_order(const Timeline& timeline, Report& report);           // E13 E14
void check_gaps(const Timeline& timeline, Report& report);            // E12 E15 E16 E17
void check_states(const Timeline& timeline, Report& report);          // E30 P7
void check_isolation(const Timeline& timeline, Report& report);       // E26 E27 G15
void check_agreement(const Timeline& timeline, Report& report);       // E10 E11 E18 E23
void check_views(const Timeline& timeline, Report& report);           // G1 G2 G3 G4 G6 G9 G16
void check_group_delivery(const Timeline& timeline, Report& report);  // G5 G7 G8
void check_exchange(const Timeline& timeline, Report& report);        // G11 G12 G13 G14
void check_clients(const Timeline& timeline, Report& report);         // C1 C2 C5 E24
void check_liveness(const Timeline& timeline, Report& report);        // E21 E22 G10 L1 L3

void check_all(const History& history, Report& report);

}  // namespace ringcast::sim
