// SPDX-License-Identifier: Apache-2.0
#include "sim/evidence.hpp"

namespace ringcast::sim {

namespace {

using Lines = std::vector<EvidenceLine>;

Lines token_lines() {
  return {
      {"trace token_lost", "no token came for the token loss time", "trace"},
      {"lost token came again", "a lost token was sent again, and used", "packets lost and taken"},
      {"counter ring_tokens_duplicate", "a copy of a token was dropped", "node counter"},
      {"counter ring_tokens_stale", "a token of another ring was dropped", "node counter"},
      {"trace token_held", "an idle ring holds its token", "trace"},
      {"hold cancelled", "a held token was let go early", "trace"},
      {"request answered by another than the originator",
       "a member sent again what another had originated",
       "sender and originator of data that arrives"},
      {"sender limited by its share", "flow control ended a visit", "trace"},
      {"sender limited by the window of numbers", "too many packets are not safe yet", "trace"},
      {"sender limited by the window of bytes", "they take too much memory", "trace"},
      {"packets lost by their type", "one kind of packet was lost", "network"},
      {"packets dropped by full queues", "a narrow link dropped the tail", "network"},
      {"packets too long for their link", "an MTU swallowed packets", "network"},
      {"packets overflowed", "a receive buffer was full", "machine"},
      {"sends refused", "a kernel did not take datagrams", "machine"},
  };
}

Lines membership_lines() {
  return {
      {"consensus timeout", "who did not consent in time was failed", "trace"},
      {"fail-to-receive eviction", "who receives nothing was failed by the others", "trace"},
      {"member restarted while a ring was formed", "its new run showed itself", "trace"},
      {"commit token given up for a newer join", "the commit token would be in vain", "trace"},
      {"restart inside the token timeout", "nobody had noticed the old run's end", "process times"},
      {"pause over the token timeout noticed", "the paused daemon lost the token", "trace"},
      {"merge of 2 rings", "a ring was formed from two", "rings that its members come from"},
      {"merge of 3 rings", "from three", "the same"},
      {"merge of 4 rings", "from four or more", "the same"},
      {"merge under load", "another ring was heard while data flowed", "trace, packets before it"},
      {"merge idle", "another ring was heard in silence", "trace, packets before it"},
      {"packet numbers ran out", "a ring was left before its numbers ended", "trace"},
      {"storage lost", "a daemon came back with nothing stored", "machine"},
      {"storage torn", "with the value before the last", "machine"},
      {"storage stale", "with the first it ever stored", "machine"},
      {"storage copied", "with another machine's", "machine"},
      {"writes to disk failed", "ring numbers could not be reserved at once", "machine"},
  };
}

Lines recovery_lines() {
  return {
      {"recovery aborted 1 times in a row", "a recovery failed midway", "states"},
      {"recovery aborted 2 times in a row", "and so did the next", "states"},
      {"recovery aborted 3 times in a row", "and the one after, or more", "states"},
      {"everything received in the same attempt before", "nothing had to be exchanged", "trace"},
      {"hole in the old ring at an install", "a packet was gone with who had it", "trace"},
      {"delivery behind a gap", "in a transitional configuration, as is owed", "trace"},
      {"obligation honoured without those it is owed to", "thesis, figure 4.16", "trace"},
      {"counter ring_messages_discarded", "behind a gap, not owed", "node counter"},
      {"safe in regular", "a safe message in a regular configuration", "deliveries"},
      {"safe in transitional", "and in a transitional one", "deliveries"},
      {"different transitional configurations into one ring", "members came apart", "installs"},
      {"delivery in a transitional configuration of one", "its own last messages", "deliveries"},
  };
}

Lines crash_lines() {
  return {
      {"crash in the middle of sending", "part of an output left", "machine"},
      {"crash between the token and its data", "the accelerated ring's tail never left", "machine"},
      {"crash between disk and node", "written, and never used", "machine"},
      {"crash in the middle of a delivery", "part of what was ordered was told", "machine"},
      {"crash between the transitional and the regular install", "as it says", "machine"},
      {"crash between writes to clients", "some clients know, others do not", "machine"},
  };
}

Lines number_lines() {
  Lines lines;
  for (const char* bit : {"15", "16", "31", "32"}) {
    lines.push_back(
        {std::string("packet number crossed 2^") + bit, "where a shorter integer wraps", "trace"});
  }
  lines.push_back({"packet number crossed in operation", "such a place", "trace"});
  lines.push_back({"packet number crossed in recovery", "such a place", "trace"});
  return lines;
}

Lines group_lines() {
  return {
      {"group exchange aborted", "a configuration ended before its groups were known", "trace"},
      {"view cause join", "a view changed for a join", "clients"},
      {"view cause leave", "for a leave", "clients"},
      {"view cause disconnect", "for a client that went", "clients"},
      {"view cause network", "for daemons that came or went", "clients"},
      {"counter sessions_closed_backlog", "a client that does not read was closed", "node counter"},
      {"counter sessions_closed_malformed", "so was one that sends nonsense", "node counter"},
      {"counter sessions_closed_limit_exceeded", "and one beyond a limit", "node counter"},
      {"refusal too_large", "a message over the maximum was refused", "clients"},
      {"refusal not_member", "a leave without a join was refused", "clients"},
      {"refusal already_member", "a second join was refused", "clients"},
  };
}

/// What is legal to happen in each state, and to be ignored there.
Lines state_lines() {
  Lines lines;
  for (const char* state : {"operational", "gather", "commit", "recovery"}) {
    const std::string in = std::string(" in ") + state;
    lines.push_back({"foreign data" + in, "a packet of another ring came", "packets"});
    lines.push_back({"foreign token" + in, "a token of another ring came", "packets"});
    lines.push_back({"join" + in, "a join came", "packets"});
    lines.push_back({"commit token" + in, "a commit token came, or came again", "packets"});
    lines.push_back({"probe" + in, "a probe came", "packets"});
  }
  lines.push_back({"wakeup in operational", "a wakeup came", "packets"});
  lines.push_back({"wakeup in gather", "and was ignored", "packets"});
  return lines;
}

/// Every way in which a datagram is refused.
Lines refusal_lines() {
  Lines lines;
  for (const char* reason :
       {"shorter than a header and a tag",
        "not a ringcast datagram",
        "another wire version",
        "another cluster's datagram",
        "tag does not match",
        "unknown packet type",
        "data: shorter than its header",
        "data: unknown flags",
        "data: seq out of range",
        "data: no entries",
        "data: entries do not fill the packet",
        "token: shorter than its header",
        "token: unknown flags",
        "token: aru above seq",
        "token: seq out of range",
        "token: too many requests",
        "token: requests do not fit",
        "join: shorter than its header",
        "join: unknown flags",
        "join: too many members",
        "join: ring sequence out of range",
        "join: members do not fit",
        "join: members out of order",
        "commit: shorter than its header",
        "commit: unknown flags",
        "commit: impossible member count",
        "commit: ring sequence out of range",
        "commit: members do not fit",
        "commit: members out of order",
        "probe: wrong length",
        "probe: unknown flags",
        "wakeup: wrong length"}) {
    lines.push_back({std::string("refused: ") + reason, "a datagram was refused so", "trace"});
  }
  return lines;
}

}  // namespace

const std::vector<EvidenceLine>& evidence_table() {
  static const std::vector<EvidenceLine> all = [] {
    std::vector<EvidenceLine> lines;
    for (const Lines& part :
         {token_lines(),
          membership_lines(),
          recovery_lines(),
          crash_lines(),
          number_lines(),
          group_lines(),
          state_lines(),
          refusal_lines()}) {
      lines.insert(lines.end(), part.begin(), part.end());
    }
    return lines;
  }();
  return all;
}

}  // namespace ringcast::sim
