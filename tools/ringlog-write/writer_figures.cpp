// SPDX-License-Identifier: Apache-2.0
//
// Figures as JSON.
#include "tools/ringlog-write/writer_figures.hpp"

namespace ringcast::ringlog {

void put_counters(tools::Json& json, const ReconcilerCounters& counters) {
  json["duplicates"] = counters.duplicates;
  json["views"] = counters.views;
  json["configurations"] = counters.configurations;
  json["gaps"] = counters.gaps;
  json["gap_lines"] = counters.gap_lines;
  json["pending_lines"] = counters.pending_lines;
  json["fetched_lines"] = counters.fetched_lines;
  json["merged_lines"] = counters.merged_lines;
  json["cut_lines"] = counters.cut_lines;
  json["unkept"] = counters.unkept;
  json["unkept_lines"] = counters.unkept_lines;
  json["lost_lines"] = counters.lost_lines;
  json["foreign"] = counters.foreign;
}

tools::Json to_json(const WriterFigures& figures) {
  tools::Json json;
  json["connected"] = figures.is_connected;
  json["in_step"] = figures.is_in_step;
  json["lines_total"] = figures.lines_total;
  json["bytes"] = figures.bytes;
  json["begins"] = figures.begins;
  json["lines_released"] = figures.lines_released;
  json["kept_bytes"] = figures.bytes - figures.begins;
  json["unwritten_bytes"] = figures.unwritten_bytes;
  json["sessions"] = figures.sessions;
  json["pending_files"] = figures.pending_files;
  put_counters(json, figures.counters);
  return json;
}

}  // namespace ringcast::ringlog
