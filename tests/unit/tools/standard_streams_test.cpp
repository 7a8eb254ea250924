// SPDX-License-Identifier: Apache-2.0
//
// Closed standard streams, in a process of their own.
#include "tools/common/standard_streams.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

namespace {

// In the child: the number a file opened next would get, or 100 when a stream can be used.
int next_number_with_closed_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    (void)close(fd);
  }
  ringcast::tools::fill_standard_streams();
  char byte = 0;
  const bool can_use = read(STDIN_FILENO, &byte, 1) >= 0 || write(STDOUT_FILENO, &byte, 1) >= 0 ||
                       write(STDERR_FILENO, &byte, 1) >= 0;
  return can_use ? 100 : open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace

TEST_CASE("standard streams: no file gets the number of a closed one, and none can be used") {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(next_number_with_closed_streams());
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) > STDERR_FILENO);
  CHECK(WEXITSTATUS(status) < 100);
}
