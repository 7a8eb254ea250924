// SPDX-License-Identifier: Apache-2.0
//
// The relations between the ring's options, each as one line of a table: what must hold,
// who is to blame first, and what to do about it.
#include "protocol/ring/config.hpp"

#include <utility>

#include "protocol/base/limits.hpp"

namespace ringcast {
namespace {

std::string shown(Duration duration) {
  const auto count = duration.count();
  if (count % 1'000'000'000 == 0) return std::to_string(count / 1'000'000'000) + "s";
  if (count % 1'000'000 == 0) return std::to_string(count / 1'000'000) + "ms";
  if (count % 1'000 == 0) return std::to_string(count / 1'000) + "us";
  return std::to_string(count) + "ns";
}

std::string shown(std::uint64_t count) { return std::to_string(count); }

template <class Value>
std::string named(std::string_view name, Value value) {
  return std::string(name) + " (" + shown(value) + ")";
}

class Relations {
 public:
  void require(
      bool holds, std::vector<std::string_view> options, std::string problem, std::string remedy) {
    if (holds) return;
    broken_.push_back(BrokenRelation{
        .options = std::move(options), .problem = std::move(problem), .remedy = std::move(remedy)});
  }
  std::vector<BrokenRelation> take() { return std::move(broken_); }

 private:
  std::vector<BrokenRelation> broken_;
};

void require_timing(const RingConfig& config, Relations& relations) {
  const auto loss = named("token_loss", config.token_loss);
  relations.require(
      config.token_retransmit_min > Duration::zero() &&
          config.token_retransmit_min <= config.token_retransmit_max,
      {"token_retransmit_min", "token_retransmit_max"},
      named("token_retransmit_min", config.token_retransmit_min) + " is not between 1us and " +
          named("token_retransmit_max", config.token_retransmit_max),
      "lower token_retransmit_min");
  relations.require(
      config.token_retransmit_max * 4 <= config.token_loss,
      {"token_retransmit_max", "token_loss"},
      named("token_retransmit_max", config.token_retransmit_max) + " is more than a quarter of " +
          loss,
      "a lost token must be sent again several times before it counts as lost: lower "
      "token_retransmit_max or raise token_loss");
  relations.require(
      config.token_hold * 2 < config.token_loss,
      {"token_hold", "token_loss"},
      named("token_hold", config.token_hold) + " is not less than half of " + loss,
      "an idle ring would lose its token: lower token_hold or raise token_loss");
  relations.require(
      config.consensus * 10 >= config.token_loss * 11,
      {"consensus", "token_loss"},
      named("consensus", config.consensus) + " is less than 1.1 times " + loss,
      "daemons notice a lost token at different times: raise consensus or lower token_loss");
  relations.require(
      config.join_interval > Duration::zero() && config.join_interval * 4 <= config.consensus,
      {"join_interval", "consensus"},
      named("join_interval", config.join_interval) + " is more than a quarter of " +
          named("consensus", config.consensus),
      "who was not heard for half of consensus counts as gone: lower join_interval");
  relations.require(
      config.fail_to_receive > config.token_loss,
      {"fail_to_receive", "token_loss"},
      named("fail_to_receive", config.fail_to_receive) + " is not more than " + loss,
      "raise fail_to_receive");
  relations.require(
      config.backoff_max >= config.probe_interval,
      {"backoff_max", "probe_interval"},
      named("backoff_max", config.backoff_max) + " is less than " +
          named("probe_interval", config.probe_interval),
      "raise backoff_max");
}

void require_sizes(const RingConfig& config, Relations& relations) {
  const auto message = named("message_bytes_max", config.message_bytes_max);
  relations.require(
      config.datagram_bytes_min >= datagram_bytes_least,
      {"datagram_bytes_min"},
      named("datagram_bytes_min", config.datagram_bytes_min) + " is less than " +
          shown(datagram_bytes_least),
      "every network carries that much: raise datagram_bytes_min");
  relations.require(
      config.window_packets_max >= window_packets_least,
      {"window_packets_max"},
      named("window_packets_max", config.window_packets_max) + " is less than " +
          shown(window_packets_least),
      "raise window_packets_max");
  relations.require(
      config.datagram_bytes_min <= config.datagram_bytes_max,
      {"datagram_bytes_min", "datagram_bytes_max"},
      named("datagram_bytes_min", config.datagram_bytes_min) + " is more than " +
          named("datagram_bytes_max", config.datagram_bytes_max),
      "lower datagram_bytes_min or raise datagram_bytes_max");
  relations.require(
      config.window_bytes_max >= std::uint64_t{2} * config.message_bytes_max,
      {"window_bytes_max", "message_bytes_max"},
      named("window_bytes_max", config.window_bytes_max) + " is less than twice " + message,
      "raise window_bytes_max or lower message_bytes_max");
  relations.require(
      config.send_queue_bytes_max >= config.message_bytes_max,
      {"send_queue_bytes_max", "message_bytes_max"},
      named("send_queue_bytes_max", config.send_queue_bytes_max) + " is less than " + message,
      "raise send_queue_bytes_max or lower message_bytes_max");
  relations.require(
      config.accelerated_percent <= 100,
      {"accelerated_percent"},
      named("accelerated_percent", config.accelerated_percent) + " is more than 100",
      "choose a share between 0 and 100");
}

}  // namespace

std::vector<BrokenRelation> RingConfig::broken_relations() const {
  Relations relations;
  require_timing(*this, relations);
  require_sizes(*this, relations);
  return relations.take();
}

Result<void> RingConfig::validate() const {
  const auto broken = broken_relations();
  if (broken.empty()) return {};
  return Error{Errc::invalid_argument, broken.front().problem + "; " + broken.front().remedy};
}

}  // namespace ringcast
