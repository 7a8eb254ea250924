// SPDX-License-Identifier: Apache-2.0
//
// ringcast_bench_without_offload PROGRAM [ARGUMENT...]: runs the program under a kernel that
// seems to be too old for UDP_SEGMENT and UDP_GRO: setsockopt() of either fails with
// ENOPROTOOPT. What remains is what batching gains without these offloads. A seccomp filter does
// it; the kernel decides once per number that other system calls pass, so they cost nothing.
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

constexpr std::uint16_t load = BPF_LD | BPF_W | BPF_ABS;
constexpr std::uint16_t equals = BPF_JMP | BPF_JEQ | BPF_K;
constexpr std::uint16_t answer = BPF_RET | BPF_K;
constexpr std::uint32_t refused = SECCOMP_RET_ERRNO | (ENOPROTOOPT & SECCOMP_RET_DATA);

constexpr std::uint32_t argument(unsigned index) {
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args) + index * sizeof(std::uint64_t));
}

// setsockopt(fd, SOL_UDP, UDP_SEGMENT or UDP_GRO, ...) is refused. The jumps count from the next
// instruction.
std::array<sock_filter, 9> filter{{
    {load, 0, 0, offsetof(seccomp_data, nr)},
    {equals, 0, 5, SYS_setsockopt},
    {load, 0, 0, argument(1)},
    {equals, 0, 3, SOL_UDP},
    {load, 0, 0, argument(2)},
    {equals, 2, 0, UDP_SEGMENT},
    {equals, 1, 0, UDP_GRO},
    {answer, 0, 0, SECCOMP_RET_ALLOW},
    {answer, 0, 0, refused},
}};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: ringcast_bench_without_offload PROGRAM [ARGUMENT...]\n", stderr);
    return 2;
  }
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  const bool set = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                   ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
  if (set) ::execvp(argv[1], &argv[1]);
  std::perror(set ? argv[1] : "seccomp");
  return 127;
}
