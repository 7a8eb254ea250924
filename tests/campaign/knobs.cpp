// SPDX-License-Identifier: Apache-2.0
#include "campaign/knobs.hpp"

#include <charconv>
#include <cstdlib>

namespace ringcast::campaign {

namespace {

constexpr std::size_t ethernet_bytes = 14;
constexpr std::size_t udp_bytes = 8;
constexpr std::byte udp_protocol{17};

/// Where the UDP payload begins, if the frame is an unfragmented IPv4 one that has any.
std::optional<std::size_t> udp_payload(const Frame& frame) {
  if (frame.size() < ethernet_bytes + 20) return std::nullopt;
  const bool ipv4 = frame[12] == std::byte{0x08} && frame[13] == std::byte{0x00};
  if (!ipv4 || frame[ethernet_bytes + 9] != udp_protocol) return std::nullopt;
  const bool fragment = (frame[ethernet_bytes + 6] & std::byte{0x3f}) != std::byte{0} ||
                        frame[ethernet_bytes + 7] != std::byte{0};
  const auto header = std::to_integer<std::size_t>(frame[ethernet_bytes] & std::byte{0x0f}) * 4;
  const std::size_t payload = ethernet_bytes + header + udp_bytes;
  if (fragment || payload >= frame.size()) return std::nullopt;
  return payload;
}

}  // namespace

bool turn(Knobs& knobs, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string name(assignment.substr(0, equals));
  const std::string text(assignment.substr(equals + 1));
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || value < 0) return false;
  const std::map<std::string, double*> shares{
      {"loss", &knobs.loss},
      {"duplicate", &knobs.duplicate},
      {"corrupt", &knobs.corrupt},
      {"reorder", &knobs.reorder}};
  if (const auto share = shares.find(name); share != shares.end()) {
    *share->second = value;
    return value <= 1;
  }
  const auto whole = static_cast<std::int64_t>(value);
  if (name == "delay") {
    knobs.delay = std::chrono::microseconds{whole};
  } else if (name == "jitter") {
    knobs.jitter = std::chrono::microseconds{whole};
  } else if (name == "bytes_max") {
    knobs.bytes_max = static_cast<std::size_t>(whole);
  } else {
    return false;
  }
  return true;
}

std::chrono::microseconds Link::wait() {
  if (knobs.reorder > 0 && random_.chance(knobs.reorder)) {
    ++counts.overtook;
    return std::chrono::microseconds{0};
  }
  auto wait = knobs.delay;
  if (knobs.jitter.count() > 0) {
    wait += std::chrono::microseconds{
        random_.between(0, static_cast<std::uint64_t>(knobs.jitter.count()))};
  }
  return wait;
}

std::vector<std::chrono::microseconds> Link::decide(Frame& frame) {
  const bool too_long = knobs.bytes_max > 0 && frame.size() > knobs.bytes_max;
  if (too_long || random_.chance(knobs.loss)) {
    ++counts.lost;
    return {};
  }
  if (random_.chance(knobs.corrupt)) {
    ++counts.corrupted;
    corrupt(frame, random_);
  }
  ++counts.passed;
  std::vector<std::chrono::microseconds> copies{wait()};
  if (random_.chance(knobs.duplicate)) {
    ++counts.duplicated;
    copies.push_back(wait());
  }
  return copies;
}

void corrupt(Frame& frame, sim::Random& random) {
  const std::optional<std::size_t> payload = udp_payload(frame);
  const std::size_t first = payload.value_or(0);
  if (first >= frame.size()) return;
  const std::size_t at = first + random.below(frame.size() - first);
  frame[at] ^= std::byte{1} << static_cast<unsigned>(random.below(8));
  if (!payload) return;
  frame[*payload - 1] = std::byte{0};  // a checksum of nought says that there is none
  frame[*payload - 2] = std::byte{0};
}

}  // namespace ringcast::campaign
