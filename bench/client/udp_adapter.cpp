// SPDX-License-Identifier: Apache-2.0
//
// The raw limit: what this kernel carries between these hosts when nothing is promised but that
// receivers keep up. A message is cut into datagrams of equal size; receivers say how far they
// are, a few times per window, since a sender that knows nothing of its receivers only measures
// loss. What is lost stays lost and is counted as missing. Our own copy is delivered on the
// spot, at no cost: this is a bound to be measured against, not a system.
#include <algorithm>
#include <cstring>
#include <utility>

#include "client/adapters.hpp"
#include "client/message.hpp"
#include "client/udp_socket.hpp"

namespace ringcast::bench {
namespace {

constexpr std::uint16_t port = 4951;
constexpr const char* group_address = "239.192.73.99";
constexpr std::chrono::milliseconds given_up{200};  // no news from receivers: what is out is lost
constexpr std::chrono::milliseconds full_window_pause{5};
constexpr int calls_per_turn = 16;

struct PieceHead {
  std::uint64_t message{0};  ///< the sender's number of it; of an ack: how many have come
  std::uint32_t sender{0};
  std::uint32_t piece{0};
  std::uint32_t ack{0};  ///< 1: no piece but an ack
  std::uint32_t reserved{0};
};
constexpr std::size_t head_bytes = sizeof(PieceHead);
constexpr std::size_t piece_bytes_max = UdpSocket::datagram_bytes_max - head_bytes;

class UdpAdapter final : public Adapter {
 public:
  UdpAdapter(const Setup& setup, Sink& sink, std::pair<SendWay, ReceiveWay> ways)
      : setup_(setup),
        sink_(sink),
        socket_(ways.first, ways.second),
        pieces_((setup.message_bytes + piece_bytes_max - 1) / piece_bytes_max),
        piece_bytes_((setup.message_bytes + pieces_ - 1) / pieces_),
        peers_(setup.peers.size()) {
    const auto datagrams = std::min(
        UdpSocket::datagrams_max, UdpSocket::burst_bytes_max / (head_bytes + piece_bytes_));
    batch_.reserve(datagrams * (head_bytes + piece_bytes_));
  }

  Result<void> open() {
    if (auto opened = socket_.open(port); !opened.ok()) return opened;
    for (std::size_t rank = 0; rank < peers_.size(); ++rank) {
      peers_[rank].address = udp_address(setup_.peers[rank], port);
      peers_[rank].assembly.resize(pieces_ * piece_bytes_);
      if (rank != setup_.rank && !setup_.multicast) destinations_.push_back(peers_[rank].address);
    }
    if (!setup_.multicast) return {};
    destinations_.push_back(udp_address(group_address, port));
    return socket_.join(destinations_.front(), peers_[setup_.rank].address);
  }

  Result<bool> try_send(std::span<const std::byte> message) override {
    if (is_window_full()) return false;
    for (std::size_t piece = 0; piece < pieces_; ++piece) {
      append(message, static_cast<std::uint32_t>(piece));
      if (batch_.size() + head_bytes + piece_bytes_ <= batch_.capacity()) continue;
      if (auto sent = flush(); !sent.ok()) return sent.error();
    }
    ++sent_;
    sink_.on_message(message);
    return true;
  }

  Result<void> flush() override {
    if (batch_.empty()) return {};
    auto sent = socket_.send(batch_, head_bytes + piece_bytes_, destinations_);
    batch_.clear();
    return sent;
  }

  Result<bool> receive() override {
    bool more = true;
    for (int call = 0; call < calls_per_turn && more; ++call) {
      auto got = socket_.receive([this](std::span<const std::byte> datagram) { take(datagram); });
      if (!got.ok()) return got;
      more = *got;
    }
    const auto enough = more ? std::max<std::uint64_t>(setup_.window / 4, 1) : 1;
    for (auto& peer : peers_) {
      if (peer.unacknowledged < enough) continue;
      if (auto sent = acknowledge(peer); !sent.ok()) return sent.error();
    }
    return more;
  }

  [[nodiscard]] Interest interest() const override {
    Interest interest;
    interest.fd = socket_.fd();
    if (outstanding() >= setup_.window) interest.retry = full_window_pause;
    return interest;
  }

