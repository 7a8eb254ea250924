// SPDX-License-Identifier: Apache-2.0
//
// gzip by zlib, zstd by libzstd, both in blocks.
#include "tools/ringlog-write/sinks/compression.hpp"

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <zlib.h>
#include <zstd.h>

#include "tools/ringlog/files.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 20U;
constexpr int gzip_window = 15 + 16;  // zlib: the largest window, with gzip's header
constexpr int gzip_memory = 8;
constexpr int names_max = 1000;

using Take = std::function<Result<void>(std::string_view)>;

/// Compressing or expanding in pieces. The last call has `is_last`.
class Transformer {
 public:
  Transformer() = default;
  Transformer(const Transformer&) = delete;
  Transformer& operator=(const Transformer&) = delete;
  virtual ~Transformer() = default;
  virtual Result<void> put(std::string_view block, bool is_last, const Take& take) = 0;
};

Error failure(std::string what) { return Error{Errc::corrupt, std::move(what)}; }

class Gzip : public Transformer {
 public:
  explicit Gzip(bool is_expanding) : is_expanding_(is_expanding) {
    is_ready_ = is_expanding ? ::inflateInit2(&stream_, gzip_window) == Z_OK
                             : ::deflateInit2(
                                   &stream_,
                                   Z_DEFAULT_COMPRESSION,
                                   Z_DEFLATED,
                                   gzip_window,
                                   gzip_memory,
                                   Z_DEFAULT_STRATEGY) == Z_OK;
  }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  ~Gzip() override {
    if (is_ready_) (void)(is_expanding_ ? ::inflateEnd(&stream_) : ::deflateEnd(&stream_));
  }

  Result<void> put(std::string_view block, bool is_last, const Take& take) override {
    if (!is_ready_) return failure("zlib has no memory");
    std::string out(block_bytes, '\0');
    // zlib does not change its input, and says so only when built that way.
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(block.data()));
    stream_.avail_in = static_cast<uInt>(block.size());
    for (;;) {
      stream_.next_out = reinterpret_cast<Bytef*>(out.data());
      stream_.avail_out = static_cast<uInt>(out.size());
      const int code = is_expanding_ ? ::inflate(&stream_, Z_NO_FLUSH)
                                     : ::deflate(&stream_, is_last ? Z_FINISH : Z_NO_FLUSH);
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
        return failure("not what zlib wrote");
      }
      const auto made = out.size() - stream_.avail_out;
      if (auto taken = take(std::string_view(out).substr(0, made)); !taken) return taken;
      if (stream_.avail_out > 0) return {};
    }
  }

 private:
  bool is_expanding_;
  bool is_ready_{false};
  z_stream stream_{};
};

class Zstd : public Transformer {
 public:
  explicit Zstd(bool is_expanding) {
    if (is_expanding) {
      expand_.reset(::ZSTD_createDStream());
    } else {
      compress_.reset(::ZSTD_createCStream());
    }
  }

  Result<void> put(std::string_view block, bool is_last, const Take& take) override {
    std::string out(block_bytes, '\0');
    ZSTD_inBuffer in{block.data(), block.size(), 0};
    for (;;) {
      ZSTD_outBuffer made{out.data(), out.size(), 0};
      const auto rest =
          expand_ ? ::ZSTD_decompressStream(expand_.get(), &made, &in)
                  : ::ZSTD_compressStream2(
                        compress_.get(), &made, &in, is_last ? ZSTD_e_end : ZSTD_e_continue);
      if (::ZSTD_isError(rest) != 0) return failure(::ZSTD_getErrorName(rest));
      if (auto taken = take(std::string_view(out).substr(0, made.pos)); !taken) return taken;
      const bool wants_more = expand_ ? made.pos == made.size : is_last && rest > 0;
      if (in.pos == in.size && !wants_more) return {};
    }
  }

 private:
  struct Free {
    void operator()(ZSTD_CStream* stream) const { (void)::ZSTD_freeCStream(stream); }
  };
  struct FreeExpand {
    void operator()(ZSTD_DStream* stream) const { (void)::ZSTD_freeDStream(stream); }
  };
  std::unique_ptr<ZSTD_CStream, Free> compress_;
  std::unique_ptr<ZSTD_DStream, FreeExpand> expand_;
};

std::unique_ptr<Transformer> transformer(Compression compression, bool is_expanding) {
  if (compression == Compression::gzip) return std::make_unique<Gzip>(is_expanding);
  return std::make_unique<Zstd>(is_expanding);
}

// All of the file in blocks; the last one has is_last.
Result<void> each_block(
    int fd,
    const std::string& path,
    const std::function<bool()>& is_over,
    const std::function<Result<void>(std::string_view, bool)>& take) {
  std::string block(block_bytes, '\0');
  for (;;) {
    if (is_over()) return Error{Errc::would_block, path + ": not done before the end"};
    const auto got = ::read(fd, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path, "cannot read", errno);
    const auto read = std::string_view(block).substr(0, static_cast<std::size_t>(got));
    if (auto taken = take(read, got == 0); !taken) return taken;
    if (got == 0) return {};
  }
}

