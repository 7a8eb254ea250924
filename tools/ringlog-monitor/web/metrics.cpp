// SPDX-License-Identifier: Apache-2.0
//
// Families in turn, and groups within each: a family must not be interrupted.
#include "tools/ringlog-monitor/web/metrics.hpp"

#include <array>
#include <fstream>
#include <functional>
#include <limits>
#include <sys/resource.h>
#include <unistd.h>

#include "ringcast/version.hpp"

#include "tools/ringlog-monitor/web/open_metrics.hpp"

namespace ringcast::monitor {

namespace {

using Type = OpenMetrics::Type;

constexpr double micros_per_second = 1e6;
constexpr std::array latency_bounds_us = {
    1000U,
    2500U,
    5000U,
    10000U,
    25000U,
    50000U,
    100000U,
    250000U,
    500000U,
    1000000U,
    2500000U,
    5000000U,
    10000000U};
constexpr std::array size_bounds = {100U, 1000U, 10000U, 100000U, 1000000U, 10000000U, 100000000U};
constexpr std::array class_names = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

class Writer {
 public:
  explicit Writer(const MetricsSource& source) : source_(source) {}

  std::string write() && {
    add_servers();
    add_responses();
    add_histograms();
    add_tables();
    if (source_.ring != nullptr) add_ring(*source_.ring);
    add_http();
    add_process();
    return std::move(out_).finish();
  }

 private:
  struct ServerCounter {
    const char* name;
    const char* unit;
    const char* help;
    std::uint64_t (*value)(const ServerFigures&);
  };

  void for_each_group(const std::function<void(const std::string&, const Analysis&)>& visit) const {
    for (const auto& name : source_.analyses.names()) {
      visit(name, *source_.analyses.find(name));
    }
  }

  void add_server_counter(const ServerCounter& counter) {
    out_.family(counter.name, Type::counter, counter.unit, counter.help);
    for_each_group([&](const std::string& group, const Analysis& analysis) {
      for (const auto& [server, figures] : analysis.figures().servers().all()) {
        out_.sample("_total", {{"group", group}, {"server", server}}, counter.value(figures));
      }
    });
  }

  void add_servers() {
    constexpr std::array<ServerCounter, 6> counters = {{
        {"ringlog_lines", "", "Log lines.", [](const auto& one) { return one.lines; }},
        {"ringlog_requests",
         "",
         "Requests in log lines.",
         [](const auto& one) { return one.total.requests; }},
        {"ringlog_response_bytes",
         "bytes",
         "Bytes of answers.",
         [](const auto& one) { return one.total.bytes; }},
        {"ringlog_errors",
         "",
         "Answers with status 4xx and 5xx.",
         [](const auto& one) { return one.total.errors; }},
        {"ringlog_unparsed_lines",
         "",
         "Lines that no format fits.",
         [](const auto& one) { return one.unparsed; }},
        {"ringlog_lost_lines",
         "",
         "Lines that their publisher dropped or found too long.",
         [](const auto& one) { return one.lost; }},
    }};
    for (const auto& counter : counters) {
      add_server_counter(counter);
    }
    out_.family("ringlog_server_responses", Type::counter, "", "Answers by class of status.");
    for_each_group([&](const std::string& group, const Analysis& analysis) {
      for (const auto& [server, figures] : analysis.figures().servers().all()) {
        add_classes(group, server, figures.classes);
      }
    });
  }

  void add_classes(const std::string& group, const std::string& server, const Classes& classes) {
    for (std::size_t i = 0; i < class_names.size(); ++i) {
      out_.sample(
          "_total",
          {{"group", group}, {"server", server}, {"class", class_names.at(i)}},
          classes.at(i));
    }
  }

  void add_responses() {
    out_.family("ringlog_responses", Type::counter, "", "Answers by status code.");
    for_each_group([&](const std::string& group, const Analysis& analysis) {
      const auto& codes = analysis.figures().codes();
      for (std::size_t code = 0; code < codes.size(); ++code) {
        if (codes.at(code) == 0) continue;
        out_.sample("_total", {{"group", group}, {"code", std::to_string(code)}}, codes.at(code));
      }
    });
  }

  void add_histogram(const std::string& group, const Histogram& values, double unit, auto& bounds) {
    for (const auto bound : bounds) {
      out_.sample(
          "_bucket",
          {{"group", group}, {"le", number_text(static_cast<double>(bound) / unit)}},
          values.count_up_to(bound));
    }
    out_.sample("_bucket", {{"group", group}, {"le", "+Inf"}}, values.count());
    out_.sample("_sum", {{"group", group}}, values.sum() / unit);
    out_.sample("_count", {{"group", group}}, values.count());
  }

  void add_histograms() {
    out_.family(
        "ringlog_latency_seconds",
        Type::histogram,
        "seconds",
        "How long answers took, where the log tells; within 1.6 %.");
    for_each_group([&](const std::string& group, const Analysis& analysis) {
      add_histogram(group, analysis.figures().all().latency, micros_per_second, latency_bounds_us);
    });
    out_.family(
        "ringlog_response_size_bytes", Type::histogram, "bytes", "Sizes of answers; within 1.6 %.");
    for_each_group([&](const std::string& group, const Analysis& analysis) {
      add_histogram(group, analysis.figures().all().sizes, 1, size_bounds);
    });
  }

