// SPDX-License-Identifier: Apache-2.0
//
// mutant(n): true in the mutated copy of the protocol when mutant n was chosen for this
// process. The protocol's own sources know nothing of it (plant.py puts it in).
#pragma once

namespace ringcast {

namespace mutants {
extern int chosen;  ///< 0: none, the protocol as it is
}

inline bool mutant(int number) { return mutants::chosen == number; }
/// Any: assertions that would end a seed before an invariant speaks are off then.
inline bool is_mutated() { return mutants::chosen != 0; }

}  // namespace ringcast
