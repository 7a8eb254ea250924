# SPDX-License-Identifier: Apache-2.0
"""What is done to the farm under load. Each fault lasts until that many lines have come meanwhile."""

from hosts import DAEMONS, USERS

from harness import until

LINE_BYTES = 150  # of the shortest line, about
AWAY = ["lb2", "web4", "web6", "db2"]  # whom the cut takes away: less than half, with a web server and a logger


class Faults:
    def __init__(self, farm, lines):
        self.farm, self.hosts, self.lines = farm, farm.hosts, lines

    def wait_growth(self, logger):
        """Lines arrive at that logger."""
        before = logger.size()
        until(f"{self.lines} further lines at {logger.host}", lambda: logger.size() - before >= self.lines * LINE_BYTES)

    def wait_ring(self, hosts, count):
        for host in hosts:
            self.hosts.wait_members(host, count)

    def calm(self):
        for logger in self.farm.loggers.values():
            self.wait_growth(logger)

    def kill_logger(self, host):
        logger, other = self._pair(host)
        logger.kill()
        self.wait_growth(other)
        logger.start()
        self.wait_growth(logger)

    def kill_daemon(self, host):
        self.hosts.kill(host)
        others = [name for name in DAEMONS if name != host]
        self.wait_ring(others[:1], len(others))
        logger = next(logger for logger in self.farm.loggers.values() if logger.host != host)
        self.wait_growth(logger)
        self.hosts.start(host)
        self.wait_ring(DAEMONS, len(DAEMONS))

    def crash_database(self, host):
        logger = self.farm.loggers[host]
        logger.server.stop()
        self.wait_growth(logger)
        logger.server.start()

    def take_host_down(self, host):
        """Its cable, its daemon and all else on it, at once."""
        part = self.farm.servers.get(host) or self.farm.loggers[host]
        self.hosts.link(host, "down")
        part.go_down()
        self.hosts.kill(host)
        self.wait_ring([name for name in DAEMONS if name != host], len(DAEMONS) - 1)
        for logger in self.farm.loggers.values():
            if logger is not part:
                self.wait_growth(logger)
        self.hosts.link(host, "up")
        self.hosts.start(host)
        part.start()
        self.wait_ring(DAEMONS, len(DAEMONS))

    def cut(self):
        here = [name for name in DAEMONS if name not in AWAY]
        logger, other = self.farm.loggers["db1"], self.farm.loggers["db2"]
        self.hosts.partition([*here, USERS[0]], [*AWAY, USERS[1]])
        self.wait_ring(here, len(here))
        self.wait_ring(AWAY, len(AWAY))
        self.wait_growth(logger)
        until(f"{self.lines} lines set aside at {other.host}",
              lambda: other.pending_size() >= self.lines * LINE_BYTES)
        self.hosts.partition(DAEMONS + USERS)
        self.wait_ring(DAEMONS, len(DAEMONS))
        until(f"{other.host} has nothing set aside any more", lambda: not other.pending())

    def _pair(self, host):
        loggers = self.farm.loggers
        return loggers[host], next(logger for name, logger in loggers.items() if name != host)
