// SPDX-License-Identifier: Apache-2.0
//
// /dev/null in the place of closed streams, opened the wrong way round.
#include "tools/common/standard_streams.hpp"

#include <array>
#include <fcntl.h>
#include <unistd.h>

namespace ringcast::tools {

void fill_standard_streams() {
  constexpr std::array streams = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  for (const int fd : streams) {
    if (fcntl(fd, F_GETFD) == -1) (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace ringcast::tools
