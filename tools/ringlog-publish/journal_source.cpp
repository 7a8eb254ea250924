// SPDX-License-Identifier: Apache-2.0
//
// The journal through libsystemd.
#include "tools/ringlog-publish/journal_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <map>
#include <string_view>
#include <sys/file.h>
#include <systemd/sd-journal.h>
#include <utility>
#include <xxhash.h>

#include "tools/ringlog-publish/journal_checkpoint.hpp"
#include "tools/ringlog/files.hpp"
#include "tools/ringlog/trouble.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::uint32_t journal_source = 0xFFFFFFFEU;
constexpr std::size_t slice = std::size_t{1} << 20U;
constexpr std::size_t ahead_max = std::size_t{8} << 20U;
// Beside its descriptor: what a directory of files tells without inotify, and after a full outbox.
constexpr std::chrono::milliseconds look_interval{250};

struct CloseJournal {
  void operator()(sd_journal* journal) const { sd_journal_close(journal); }
};
using JournalHandle = std::unique_ptr<sd_journal, CloseJournal>;

Error journal_error(const std::string& what, int code) {
  return system_error("journal", what, -code);
}

std::uint64_t rules_of(const SystemJournalOptions& options, const Filter& filter) {
  std::string text = std::to_string(filter.fingerprint()) + "\n" + options.directory;
  for (const auto& match : options.matches) {
    text += '\n' + match;
  }
  return XXH3_64bits(text.data(), text.size());
}

class JournalSource final : public Source {
 public:
  JournalSource(SystemJournalOptions options, Descriptor lock, Filter& filter, Intake& intake)
      : options_(std::move(options)),
        lock_(std::move(lock)),
        filter_(filter),
        intake_(intake),
        path_(options_.state_directory + "/journal-" + options_.group + ".json") {}

  Result<void> start();

  void watch(std::vector<pollfd>& fds, Instant now) override;
  [[nodiscard]] std::optional<Instant> wake_up(Instant now) const override;
  void read(Instant now) override;
  void stop(Instant /*now*/) override { is_stopping_ = true; }
  [[nodiscard]] bool is_over() const override { return is_over_; }
  void on_settled(const Origin& origin) override;
  void save(Instant now) override;
  bool leave(Instant now) override;
  [[nodiscard]] SourceCounters counters() const override {
    return SourceCounters{lines_, 0, too_long_};
  }
  [[nodiscard]] bool is_incomplete() const override { return unreadable_ > 0; }
  std::vector<std::string> notes() override { return std::exchange(notes_, {}); }

 private:
  // Behind a record: the last entry whose lines are all in it or before it.
  struct Place {
    std::string cursor;
    std::uint64_t seq{1};
  };

  Result<void> open_handle();
  Result<void> seek(const std::string& cursor);
  bool read_entry(Instant now);
  void take_text(std::string_view text, Instant now);
  void take_line(std::string_view line, Instant now);
  void hand_on(std::optional<OutgoingRecord> record, Instant now);
  void fail(const std::string& what, int code, Instant now);
  void settle_place();
  Result<void> save_now();

  SystemJournalOptions options_;
  Descriptor lock_;
  Filter& filter_;
  Intake& intake_;
  std::string path_;
  JournalHandle journal_;
  std::optional<Batch> batch_;
  JournalCheckpoint settled_;
  JournalCheckpoint saved_;
  Place place_;  // behind the last entry that was read
  struct Outstanding {
    Place behind;
    bool is_settled{false};
  };
  std::map<std::uint64_t, Outstanding> outstanding_;  // by mark
  std::uint64_t next_mark_{1};
  bool is_saved_{false};
  bool is_stopping_{false};
  bool is_over_{false};
  bool is_full_{false};
  Instant next_look_{};
  Trouble reading_;
  Trouble saving_;
  std::uint64_t lines_{0};
  std::uint64_t too_long_{0};
  std::uint64_t unreadable_{0};
  std::vector<std::string> notes_;
};

