// SPDX-License-Identifier: Apache-2.0
#include "local/session_memory.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <linux/magic.h>
#include <new>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <utility>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

namespace ringcast {
namespace {

constexpr std::uint32_t layout_version = 1;
// A client that does not stop to ring must not hold up the daemon.
constexpr int bell_rounds_max = 16;
constexpr off_t stat_block_bytes = 512;
constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

std::size_t page_bytes() {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t file_bytes() { return page_bytes() + to_client_pipe_bytes + to_daemon_pipe_bytes; }

}  // namespace

/// The first page. [SES-19]
struct SessionMemory::Layout {
  std::uint32_t version{layout_version};  ///< as the client made it
  std::atomic<std::uint32_t> accepted{0};
  PipeState to_client;
  PipeState to_daemon;
};
static_assert(offsetof(PipeState, reader_sleeps) == 8);
static_assert(offsetof(PipeState, read) == 64);
static_assert(offsetof(PipeState, writer_sleeps) == 72);
static_assert(sizeof(PipeState) == 128);

SessionMemory::Layout& SessionMemory::layout(Mapping mapping) {
  return *std::launder(reinterpret_cast<Layout*>(mapping.begin));
}

/// A pipe as one side has it: where its state and its bytes are.
struct SessionMemory::Place {
  PipeState& state;
  std::span<std::byte> bytes;
};

SessionMemory::Place SessionMemory::to_client(Mapping mapping) {
  return {layout(mapping).to_client, {mapping.begin + page_bytes(), to_client_pipe_bytes}};
}

SessionMemory::Place SessionMemory::to_daemon(Mapping mapping) {
  auto* const begin = mapping.begin + page_bytes() + 2 * to_client_pipe_bytes;
  return {layout(mapping).to_daemon, {begin, to_daemon_pipe_bytes}};
}

SessionMemory::SessionMemory(Mapping mapping, const Place& in, const Place& out)
    : mapping_(mapping), in_(in.state, in.bytes), out_(out.state, out.bytes) {}

SessionMemory::SessionMemory(SessionMemory&& other) noexcept
    : mapping_(std::exchange(other.mapping_, Mapping{})), in_(other.in_), out_(other.out_) {}

SessionMemory& SessionMemory::operator=(SessionMemory&& other) noexcept {
  std::swap(mapping_, other.mapping_);
  std::swap(in_, other.in_);
  std::swap(out_, other.out_);
  return *this;
}

SessionMemory::~SessionMemory() {
  if (mapping_.begin != nullptr) (void)::munmap(mapping_.begin, mapping_.bytes);
}

/// The first page, then each pipe twice. Nothing when there is no room for it.
SessionMemory::Mapping SessionMemory::map(int descriptor) {
  const auto total = page_bytes() + 2 * (to_client_pipe_bytes + to_daemon_pipe_bytes);
  void* const reserved =
      ::mmap(nullptr, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) return {};
  const Mapping mapping{.begin = static_cast<std::byte*>(reserved), .bytes = total};
  struct Part {
    std::size_t at;
    std::size_t offset;
    std::size_t size;
  };
  const auto first = page_bytes();
  const auto second = first + to_client_pipe_bytes;
  const auto behind = first + 2 * to_client_pipe_bytes;
  const std::array parts{
      Part{.at = 0, .offset = 0, .size = second},
      Part{.at = second, .offset = first, .size = to_client_pipe_bytes},
      Part{.at = behind, .offset = second, .size = to_daemon_pipe_bytes},
      Part{.at = behind + to_daemon_pipe_bytes, .offset = second, .size = to_daemon_pipe_bytes}};
  for (const auto& part : parts) {
    void* const mapped = ::mmap(
        mapping.begin + part.at,
        part.size,
        PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_FIXED,
        descriptor,
        static_cast<off_t>(part.offset));
    if (mapped == MAP_FAILED) {
      (void)::munmap(mapping.begin, mapping.bytes);
      return {};
    }
  }
  return mapping;
}

std::optional<SessionMemory::Offer> SessionMemory::make() {
  const auto size = static_cast<off_t>(file_bytes());
  rlimit limit{};  // beyond which a signal would come
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur < file_bytes()) return std::nullopt;
  const auto create = [](unsigned more) {
    return Descriptor(::memfd_create("ringcast session", MFD_CLOEXEC | MFD_ALLOW_SEALING | more));
  };
  auto descriptor = create(MFD_NOEXEC_SEAL);
  if (!descriptor.is_open()) descriptor = create(0);  // Linux before 6.3
  if (!descriptor.is_open() || ::ftruncate(descriptor.number(), size) != 0) return std::nullopt;
  // All of it now and on our account: a fault that finds no memory left would be the daemon's.
  if (::posix_fallocate(descriptor.number(), 0, size) != 0) return std::nullopt;
  if (::fcntl(descriptor.number(), F_ADD_SEALS, seals) != 0) return std::nullopt;
  const auto mapping = map(descriptor.number());
  if (mapping.begin == nullptr) return std::nullopt;
  auto* const made = ::new (mapping.begin) Layout;
  made->to_client.reader_sleeps.store(1);  // at the socket, where the first bell is to ring
  return Offer{
      .memory = SessionMemory(mapping, to_client(mapping), to_daemon(mapping)),
      .descriptor = std::move(descriptor)};
}

/// Memory of the usual pages that keeps its size. Of others a fault may find none left.
bool SessionMemory::is_ours(int descriptor) {
  struct stat file {};
  struct statfs system {};
  const int found = ::fcntl(descriptor, F_GET_SEALS);
  return found != -1 && (found & F_SEAL_SHRINK) != 0 && ::fstat(descriptor, &file) == 0 &&
         file.st_size == static_cast<off_t>(file_bytes()) &&
         file.st_blocks * stat_block_bytes >= file.st_size && ::fstatfs(descriptor, &system) == 0 &&
         system.f_type == TMPFS_MAGIC;
}

std::optional<SessionMemory> SessionMemory::accept(const Descriptor& offered) {
  if (!offered.is_open() || !is_ours(offered.number())) return std::nullopt;
  const auto mapping = map(offered.number());
  if (mapping.begin == nullptr) return std::nullopt;
  SessionMemory memory(mapping, to_daemon(mapping), to_client(mapping));
  if (layout(mapping).version != layout_version) return std::nullopt;
  layout(mapping).accepted.store(1);
  return memory;
}

bool SessionMemory::accepted() const { return layout(mapping_).accepted.load() != 0; }

bool ring_bell(int socket) {
  const std::byte bell{0};
  for (;;) {
    if (::send(socket, &bell, sizeof(bell), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK;  // so many rang and none was heard
  }
}

bool answer_bells(int socket) {
  std::array<std::byte, 4096> bells;  // NOLINT(cppcoreguidelines-pro-type-member-init): by recv
  for (int round = 0; round < bell_rounds_max; ++round) {
    const auto count = ::recv(socket, bells.data(), bells.size(), MSG_DONTWAIT);
    if (count == static_cast<ssize_t>(bells.size())) continue;
    if (count > 0) return true;
    if (count == 0) return false;
    if (errno != EINTR) return errno == EAGAIN || errno == EWOULDBLOCK;
  }
  return true;
}

}  // namespace ringcast
