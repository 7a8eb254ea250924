# SPDX-License-Identifier: Apache-2.0
"""ringlog-publish fan-out on a pipe of frames, as mod_log_ringcast writes them: torn, damaged, stopped, killed."""

import fcntl
import os
import re
import signal
import struct

from farm import GROUP, Farm, lines, stop
from harness import expect, expect_equal, run, until

PART = 4096 - 6 - 12


def frame(kind, payload):
    return b"\x1eRC" + kind + struct.pack("<H", len(payload)) + payload


def packet(line, group=GROUP):
    return f"{group}\n{line}\n".encode()


def whole(line):
    return frame(b"W", packet(line))


def parts(line, process=1, number=1):
    """The frames of a long line."""
    text = packet(line)
    places = range(0, len(text), PART)
    kinds = b"F" + b"N" * (len(places) - 2) + b"L"
    return [frame(kinds[i:i + 1], struct.pack("<III", process, number, at) + text[at:at + PART])
            for i, at in enumerate(places)]


class Pipe:
    """A pipe both of whose ends stay here, as in the server's parent process."""

    def __init__(self, farm):
        self.farm = farm
        self.read_end, self.write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
        os.close(self.read_end)

    def close(self):
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1

    def write(self, *frames):
        for one in frames:
            expect_equal(os.write(self.write_end, one), len(one), "bytes the pipe took")

    def unread(self):
        return struct.unpack("i", fcntl.ioctl(self.read_end, 0x541B, b"\0" * 4))[0]  # FIONREAD

    def fan_out(self, *more):
        return self.farm.cluster.stream("d1", "fan-out", "--socket", self.farm.cluster.socket("d1"), *more,
                                        tool="ringlog-publish", stdin=self.read_end)


def test_lines_of_all_lengths_arrive_and_the_end_of_the_pipe_ends_it():
    with Farm(1) as farm, Pipe(farm) as pipe:
        one = farm.writer("d1", "one.log")
        long = ["l" * 10000, "m" * 200000]
        fan_out = pipe.fan_out("--max-line", "256k")
        for text in lines("a", 50):
            pipe.write(whole(text))
        for number, text in enumerate(long):
            for part in parts(text, process=5, number=number):
                until("there is room", lambda: pipe.unread() < 32768)
                pipe.write(part)
        farm.wait_lines("one.log", 52)
        pipe.close()
        expect_equal(fan_out.end(), 0, f"exit code; {fan_out.errors()}")
        expect_equal(farm.data("one.log"), lines("a", 50) + long, "lines")
        stop(one)


def test_half_frames_and_wrong_bytes_cost_what_they_were_and_are_told():
    with Farm(1) as farm, Pipe(farm) as pipe:
        one = farm.writer("d1", "one.log")
        pipe.write(whole("torn by the one before")[10:], whole("a 1"), b"nothing of ours", whole("a 2"))
        pipe.write(parts("x" * 9000)[1], parts("x" * 9000)[2], whole("a 3"))
        pipe.write(frame(b"W", b"no group"), frame(b"W", packet("y", group="no/group")), whole("a 4"))
        fan_out = pipe.fan_out()
        farm.wait_lines("one.log", 4)
        pipe.write(parts("z" * 9000)[0])
        pipe.close()
        expect_equal(fan_out.end(), 1, "exit code, since something was lost")
        expect_equal(farm.data("one.log"), lines("a", 4), "lines")
        said = fan_out.errors()
        expect("names no group of lines" in said and "2 packets on stdin were no lines" in said, said)
        told = sum(int(number) for number in re.findall(r"(\d+) packets on stdin came in part", said))
        expect_equal(told, 4, f"packets told as lost; {said}")
        stop(one)


def test_a_stop_waits_for_the_rest_of_a_long_line_and_leaves_the_others():
    with Farm(1) as farm, Pipe(farm) as pipe:
        one = farm.writer("d1", "one.log")
        frames = parts("l" * 9000)
        fan_out = pipe.fan_out("--linger", "2s")  # it looks no more before the stop
        pipe.write(whole("a 1") + frames[0])
        farm.wait_lines("one.log", 1)
        pipe.write(frames[1])
        fan_out.signal(signal.SIGTERM)
        until("it has read that part", lambda: pipe.unread() == 0)
        pipe.write(frames[2] + whole("a 2"))
        expect_equal(fan_out.end(), 0, f"exit code; {fan_out.errors()}")
        expect_equal(pipe.unread(), len(whole("a 2")), "bytes it left to the next one")
        second = pipe.fan_out()
        farm.wait_lines("one.log", 3)
        expect_equal(farm.data("one.log"), ["a 1", "l" * 9000, "a 2"], "lines")
        pipe.close()
        expect_equal(second.end(), 0, f"exit code of the next; {second.errors()}")
        stop(one)


def test_what_one_that_was_killed_had_not_read_goes_to_the_next():
    with Farm(1) as farm, Pipe(farm) as pipe:
        one = farm.writer("d1", "one.log")
        fan_out = pipe.fan_out()
        pipe.write(whole("a 1"))
        farm.wait_lines("one.log", 1)
        fan_out.signal(signal.SIGKILL)
        fan_out.end()
        pipe.write(whole("a 2"), *parts("l" * 9000), whole("a 3"))
        second = pipe.fan_out()
        farm.wait_lines("one.log", 4)
        pipe.close()
        expect_equal(second.end(), 0, f"exit code; {second.errors()}")
        expect_equal(farm.data("one.log"), ["a 1", "a 2", "l" * 9000, "a 3"], "lines")
        stop(one)


def test_other_inputs_are_refused_with_a_remedy():
    with Farm(1) as farm:
        refused = farm.cluster.stream("d1", "fan-out", tool="ringlog-publish")
        expect_equal(refused.end(), 2, "exit code")
        expect("reads frames from a pipe" in refused.errors() and "use --group" in refused.errors(), refused.errors())


if __name__ == "__main__":
    run(globals())
