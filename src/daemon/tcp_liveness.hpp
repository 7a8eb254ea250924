// SPDX-License-Identifier: Apache-2.0
//
// Whether the host at the other end of a TCP connection is still there. A client that dies
// with its host, or behind a cut cable, says nothing: on a silent connection the kernel has to
// ask, and on a busy one somebody has to notice that nothing is answered.
//
// Not TCP_USER_TIMEOUT: it also ends connections whose peer answers and merely does not read,
// and how long a client may do that is for its backlog to say.
#pragma once

namespace ringcast {

/// Lets the kernel end a silent connection within 11 s of its peer's last sign of life.
/// False: the socket does not take the options.
bool keep_alive(int descriptor);

/// Something is on its way, was sent again and again, and nothing came back for 10 s. Needs
/// keep_alive(), by which a peer that lives has answered something not long ago.
bool is_lost(int descriptor);

}  // namespace ringcast
