// SPDX-License-Identifier: Apache-2.0
//
// The fuzz targets, one function each, in a file of the same name. A target takes any bytes,
// must return, and must leave nothing behind: the same bytes do the same again. It is run by
// libFuzzer (fuzzer.cpp) and, over the corpora alone, by every build (replay.cpp).
#pragma once

#include <cstddef>
#include <span>

namespace ringcast::fuzz {

using Bytes = std::span<const std::byte>;

void packet(Bytes input);         ///< a datagram: sealer, decoder, encoder
void envelope(Bytes input);       ///< what groups put into a message
void unpacker(Bytes input);       ///< packets in delivery order, into messages
void session(Bytes input);        ///< a client's bytes in any pieces, as a session reads them
void server_frames(Bytes input);  ///< one frame of a daemon, as a client reads it
void groups(Bytes input);         ///< a forged order of changes, exchanges and messages
void client(Bytes input);         ///< a client library among what a hostile daemon sends it
void configuration(Bytes input);  ///< the text of a configuration file
void ringlog(Bytes input);        ///< the messages of the log tools
void ringlog_files(Bytes input);  ///< the files the log tools find when they start
void writers(Bytes input);        ///< what writers of log files tell one another, and its files
void syslog(Bytes input);         ///< a stream of syslog messages, and the text of each
void monitor(Bytes input);        ///< log lines, and formats to read them by
void monitor_web(Bytes input);    ///< what readers of the monitor's page ask of such lines
void writer_configuration(Bytes input);  ///< ringlog-write's configuration, or spreadlogd's
void node(Bytes input);                  ///< a whole node among hostile daemons and clients

}  // namespace ringcast::fuzz