Result<void> JournalSource::start() {
  auto loaded = load_journal_checkpoint(path_);
  if (!loaded) return loaded.error();
  const auto rules = rules_of(options_, filter_);
  if (*loaded) settled_ = std::move(**loaded);
  const bool is_fresh = !*loaded || settled_.rules != rules;
  if (*loaded && is_fresh) {
    notes_.push_back("journal: what is chosen has changed; further lines are a new producer's");
  }
  if (is_fresh) {
    auto name = options_.name + ":journal";
    name.resize(std::min(name.size(), producer_name_bytes_max));
    settled_.producer = Producer{random_producer(), name};
    settled_.seq = 1;
    settled_.rules = rules;
  }
  is_saved_ = !is_fresh;
  saved_ = settled_;
  place_ = Place{settled_.cursor, settled_.seq};
  batch_.emplace(settled_.producer, settled_.seq, options_.encoding);
  if (auto opened = open_handle(); !opened) return opened;
  return seek(settled_.cursor);
}

Result<void> JournalSource::open_handle() {
  sd_journal* opened = nullptr;
  const auto code = options_.directory.empty()
                        ? sd_journal_open(&opened, SD_JOURNAL_LOCAL_ONLY)
                        : sd_journal_open_directory(&opened, options_.directory.c_str(), 0);
  if (code < 0) {
    return journal_error(
        options_.directory.empty() ? "cannot open" : "cannot open " + options_.directory, code);
  }
  journal_.reset(opened);
  (void)sd_journal_set_data_threshold(opened, 0);  // never cut
  for (const auto& match : options_.matches) {
    const auto added = sd_journal_add_match(opened, match.data(), match.size());
    if (added >= 0) continue;
    return Error{
        Errc::invalid_argument,
        "--journal-match \"" + match +
            "\": write FIELD=VALUE, such as _SYSTEMD_UNIT=nginx.service"};
  }
  return {};
}

Result<void> JournalSource::seek(const std::string& cursor) {
  const auto code = cursor.empty() ? sd_journal_seek_head(journal_.get())
                                   : sd_journal_seek_cursor(journal_.get(), cursor.c_str());
  if (code < 0) return journal_error("cannot go to where it was left", code);
  if (cursor.empty()) return {};
  const auto moved = sd_journal_next(journal_.get());
  if (moved < 0) return journal_error("cannot read", moved);
  if (moved > 0 && sd_journal_test_cursor(journal_.get(), cursor.c_str()) > 0) return {};
  // The entry was removed since, and others with it, perhaps: what is next is read.
  notes_.push_back("journal: the last entry sent is not there any more; going on behind it");
  if (moved > 0) (void)sd_journal_previous(journal_.get());
  return {};
}

void JournalSource::watch(std::vector<pollfd>& fds, Instant /*now*/) {
  if (is_over_ || is_full_) return;
  const int fd = sd_journal_get_fd(journal_.get());
  const int events = fd < 0 ? 0 : sd_journal_get_events(journal_.get());
  if (events > 0) fds.push_back(pollfd{fd, static_cast<short>(events), 0});
}

std::optional<Source::Instant> JournalSource::wake_up(Instant now) const {
  return is_over_ ? std::nullopt : std::optional(std::max(next_look_, now));
}

void JournalSource::read(Instant now) {
  is_full_ = intake_.outbox().bytes() > ahead_max;
  next_look_ = now + look_interval;
  if (is_over_ || is_full_ || !reading_.may_try(now)) return;
  if (!is_saved_) save(now);
  if (!is_saved_) return;  // after a crash the same line must get the same name
  (void)sd_journal_process(journal_.get());
  std::size_t taken = 0;
  while (taken < slice) {
    const auto before = intake_.outbox().bytes() + batch_->bytes();
    if (!read_entry(now)) {
      hand_on(batch_->take(), now);
      is_over_ = is_stopping_;
      return;
    }
    taken += std::max(intake_.outbox().bytes() + batch_->bytes(), before + 1) - before;
  }
  next_look_ = now;
}

// False: there is none, for now.
bool JournalSource::read_entry(Instant now) {
  const auto moved = sd_journal_next(journal_.get());
  if (moved < 0) fail("cannot read", moved, now);
  if (moved <= 0) return false;
  reading_.on_success(now);
  char* cursor = nullptr;
  if (const auto code = sd_journal_get_cursor(journal_.get(), &cursor); code < 0) {
    fail("cannot tell where it is", code, now);
    (void)sd_journal_previous(journal_.get());  // or the entry would be passed over
    return false;
  }
  const std::unique_ptr<char, decltype(&std::free)> owner(cursor, &std::free);
  const void* data = nullptr;
  std::size_t bytes = 0;
  constexpr std::string_view field = "MESSAGE=";
  const auto code = sd_journal_get_data(journal_.get(), "MESSAGE", &data, &bytes);
  if (code >= 0 && bytes >= field.size()) {
    take_text({static_cast<const char*>(data) + field.size(), bytes - field.size()}, now);
  } else if (code < 0 && code != -ENOENT && ++unreadable_ == 1) {
    notes_.push_back(
        journal_error("an entry's message cannot be read and is not sent", code).message +
        "; further ones are only counted");
  }
  place_ = Place{cursor, batch_->seq_behind()};
  settle_place();
  return true;
}

