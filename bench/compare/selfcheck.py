# SPDX-License-Identifier: Apache-2.0
"""Are faults found out, from end to end? Bare UDP with three senders on hosts that lose packets
has no order and loses messages: judged as a system that promises both, it must fail for both."""

from harness import expect
from session import Load, Session
from systems import CONTENDERS, Udp

LOSS_PERCENT = 2


class Boaster(Udp):
    ordered = True
    lossy = False


def run():
    honest = CONTENDERS["udp-sendto-recv-unicast"]
    boaster = Boaster("boaster", "udp", honest.transport, options=honest.options)
    with Session(boaster, 3) as session:
        session.hosts.lose(LOSS_PERCENT)
        # All that is under way at the end may be lost, too: clients need not wait long for it.
        load = Load(bytes=100, senders=3, window=50, warm_up=0.1, seconds=0.5, patience=1.0)
        text = "; ".join(session.run(load)["problems"])
    expect("missing" in text, f"2 % of all packets are lost, and no message is missed: {text}")
    expect("different orders" in text, f"nobody orders, and all see one order: {text}")
    print(f"self-check: a system without order on a lossy network is found out: {text[:160]}")
