// SPDX-License-Identifier: Apache-2.0
//
// A recovery with something to lose, broken off while it goes on, up to three times in a row.
// What makes a recovery hard needs several things at once (a number whose packet nobody has,
// packets behind it, an install here and none there), which faults drawn one by one seldom give.
// Source of the worst case: figure 4.16 of Agarwal's thesis.
#include "sim/faults.hpp"

namespace ringcast::sim {

using std::chrono::microseconds;

void FaultInjector::recovery() {
  const std::size_t gone = target();
  if (!cluster_.is_up(gone)) return;
  const std::string name = cluster_.name(gone);
  const Duration away = options_.token_loss * static_cast<Duration::rep>(random_.between(2, 6));
  if (random_.chance(0.5)) {
    // Its token counts packets that never leave it.
    perform("fuse " + name + " token " + std::to_string(random_.below(3)));
    restart_after(gone, away);
    restart_after(gone, away * 2);
  } else {
    // Nobody hears it, and what it sent last was lost before.
    perform("link " + name + "->* lose_data 1");
    later(random_.between(Duration{0}, Duration{microseconds{3000}}), [this, name] {
      perform("block " + name + "->*");
      perform("block *->" + name);
      perform("link " + name + "->* lose_data 0");
    });
    later(away, [this, name] {
      perform("open " + name + "->*");
      perform("open *->" + name);
    });
  }
  breaks_left_ = random_.between(1, 3);
  aims_.add_break(random_);
}

void FaultInjector::break_off(std::size_t host) {
  evidence_.count("recovery broken off on purpose");
  const std::string name = cluster_.name(host);
  const std::string in = "*->" + name;
  const std::string out = name + "->*";
  const Duration time = options_.token_loss * static_cast<Duration::rep>(random_.between(2, 6)) / 2;
  std::vector<std::string> links;
  switch (random_.below(5)) {
    case 0:
      links = {in};
      break;
    case 1:
      links = {out};
      break;
    case 2:
      links = {link_name(other_than(host), host)};
      break;
    case 3:
      links = {in, out};
      break;
    default:
      perform("pause " + name);
      later(time, [this, name] { perform("resume " + name); });
      break;
  }
  for (const std::string& link : links) {
    perform("block " + link);
    later(time, [this, link] { perform("open " + link); });
  }
  if (breaks_left_ == 0) return;
  --breaks_left_;
  aims_.add_break(random_);
}

}  // namespace ringcast::sim