void JournalSource::take_text(std::string_view text, Instant now) {
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    take_line(text.substr(0, end), now);
    text.remove_prefix(end + 1);
  }
  if (!text.empty()) take_line(text, now);
}

void JournalSource::take_line(std::string_view line, Instant now) {
  const auto filtered = filter_.apply(line);
  if (!filtered) return;
  if (filtered->size() > options_.line_bytes_max) {
    hand_on(batch_->take(), now);
    ++too_long_;
    notes_.push_back(
        "journal: a line of " + std::to_string(filtered->size()) +
        " bytes is longer than --max-line " + std::to_string(options_.line_bytes_max) +
        " and was not sent; its length is on record");
    hand_on(batch_->note(TooLong{filtered->size()}), now);
    return;
  }
  if (batch_->bytes() + filtered->size() + line_overhead_bytes > options_.batch_bytes) {
    hand_on(batch_->take(), now);
  }
  batch_->add(*filtered);
}

// A record may end inside an entry; its place is then behind the entry before.
void JournalSource::hand_on(std::optional<OutgoingRecord> record, Instant now) {
  if (!record) return;
  record->origin = Origin{journal_source, next_mark_};
  outstanding_.emplace(next_mark_++, Outstanding{place_, false});
  lines_ += record->lines;
  intake_.accept(std::move(*record), now);
}

// Records settle in any order; the checkpoint goes up to the first that has not.
void JournalSource::on_settled(const Origin& origin) {
  if (origin.source != journal_source) return;
  const auto it = outstanding_.find(origin.mark);
  if (it == outstanding_.end()) return;
  it->second.is_settled = true;
  while (!outstanding_.empty() && outstanding_.begin()->second.is_settled) {
    settled_.cursor = outstanding_.begin()->second.behind.cursor;
    settled_.seq = outstanding_.begin()->second.behind.seq;
    outstanding_.erase(outstanding_.begin());
  }
  settle_place();
}

// With nothing on its way all that was read has settled: also entries of which nothing was sent,
// and those that end inside the last record.
void JournalSource::settle_place() {
  if (!outstanding_.empty() || !batch_->empty()) return;
  settled_.cursor = place_.cursor;
  settled_.seq = place_.seq;
}

void JournalSource::fail(const std::string& what, int code, Instant now) {
  const auto error = journal_error(what, code);
  if (reading_.on_failure(error.message, now)) notes_.push_back(error.message + "; trying again");
}

Result<void> JournalSource::save_now() {
  if (is_saved_ && settled_ == saved_) return {};
  if (auto saved = save_journal_checkpoint(path_, settled_); !saved) return saved;
  saved_ = settled_;
  is_saved_ = true;
  return {};
}

void JournalSource::save(Instant now) {
  if (!saving_.may_try(now)) return;
  const auto saved = save_now();
  if (saved) {
    saving_.on_success(now);
  } else if (saving_.on_failure(saved.error().message, now)) {
    notes_.push_back(saved.error().message + "; trying again");
  }
}

bool JournalSource::leave(Instant /*now*/) {
  const auto saved = save_now();
  if (!saved) notes_.push_back(saved.error().message);
  return saved.ok();
}

}  // namespace

Result<std::unique_ptr<Source>> open_journal(
    const SystemJournalOptions& options, Filter& filter, Intake& intake) {
  if (auto made = make_directories(options.state_directory); !made) return made.error();
  const auto lock_path = options.state_directory + "/journal-" + options.group + ".lock";
  Descriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock.is_open()) return system_error(lock_path, "cannot open", errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{
        Errc::invalid_argument,
        lock_path +
            ": another ringlog-publish follows the journal for this group with this state; "
            "name another --state directory"};
  }
  auto source = std::make_unique<JournalSource>(options, std::move(lock), filter, intake);
  if (auto started = source->start(); !started) return started.error();
  return std::unique_ptr<Source>(std::move(source));
}

}  // namespace ringcast::ringlog
