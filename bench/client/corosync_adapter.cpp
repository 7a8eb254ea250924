// SPDX-License-Identifier: Apache-2.0
//
// Corosync through libcpg: one handle, one group, dispatch of all that waits.
//
// libcpg has no event for "you may send again" (CS_ERR_TRY_AGAIN), so a refused send is tried
// again after a short pause. Nobody is at the other end of the pipe but deliveries, and those
// wake us earlier.
#include <algorithm>
#include <array>
#include <corosync/cpg.h>
#include <cstring>
#include <sys/uio.h>
#include <unistd.h>

#include "client/adapters.hpp"

namespace ringcast::bench {
namespace {

constexpr std::chrono::microseconds refused_pause{100};

Error failure(const char* call, cs_error_t code) {
  const auto errc = code == CS_ERR_LIBRARY || code == CS_ERR_BAD_HANDLE ? Errc::closed : Errc::io;
  return Error{errc, std::string(call) + ": " + cs_strerror(code)};
}

class CorosyncAdapter final : public Adapter {
 public:
  explicit CorosyncAdapter(Sink& sink) : sink_(sink) {}
  ~CorosyncAdapter() override {
    if (handle_ != 0) cpg_finalize(handle_);
  }

  Result<void> open(const Setup& setup) {
    // Documented as "not implemented": what is safe here is agreed in effect.
    guarantee_ = setup.service == Service::safe ? CPG_TYPE_SAFE : CPG_TYPE_AGREED;
    return join(setup.group);
  }

  Result<bool> try_send(std::span<const std::byte> message) override {
    // libcpg takes iovec's pointer to mutable bytes and only reads.
    const iovec part{const_cast<std::byte*>(message.data()), message.size()};
    const auto code = cpg_mcast_joined(handle_, guarantee_, &part, 1);
    refused_ = code == CS_ERR_TRY_AGAIN;
    if (code != CS_OK && !refused_) return failure("cpg_mcast_joined", code);
    return !refused_;
  }

  Result<bool> receive() override {
    const auto code = cpg_dispatch(handle_, CS_DISPATCH_ALL);
    if (code != CS_OK && code != CS_ERR_TRY_AGAIN) return failure("cpg_dispatch", code);
    return false;
  }

  // A handle that has left a group cannot join one again (cpg_join never returns): each has its
  // own.
  Result<void> join(const std::string& group) override {
    if (auto opened = renew(); !opened.ok()) return opened;
    const auto name = name_of(group);
    auto code = cpg_join(handle_, &name);
    while (code == CS_ERR_TRY_AGAIN) {
      code = cpg_join(handle_, &name);
    }
    if (code != CS_OK) return failure("cpg_join", code);
    return {};
  }

  Result<void> leave(const std::string& group) override {
    const auto name = name_of(group);
    auto code = cpg_leave(handle_, &name);
    while (code == CS_ERR_TRY_AGAIN) {
      code = cpg_leave(handle_, &name);
    }
    if (code != CS_OK) return failure("cpg_leave", code);
    return {};
  }

  [[nodiscard]] Interest interest() const override {
    Interest interest;
    interest.fd = fd_;
    if (refused_) interest.retry = refused_pause;
    return interest;
  }

 private:
  Result<void> renew() {
    if (handle_ != 0) cpg_finalize(handle_);
    handle_ = 0;
    cpg_callbacks_t callbacks{};
    callbacks.cpg_deliver_fn = delivered;
    callbacks.cpg_confchg_fn = changed;
    if (const auto code = cpg_initialize(&handle_, &callbacks); code != CS_OK) {
      handle_ = 0;
      return Error{Errc::unreachable, std::string("cpg_initialize: ") + cs_strerror(code)};
    }
    cpg_context_set(handle_, this);
    if (const auto code = cpg_fd_get(handle_, &fd_); code != CS_OK) {
      return failure("cpg_fd_get", code);
    }
    return {};
  }

  static cpg_name name_of(const std::string& group) {
    cpg_name name{};
    name.length = static_cast<std::uint32_t>(std::min(group.size(), sizeof(name.value)));
    std::memcpy(&name.value, group.data(), name.length);
    return name;
  }

  static CorosyncAdapter& self(cpg_handle_t handle) {
    void* context{nullptr};
    cpg_context_get(handle, &context);
    return *static_cast<CorosyncAdapter*>(context);
  }

  // The signatures are libcpg's.
  static void delivered(  // NOLINT(readability-function-size)
      cpg_handle_t handle,
      const cpg_name* /*group*/,
      std::uint32_t /*node*/,
      std::uint32_t /*pid*/,
      void* message,
      std::size_t bytes) {
    self(handle).sink_.on_message({static_cast<const std::byte*>(message), bytes});
  }

  static void changed(  // NOLINT(readability-function-size)
      cpg_handle_t handle,
      const cpg_name* /*group*/,
      const cpg_address* /*members*/,
      std::size_t count,
      const cpg_address* left,
      std::size_t left_count,
      const cpg_address* /*joined*/,
      std::size_t /*joined_count*/) {
    auto& adapter = self(handle);
    // All hosts are on one machine, so that the process number alone tells who it is.
    const auto process = static_cast<std::uint32_t>(::getpid());
    for (const auto& gone : std::span(left, left_count)) {
      if (gone.pid == process) return adapter.sink_.on_left();
    }
    adapter.sink_.on_members(count);
  }

  cpg_handle_t handle_{0};
  int fd_{-1};
  cpg_guarantee_t guarantee_{CPG_TYPE_AGREED};
  Sink& sink_;
  bool refused_{false};
};

}  // namespace

Opened open_corosync(const Setup& setup, Sink& sink) {
  auto adapter = std::make_unique<CorosyncAdapter>(sink);
  if (auto opened = adapter->open(setup); !opened.ok()) return opened.error();
  return std::unique_ptr<Adapter>(std::move(adapter));
}

}  // namespace ringcast::bench
