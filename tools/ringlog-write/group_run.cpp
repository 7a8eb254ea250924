// SPDX-License-Identifier: Apache-2.0
//
// Threads of one group.
#include "tools/ringlog-write/group_run.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace ringcast::ringlog {

namespace {

constexpr auto program = "ringlog-write";

std::function<void(const std::string&)> teller(const std::string& who) {
  return [who](const std::string& sentence) { tools::report(program, who + ": " + sentence); };
}

WriterOptions writer_options_of(
    const GroupRunOptions& options, Journal& journal, FiguresBoard& figures) {
  WriterOptions writer;
  writer.client = options.client;
  writer.group = options.group.name;
  writer.path = options.group.journal;
  writer.adopt = options.group.adopt;
  writer.keep = options.group.keep;
  writer.connect_timeout = options.connect_timeout;
  writer.json = options.json;
  writer.observer = &journal;
  writer.figures = &figures;
  return writer;
}

}  // namespace

GroupRun::GroupRun(GroupRunOptions options, const std::vector<SinkConfig>& sinks)
    : options_(std::move(options)),
      journal_(JournalOptions{
          options_.group.journal, options_.group.name, teller(options_.group.name)}) {
  for (const auto& sink : sinks) {
    if (sink.group == options_.group.name) sinks_.push_back(make_work(sink));
  }
  thread_ = std::thread([this] {
    try {
      Writer writer(writer_options_of(options_, journal_, figures_));
      code_ = writer.run(stop_.fd());
    } catch (const std::exception& error) {
      tools::report(program, options_.group.name + ": " + error.what());
      code_ = tools::ExitCode::failed;
    }
    is_over_ = true;
    options_.on_end();
  });
}

GroupRun::~GroupRun() {
  stop_.raise();
  if (thread_.joinable()) thread_.join();
}

GroupRun::Work GroupRun::make_work(const SinkConfig& config) {
  SinkRunnerOptions options;
  options.name = config.name;
  options.rules = config.rules;
  options.from_end = config.from_end;
  const auto who = config.group + "/" + config.name;
  options.tell = teller(who);
  auto sink = make_sink(config, options_.group.journal + ".sink-" + config.name, teller(who));
  return Work{config, std::make_unique<SinkRunner>(std::move(sink), journal_, std::move(options))};
}

void GroupRun::set_sinks(const std::vector<SinkConfig>& sinks) {
  std::vector<const SinkConfig*> wanted;
  for (const auto& sink : sinks) {
    if (sink.group == options_.group.name) wanted.push_back(&sink);
  }
  const Journal::Hold hold(journal_);  // nobody's part is released while nobody has its place
  // First what ends: a sink with the same name takes its memory over.
  std::erase_if(sinks_, [&](const Work& work) {
    return std::none_of(
        wanted.begin(), wanted.end(), [&](const auto* sink) { return *sink == work.config; });
  });
  for (const auto& work : sinks_) {
    work.runner->reopen();
  }
  for (const auto* sink : wanted) {
    const bool is_there = std::any_of(
        sinks_.begin(), sinks_.end(), [&](const Work& work) { return work.config == *sink; });
    if (!is_there) sinks_.push_back(make_work(*sink));
  }
}

void GroupRun::stop() { stop_.raise(); }

tools::ExitCode GroupRun::end_writer() {
  if (thread_.joinable()) thread_.join();
  return code_;
}

void GroupRun::end_sinks(Clock::time_point deadline) {
  for (const auto& work : sinks_) {
    work.runner->finish(deadline);
  }
  for (const auto& work : sinks_) {
    work.runner->wait_end();
  }
}

tools::Json GroupRun::figures() const {
  tools::Json json;
  json["group"] = options_.group.name;
  json.update(to_json(figures_.get()));
  return json;
}

tools::Json GroupRun::status() const {
  tools::Json list = tools::Json::array();
  for (const auto& work : sinks_) {
    const auto figures = work.runner->figures();
    tools::Json json;
    json["group"] = options_.group.name;
    json["sink"] = work.config.name;
    json["lines"] = figures.lines;
    json["left_out"] = figures.left_out;
    json["bytes"] = figures.bytes;
    json["errors"] = figures.errors;
    json["position"] = figures.position;
    json["lag_bytes"] = figures.lag_bytes;
    json["lag_s"] = figures.lag_s;
    if (!figures.trouble.empty()) json["trouble"] = figures.trouble;
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace ringcast::ringlog