  void add_gauge(const char* name, const char* help, std::uint64_t (*value)(const Analysis&)) {
    out_.family(name, Type::gauge, "", help);
    for_each_group([&](const std::string& group, const Analysis& analysis) {
      out_.sample("", {{"group", group}}, value(analysis));
    });
  }

  void add_tables() {
    add_gauge(
        "ringlog_visitors_online",
        "Visitors of whom something came lately.",
        [](const Analysis& one) -> std::uint64_t { return one.figures().visits().online(); });
    add_gauge(
        "ringlog_alerts_active",
        "Alerts that have begun and are not over.",
        [](const Analysis& one) -> std::uint64_t { return one.alerts().current().size(); });
    out_.family("ringlog_visits_ended", Type::counter, "", "Visits that are over.");
    for_each_group([&](const std::string& group, const Analysis& analysis) {
      out_.sample("_total", {{"group", group}}, analysis.figures().visits().ended());
    });
    out_.family("ringlog_table_keys", Type::gauge, "", "Keys that have a counter.");
    for_each_table([&](const std::string& group, const char* name, const Top& top) {
      out_.sample("", {{"group", group}, {"table", name}}, std::uint64_t{top.size()});
    });
    out_.family("ringlog_table_exact", Type::gauge, "", "1 while all keys have a counter.");
    for_each_table([&](const std::string& group, const char* name, const Top& top) {
      out_.sample("", {{"group", group}, {"table", name}}, std::uint64_t{top.is_exact() ? 1U : 0U});
    });
  }

  void for_each_table(
      const std::function<void(const std::string&, const char*, const Top&)>& visit) const {
    for_each_group([&](const std::string& group, const Analysis& analysis) {
      const auto& figures = analysis.figures();
      visit(group, "pages", figures.pages());
      visit(group, "clients", figures.clients());
      visit(group, "referrers", figures.referrers());
      visit(group, "agents", figures.agents());
    });
  }

  void add_counter(const char* name, const char* help, std::uint64_t value) {
    out_.family(name, Type::counter, "", help);
    out_.sample("_total", {}, value);
  }

  void add_ring(const RingState& ring) {
    out_.family("ringlog_session_open", Type::gauge, "", "1 while there is a session.");
    out_.sample("", {}, std::uint64_t{ring.session.empty() ? 0U : 1U});
    add_counter("ringlog_sessions", "Sessions with the daemon.", ring.sessions);
    add_counter("ringlog_records", "Records that came.", ring.counters.records);
    add_counter("ringlog_duplicate_lines", "Lines that came again.", ring.counters.duplicates);
    add_counter("ringlog_foreign_messages", "Messages that are no records.", ring.counters.foreign);
    add_counter(
        "ringlog_malformed_records", "Records that cannot be read.", ring.counters.malformed);
    // A line may come after all.
    out_.family("ringlog_missed_lines", Type::gauge, "", "Lines that should have come.");
    out_.sample("", {}, ring.counters.missed);
  }

  void add_http() {
    out_.family("ringlog_http_responses", Type::counter, "", "Answers of this web server.");
    for (const auto& [status, count] : source_.http.responses) {
      out_.sample("_total", {{"code", std::to_string(status)}}, count);
    }
    out_.family("ringlog_http_connections", Type::gauge, "", "Connections to this web server.");
    out_.sample("", {}, std::uint64_t{source_.http.connections});
    out_.family("ringlog_http_streams", Type::gauge, "", "Pages that are open.");
    out_.sample("", {}, std::uint64_t{source_.http.streams});
    add_counter("ringlog_http_cut_off", "Connections that were too slow.", source_.http.cut_off);
    add_counter(
        "ringlog_http_skipped_events", "Events that slow pages did not get.", source_.http.skipped);
  }

  void add_process() {
    out_.family("ringlog_monitor", Type::info, "", "This program.");
    out_.sample("_info", {{"version", ringcast::version}}, std::uint64_t{1});
    rusage usage{};
    (void)::getrusage(RUSAGE_SELF, &usage);
    const auto seconds =
        static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
        (static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / micros_per_second);
    out_.family("process_cpu_seconds", Type::counter, "seconds", "Time on processors.");
    out_.sample("_total", {}, seconds);
    std::uint64_t pages = 0;
    std::uint64_t resident = 0;
    std::ifstream("/proc/self/statm") >> pages >> resident;
    out_.family("process_resident_memory_bytes", Type::gauge, "bytes", "Memory in use.");
    out_.sample("", {}, resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
    const std::chrono::duration<double> started = source_.started.time_since_epoch();
    out_.family("process_start_time_seconds", Type::gauge, "seconds", "When it began, since 1970.");
    out_.sample("", {}, started.count());
  }

  const MetricsSource& source_;
  OpenMetrics out_;
};

}  // namespace

std::string metrics_text(const MetricsSource& source) { return Writer(source).write(); }

}  // namespace ringcast::monitor
