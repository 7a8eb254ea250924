// SPDX-License-Identifier: Apache-2.0
//
// The client library and a hostile daemon. The input: a byte of options, a byte that says how
// many calls of the program follow (two bytes each: which, and an argument), then what the
// daemon sends: pieces of a u16 length and so many bytes. The highest bit of the length makes
// the piece a frame, whose own length is put in front; short lengths have meanings of their own.
#include "ringcast/client.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <string>
#include <utility>

#include "fuzz/check.hpp"
#include "fuzz/heap.hpp"
#include "fuzz/hostile_kernel.hpp"
#include "fuzz/input.hpp"
#include "fuzz/targets.hpp"
#include "protocol/base/bytes.hpp"
#include "tools/common/json_events.hpp"
#include "tools/common/text_events.hpp"

namespace ringcast::fuzz {
namespace {

using std::chrono::milliseconds;

constexpr std::uint16_t is_frame = 0x8000;
constexpr std::uint16_t piece_quiet = 0;
constexpr std::uint16_t piece_ended = 0x7fff;
constexpr std::uint16_t piece_reset = 0x7ffe;
constexpr std::size_t calls_max = 64;
constexpr std::size_t inbox_bytes = std::size_t{64} << 10U;

HostileKernel::Arrival read_piece(ByteReader& reader) {
  using Kind = HostileKernel::Arrival::Kind;
  const std::uint16_t length = reader.u16();
  if (length == piece_quiet) return {.kind = Kind::nothing, .bytes = {}};
  if (length == piece_ended) return {.kind = Kind::ended, .bytes = {}};
  if (length == piece_reset) return {.kind = Kind::reset, .bytes = {}};
  const std::size_t size = length & static_cast<std::uint16_t>(~is_frame);
  const auto bytes = up_to(reader, size);
  ByteWriter piece;
  if ((length & is_frame) != 0) piece.u32(static_cast<std::uint32_t>(bytes.size()));
  piece.bytes(bytes);
  return {.kind = Kind::bytes, .bytes = {piece.view().begin(), piece.view().end()}};
}

/// Holds the events a program is given against what client.hpp says of them.
class Program {
 public:
  Program(Client client, bool reconnects) : client_(std::move(client)), reconnects_(reconnects) {
    check(!client_.name().session.empty(), "a connected client has a name");
  }

  void call(std::uint8_t which, std::uint8_t argument) {
    const auto soon = Client::Clock::now() + milliseconds{argument % 32};
    const std::string group(1, static_cast<char>('a' + argument % 4));
    const std::string payload(std::size_t{argument} * 16, 'x');
    Publication publication;
    publication.groups = {group};
    publication.payload = std::as_bytes(std::span{payload});
    publication.confirm = argument % 2 == 0;
    switch (which % 11) {
      case 0:
        note(client_.join(group));
        break;
      case 1:
        note(client_.leave(group));
        break;
      case 2:
        if (const auto ticket = client_.publish(publication, soon); note(ticket)) {
          check(*ticket > last_ticket_, "tickets rise");
          last_ticket_ = *ticket;
        }
        break;
      case 3:
        if (const auto ticket = client_.try_publish(publication); note(ticket)) {
          last_ticket_ = *ticket;
        }
        break;
      case 4:
        note(client_.publish_and_wait(publication, soon));
        break;
      case 5:
        if (auto status = client_.status(soon); note(status)) show(*status);
        break;
      case 6:
        if (auto groups = client_.groups(argument % 2 == 0 ? "" : group, soon); note(groups)) {
          for (const auto& known : *groups) {
            show(known);
          }
        }
        break;
      case 7:
        note(client_.flush(soon));
        break;
      case 8:
        if (argument > 250) {
          note(client_.close(soon));
          closed_ = true;
          break;
        }
        [[fallthrough]];
      case 9:
        if (auto event = client_.receive_until(soon); note(event)) take(*event);
        break;
      default:
        receive_all();
        break;
    }
  }

  /// Until nothing more comes, or the session is over.
  void receive_all() {
    for (int i = 0; i < 10000; ++i) {
      auto event = client_.try_receive();
      if (!note(event) || !event->has_value()) return;
      take(**event);
    }
  }

 private:
  template <class T>
  bool note(const Result<T>& result) {
    if (closed_) {
      check(!result.ok(), "after the end nothing succeeds");
    }
    if (!result.ok()) check_refusal(result.error());
    return result.ok();
  }

  template <class T>
  void show(const T& what) {
    shown_.clear();
    tools::append_text(shown_, what);
    tools::append_json(shown_, what);
    check(shown_.ends_with("}\n"), "every event is one JSON object on one line");
  }

  void take(const Event& event) {
    show(event);
    if (std::holds_alternative<Reconnected>(event)) {
      check(interrupted_, "only what was interrupted is renewed");
      interrupted_ = false;
    }
    if (const auto* const closed = std::get_if<Closed>(&event)) {
      check(!closed->reason.empty(), "whoever is closed is told why");
      check(reconnects_ || !closed->reconnecting, "nobody asked for a renewal");
      interrupted_ = closed->reconnecting;
      closed_ = !closed->reconnecting;
    }
    if (const auto* const confirmation = std::get_if<Confirmation>(&event)) {
      check(confirmation->ticket != 0, "a confirmation is of something published");
    }
  }

  Client client_;
  bool reconnects_;
  bool interrupted_{false};
  bool closed_{false};
  std::uint64_t last_ticket_{0};
  std::string shown_;
};

}  // namespace

void client(Bytes input) {
  ByteReader reader(input);
  const std::uint8_t manners = reader.u8();
  const auto calls = up_to(reader, 2 * (reader.u8() % calls_max));
  std::deque<HostileKernel::Arrival> arrivals;
  while (reader.ok() && reader.remaining() >= 2) {
    arrivals.push_back(read_piece(reader));
  }

  const HeapMeter heap;
  {
    HostileKernel kernel(
        std::move(arrivals),
        HostileKernel::Manners{
            .write_bytes_max = (manners & 1U) != 0 ? 7U : 0U,
            .refuses_writes = (manners & 2U) != 0,
            .connections_max = 1U + (manners >> 4U) % 4U,
            .slow_to_connect = (manners & 4U) != 0});
    ClientOptions options;
    options.socket = "/hostile";
    options.name = "me";
    options.connect_timeout = milliseconds{50};
    options.reconnect = (manners & 8U) != 0;
    options.reconnect_delay_min = milliseconds{1};
    options.reconnect_delay_max = milliseconds{8};
    options.inbox_bytes_max = inbox_bytes;
    auto connected = Client::connect(options);
    if (!connected) {
      check_refusal(connected.error());
    } else {
      Program program(std::move(connected).value(), options.reconnect);
      for (std::size_t i = 0; i + 1 < calls.size(); i += 2) {
        program.call(
            std::to_integer<std::uint8_t>(calls[i]), std::to_integer<std::uint8_t>(calls[i + 1]));
      }
      program.receive_all();
    }
  }
  // The read buffer, the inbox and one event beyond it, and the texts made of that event.
  heap.check_peak(256 * input.size() + (std::size_t{2} << 20U), "a client");
}

}  // namespace ringcast::fuzz