// Whether the compressed file holds just what the plain one does.
Result<bool> holds_the_same(
    const std::string& plain_path,
    const std::string& path,
    Compression compression,
    const std::function<bool()>& is_over) {
  const Descriptor plain(::open(plain_path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!plain.is_open()) return system_error(plain_path, "cannot open", errno);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return system_error(path, "cannot open", errno);
  struct stat status {};
  if (::fstat(plain.get(), &status) != 0) return system_error(plain_path, "cannot stat", errno);
  const auto expand = transformer(compression, true);
  std::uint64_t at = 0;
  bool is_same = true;
  const auto compare = [&](std::string_view made) -> Result<void> {
    if (!is_same || made.empty()) return {};
    is_same = std::cmp_greater_equal(status.st_size, at + made.size());
    if (!is_same) return {};
    const auto there = read_part(plain.get(), at, at + made.size(), plain_path);
    if (!there) return there.error();
    is_same = *there == made;
    at += made.size();
    return {};
  };
  auto read = each_block(file.get(), path, is_over, [&](std::string_view block, bool is_last) {
    if (!is_same || is_last) return Result<void>{};
    return expand->put(block, false, compare);
  });
  if (!read && read.error().code == Errc::corrupt) return false;
  if (!read) return read.error();
  return is_same && std::cmp_equal(status.st_size, at);
}

Result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const auto put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return system_error(path, "cannot write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Result<void> make_compressed(
    const Descriptor& plain,
    const std::string& path,
    const std::string& target,
    Compression compression,
    const std::function<bool()>& is_over) {
  struct stat status {};
  if (::fstat(plain.get(), &status) != 0) return system_error(path, "cannot stat", errno);
  const auto temporary = path + suffix_of(compression) + ".new";
  Descriptor file(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, status.st_mode & 0777U));
  if (!file.is_open()) return system_error(temporary, "cannot create", errno);
  // Whoever may not give files away keeps them.
  (void)!::fchown(file.get(), status.st_uid, status.st_gid);
  if (::fchmod(file.get(), status.st_mode & 0777U) != 0) {
    return system_error(temporary, "cannot change its mode", errno);
  }
  const auto compress = transformer(compression, false);
  auto done = each_block(plain.get(), path, is_over, [&](std::string_view block, bool is_last) {
    return compress->put(block, is_last, [&](std::string_view made) {
      return write_all(file.get(), made, temporary);
    });
  });
  if (done && ::fsync(file.get()) != 0) done = system_error(temporary, "cannot sync", errno);
  if (done && ::rename(temporary.c_str(), target.c_str()) != 0) {
    done = system_error(target, "cannot name it so", errno);
  }
  if (!done) {
    (void)::unlink(temporary.c_str());
    return done;
  }
  return sync_directory_of(target);
}

}  // namespace

std::string suffix_of(Compression compression) {
  switch (compression) {
    case Compression::none:
      return "";
    case Compression::gzip:
      return ".gz";
    case Compression::zstd:
      return ".zst";
  }
  return "";
}

Result<void> compress_file(
    const std::string& path, Compression compression, const std::function<bool()>& is_over) {
  if (compression == Compression::none) return {};
  const Descriptor plain(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!plain.is_open() && errno == ENOENT) return {};  // done before a crash
  if (!plain.is_open()) return system_error(path, "cannot open", errno);
  auto target = path + suffix_of(compression);
  bool is_done = false;
  for (int number = 1; !is_done && ::access(target.c_str(), F_OK) == 0; ++number) {
    const auto same = holds_the_same(path, target, compression, is_over);
    if (!same) return same.error();
    is_done = *same;
    if (is_done) break;
    if (number > names_max) return Error{Errc::io, path + ": too many files of this name"};
    target = path + "~" + std::to_string(number) + suffix_of(compression);
  }
  if (!is_done) {
    auto made = make_compressed(plain, path, target, compression, is_over);
    if (!made) return made;
  }
  if (::unlink(path.c_str()) != 0) return system_error(path, "cannot remove", errno);
  return sync_directory_of(path);
}

Compressor::Compressor(Compression compression, std::function<void(const std::string&)> tell)
    : compression_(compression), tell_(std::move(tell)), thread_([this] { run(); }) {}

Compressor::~Compressor() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Compressor::add(const std::string& path) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(path);
  }
  changed_.notify_all();
}

std::vector<std::string> Compressor::take_done() {
  const std::lock_guard lock(mutex_);
  return std::exchange(done_, {});
}

void Compressor::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && !is_busy_; });
}

void Compressor::run() {
  Trouble trouble{std::chrono::minutes{1}};
  const auto is_over = [this] { return is_over_.load(); };
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return is_over_ || !waiting_.empty(); });
    if (is_over_) return;
    const auto path = waiting_.front();
    waiting_.pop_front();
    is_busy_ = true;
    lock.unlock();
    const bool is_done = compress(path, trouble);
    lock.lock();
    is_busy_ = false;
    if (is_done) {
      done_.push_back(path);
    } else {
      waiting_.push_back(path);
    }
    changed_.notify_all();
    if (const auto retry = trouble.retry_at(); !is_done && retry) {
      changed_.wait_until(lock, *retry, is_over);
    }
  }
}

bool Compressor::compress(const std::string& path, Trouble& trouble) {
  const auto done = compress_file(path, compression_, [this] { return is_over_.load(); });
  const auto now = Trouble::Instant::clock::now();
  if (done) {
    if (trouble.on_success(now)) tell_("compressing again");
    return true;
  }
  const auto& error = done.error();
  if (error.code != Errc::would_block && trouble.on_failure(error.message, now)) {
    tell_(error.message + "; it stays as it is, trying again");
  }
  return false;
}

}  // namespace ringcast::ringlog
