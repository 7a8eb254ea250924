// SPDX-License-Identifier: Apache-2.0
//
// What a daemon accepts as memory of a session, and that nothing else makes it fault or keeps its
// descriptors.
#include "local/session_memory.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <iterator>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/unit/temporary_directory.hpp"

namespace ringcast {
namespace {

std::ptrdiff_t open_descriptors() {
  return std::distance(
      std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
}

off_t size_of(const Descriptor& descriptor) {
  struct stat file {};
  REQUIRE(::fstat(descriptor.number(), &file) == 0);
  return file.st_size;
}

Descriptor memory_of(off_t size, int seals) {
  Descriptor made(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(made.is_open());
  REQUIRE(::ftruncate(made.number(), size) == 0);
  REQUIRE(::fcntl(made.number(), F_ADD_SEALS, seals) == 0);
  return made;
}

}  // namespace

TEST_CASE("memory is accepted as it was made, and both sides see that", "[local]") {
  auto offer = SessionMemory::make();
  REQUIRE(offer);
  CHECK_FALSE(offer->memory.accepted());
  auto daemon = SessionMemory::accept(offer->descriptor);
  REQUIRE(daemon);
  CHECK(offer->memory.accepted());

  // A client that waits for its welcome sleeps.
  const std::array<std::byte, 3> welcome{std::byte{1}, std::byte{2}, std::byte{3}};
  REQUIRE(daemon->out().add(welcome) == welcome.size());
  CHECK(daemon->out().publish());
  const auto seen = offer->memory.in().readable();
  REQUIRE(seen.size() == welcome.size());
  CHECK(std::memcmp(seen.data(), welcome.data(), welcome.size()) == 0);
}

TEST_CASE("where no file may be so large a client does without memory", "[local]") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto small = before;
  small.rlim_cur = 1000;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const bool made = SessionMemory::make().has_value();  // and no signal comes
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK_FALSE(made);
}

TEST_CASE("memory that was accepted keeps its size", "[local]") {
  const auto offer = SessionMemory::make();
  REQUIRE(offer);
  CHECK(::ftruncate(offer->descriptor.number(), 0) != 0);
  CHECK(errno == EPERM);
}

TEST_CASE("what is no session memory is not accepted", "[local]") {
  const auto offer = SessionMemory::make();
  REQUIRE(offer);
  const auto size = size_of(offer->descriptor);
  CHECK_FALSE(SessionMemory::accept(Descriptor{}));
  CHECK_FALSE(SessionMemory::accept(memory_of(size, F_SEAL_GROW)));  // it may shrink
  CHECK_FALSE(SessionMemory::accept(memory_of(size - 1, F_SEAL_SHRINK)));
  CHECK_FALSE(SessionMemory::accept(memory_of(size + 4096, F_SEAL_SHRINK)));
  CHECK_FALSE(SessionMemory::accept(memory_of(size, F_SEAL_SHRINK)));  // not allocated
  const auto of_no_version = memory_of(size, F_SEAL_SHRINK);
  REQUIRE(::posix_fallocate(of_no_version.number(), 0, size) == 0);
  CHECK_FALSE(SessionMemory::accept(of_no_version));
  CHECK_FALSE(SessionMemory::accept(memory_of(size, F_SEAL_SHRINK | F_SEAL_WRITE)));

  const TemporaryDirectory directory;
  write_text(directory / "file", std::string(static_cast<std::size_t>(size), '\1'));
  CHECK_FALSE(SessionMemory::accept(Descriptor(::open((directory / "file").c_str(), O_RDWR))));
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  CHECK_FALSE(SessionMemory::accept(Descriptor(ends[0])));
  CHECK_FALSE(SessionMemory::accept(Descriptor(ends[1])));
}

TEST_CASE("of the descriptors that come along one is taken and none is left open", "[local]") {
  std::array<int, 2> sockets{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets.data()) == 0);
  const Descriptor sender(sockets[0]);
  const Descriptor receiver(sockets[1]);
  const auto before = open_descriptors();
  std::array<std::byte, 16> space{};
  std::byte byte{7};
  {
    std::array pieces{iovec{.iov_base = &byte, .iov_len = 1}};
    REQUIRE(send_with_descriptor(sender.number(), pieces, STDERR_FILENO) == 1);
    Descriptor received;
    REQUIRE(receive_with_descriptor(receiver.number(), space, received) == 1);
    CHECK(space[0] == byte);
    CHECK(received.is_open());
    CHECK((::fcntl(received.number(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(open_descriptors() == before + 1);
  }
  CHECK(open_descriptors() == before);

  union {
    cmsghdr header;
    std::array<std::byte, CMSG_SPACE(3 * sizeof(int))> bytes;
  } control{};
  const std::array<int, 3> three{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  iovec piece{.iov_base = &byte, .iov_len = 1};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  auto* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(three));
  std::memcpy(CMSG_DATA(header), three.data(), sizeof(three));
  REQUIRE(::sendmsg(sender.number(), &message, 0) == 1);
  {
    Descriptor received;
    REQUIRE(receive_with_descriptor(receiver.number(), space, received) == 1);
    CHECK(open_descriptors() <= before + 1);
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("bells wake, are taken all at once, and end with the socket", "[local]") {
  std::array<int, 2> sockets{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets.data()) == 0);
  Descriptor one(sockets[0]);
  const Descriptor other(sockets[1]);
  CHECK(answer_bells(other.number()));  // none rang
  for (int i = 0; i < 200; ++i) {
    REQUIRE(ring_bell(one.number()));
  }
  CHECK(answer_bells(other.number()));
  std::byte left{};
  CHECK(::recv(other.number(), &left, 1, MSG_DONTWAIT) == -1);
  while (ring_bell(one.number()) && ::send(one.number(), &left, 1, MSG_DONTWAIT) == 1) {
  }
  CHECK(ring_bell(one.number()));  // full: whoever sleeps there has enough to wake
  one = Descriptor{};
  (void)answer_bells(other.number());  // the last ones
  CHECK_FALSE(answer_bells(other.number()));
  CHECK_FALSE(ring_bell(other.number()));
}

}  // namespace ringcast
