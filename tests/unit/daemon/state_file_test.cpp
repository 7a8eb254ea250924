// SPDX-License-Identifier: Apache-2.0
//
// The state file survives, and a damaged one is no reason not to start.
#include "daemon/state_file.hpp"

#include <filesystem>
#include <string>
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "tests/unit/temporary_directory.hpp"

namespace ringcast {

TEST_CASE("what was stored is loaded", "[state]") {
  const TemporaryDirectory scratch;
  const StateFile file(scratch / "deep/er", "web1");
  REQUIRE(file.prepare());
  struct stat info {};
  REQUIRE(::stat((scratch / "deep/er").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0700U);
  REQUIRE(file.store(StoredState{.ring_seq_reserved = 1024}));
  REQUIRE(file.store(StoredState{.ring_seq_reserved = 18'446'744'073'709'551'615ULL}));
  const auto loaded = file.load();
  CHECK(loaded.state.ring_seq_reserved == 18'446'744'073'709'551'615ULL);
  CHECK(loaded.warning.empty());
  CHECK(std::filesystem::path(file.path()).filename() == "web1.state");
}

TEST_CASE("a missing state file is a first start", "[state]") {
  const TemporaryDirectory scratch;
  const auto loaded = StateFile(scratch.path(), "web1").load();
  CHECK(loaded.state.ring_seq_reserved == 0);
  CHECK(loaded.warning.empty());
}

TEST_CASE("every truncation and every flipped bit of the state file is noticed", "[state]") {
  const TemporaryDirectory scratch;
  const StateFile file(scratch.path(), "web1");
  REQUIRE(file.store(StoredState{.ring_seq_reserved = 4711}));
  const auto good = read_text(file.path());
  const auto is_refused = [&](const std::string& text) {
    write_text(file.path(), text);
    const auto loaded = file.load();
    const bool aside =
        std::filesystem::exists(file.path() + ".corrupt") && !std::filesystem::exists(file.path());
    return loaded.state.ring_seq_reserved == 0 && !loaded.warning.empty() && aside;
  };
  for (std::size_t length = 0; length < good.size(); ++length) {
    CAPTURE(length);
    CHECK(is_refused(good.substr(0, length)));
  }
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto bad = good;
    bad[bit / 8] = static_cast<char>(static_cast<unsigned char>(bad[bit / 8]) ^ (1U << (bit % 8)));
    CAPTURE(bit);
    CHECK(is_refused(bad));
  }
  CHECK(is_refused(good + "\n"));
  // And after all that it can be written again.
  REQUIRE(file.store(StoredState{.ring_seq_reserved = 5}));
  CHECK(file.load().state.ring_seq_reserved == 5);
}

TEST_CASE("a file torn while it was written leaves the old state", "[state]") {
  const TemporaryDirectory scratch;
  const StateFile file(scratch.path(), "web1");
  REQUIRE(file.store(StoredState{.ring_seq_reserved = 7}));
  write_text(file.path() + ".new", "ringcast-state 1\nring_seq_re");
  const auto loaded = file.load();
  CHECK(loaded.state.ring_seq_reserved == 7);
  CHECK(loaded.warning.empty());
}

TEST_CASE("a state that cannot be written is an error and the old one stays", "[state]") {
  const TemporaryDirectory scratch;
  const StateFile file(scratch.path(), "web1");
  REQUIRE(file.store(StoredState{.ring_seq_reserved = 7}));
  // A directory in the place of the file beside it: not even root can open that for writing.
  std::filesystem::create_directory(file.path() + ".new");
  const auto failed = file.store(StoredState{.ring_seq_reserved = 8});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Errc::io);
  CHECK(file.load().state.ring_seq_reserved == 7);

  write_text(scratch / "plain", "");
  CHECK_FALSE(StateFile(scratch / "plain/state", "web1").prepare());
}

TEST_CASE("the state directory is the configured one, with the name in it", "[state]") {
  CHECK(state_directory("/x/%n", "web1") == "/x/web1");
}

}  // namespace ringcast