 private:
  struct Peer {
    UdpAddress address{};
    std::uint64_t acknowledged{0};  ///< of ours, by it
    std::uint64_t received{0};      ///< of its, by us
    std::uint64_t unacknowledged{0};
    std::uint64_t message{0};  ///< being put together
    std::uint32_t next_piece{0};
    std::vector<std::byte> assembly;
  };

  [[nodiscard]] std::uint64_t outstanding() const {
    auto acknowledged = sent_;
    for (std::size_t rank = 0; rank < peers_.size(); ++rank) {
      if (rank != setup_.rank) acknowledged = std::min(acknowledged, peers_[rank].acknowledged);
    }
    return sent_ - acknowledged;
  }

  bool is_window_full() {
    if (outstanding() < setup_.window) return false;
    const auto now = Clock::now();
    if (now - progress_ < given_up) return true;
    for (auto& peer : peers_) {
      peer.acknowledged = sent_;
    }
    progress_ = now;
    return false;
  }

  void append(std::span<const std::byte> message, std::uint32_t piece) {
    const PieceHead head{sent_, setup_.rank, piece, 0, 0};
    const auto start = batch_.size();
    batch_.resize(start + head_bytes + piece_bytes_);
    std::memcpy(&batch_[start], &head, head_bytes);
    const auto part = message.subspan(std::min(piece * piece_bytes_, message.size()));
    std::copy_n(
        part.begin(),
        std::min(piece_bytes_, part.size()),
        batch_.begin() + static_cast<std::ptrdiff_t>(start + head_bytes));
  }

  Result<void> acknowledge(Peer& peer) {
    PieceHead head{peer.received, setup_.rank, 0, 1, 0};
    peer.unacknowledged = 0;
    return socket_.send(
        std::as_writable_bytes(std::span(&head, 1)), head_bytes, {&peer.address, 1});
  }

  void take(std::span<const std::byte> datagram) {
    PieceHead head;
    if (datagram.size() < head_bytes) return;
    std::memcpy(&head, datagram.data(), head_bytes);
    if (head.sender >= peers_.size() || head.sender == setup_.rank) return;
    auto& peer = peers_[head.sender];
    if (head.ack != 0) {
      peer.acknowledged = std::max(peer.acknowledged, std::min(head.message, sent_));
      progress_ = Clock::now();
    } else {
      take_piece(peer, head, datagram.subspan(head_bytes));
    }
  }

  void take_piece(Peer& peer, const PieceHead& head, std::span<const std::byte> bytes) {
    if (head.piece == 0) {
      peer.message = head.message;
      peer.next_piece = 0;
    }
    if (head.message != peer.message || head.piece != peer.next_piece) return;
    ++peer.next_piece;
    if (pieces_ > 1) {
      const auto place = static_cast<std::ptrdiff_t>(head.piece * piece_bytes_);
      std::copy(bytes.begin(), bytes.end(), peer.assembly.begin() + place);
      bytes = peer.assembly;
    }
    if (peer.next_piece < pieces_) return;
    peer.received = head.message + 1;
    ++peer.unacknowledged;
    sink_.on_message(bytes.first(std::min(setup_.message_bytes, bytes.size())));
  }

  Setup setup_;
  Sink& sink_;
  UdpSocket socket_;
  std::size_t pieces_;
  std::size_t piece_bytes_;
  std::vector<Peer> peers_;
  std::vector<UdpAddress> destinations_;
  std::vector<std::byte> batch_;
  std::uint64_t sent_{0};
  Clock::time_point progress_{Clock::now()};
};

}  // namespace

Opened open_udp(const Setup& setup, Sink& sink) {
  const auto send = parse_send_way(setup.send);
  const auto receive = parse_receive_way(setup.receive);
  if (!send || !receive) return Error{Errc::invalid_argument, "no such way to send or receive"};
  auto adapter = std::make_unique<UdpAdapter>(setup, sink, std::pair{*send, *receive});
  if (auto opened = adapter->open(); !opened.ok()) return opened.error();
  return std::unique_ptr<Adapter>(std::move(adapter));
}

}  // namespace ringcast::bench
