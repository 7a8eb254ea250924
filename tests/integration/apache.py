# SPDX-License-Identifier: Apache-2.0
"""A real Apache with mod_log_ringcast, its configuration and files in a folder of its own."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

from harness import BIN, OUTPUT, PATIENCE, die_with_parent, expect, installed, program, until

MODULES = "/usr/lib/apache2/modules"
MODULE = os.path.join(BIN, "../modules/mod_log_ringcast.so")
PORT = 8080

# Small servers, so that children come and go within a test.
MPM = {
    "prefork": "StartServers 3\nMinSpareServers 3\nMaxSpareServers 6\nMaxRequestWorkers 12\n",
    "event": "StartServers 2\nServerLimit 4\nThreadsPerChild 8\nMinSpareThreads 8\nMaxSpareThreads 32\n"
             "MaxRequestWorkers 32\n",
}


class Apache:
    """The server; `config` is what a test adds to the common part."""

    def __init__(self, mpm, config):
        self.folder = tempfile.mkdtemp(prefix="ra-")
        os.chmod(self.folder, 0o755)
        os.makedirs(self.path("www"))
        with open(self.path("www/page"), "w", encoding="utf-8") as file:
            file.write("a page\n")
        self.mpm, self.process = mpm, None
        self.configure(config)

    def configure(self, config):
        installed("apxs")
        expect(os.path.exists(MODULE), f"{MODULE} is not there: configure and build where apxs is")
        modules = [f"mpm_{self.mpm}", "authz_core", "setenvif"]
        loads = [f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in modules]
        text = "\n".join([
            f"ServerRoot {self.folder}", f"DefaultRuntimeDir {self.folder}", "PidFile pid", "ServerName test.example",
            f"Listen 127.0.0.1:{PORT}", *loads, MPM[self.mpm], "User www-data", "Group www-data", "ErrorLog error.log",
            "LogLevel info", f"DocumentRoot {self.folder}/www", "KeepAlive On", "MaxKeepAliveRequests 0",
            f"LoadModule log_ringcast_module {MODULE}", f"RingcastPublisher {program('ringlog-publish')}",
            'LogFormat "%h %l %u %t \\"%r\\" %>s %b" common', config]) + "\n"
        with open(self.path("apache.conf"), "w", encoding="utf-8") as file:
            file.write(text)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.stop(check=False)
        # The publisher is in a process group of its own, which ends with the server.
        if kind is not None:
            print(f"--- error log\n{self.errors()[-3000:]}")
            if OUTPUT:
                shutil.copytree(self.folder, os.path.join(OUTPUT, os.path.basename(self.folder)), dirs_exist_ok=True)
        self.remove()

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def words(self, *more):
        return [*as_somebody(), installed("apache2"), "-f", self.path("apache.conf"), "-d", self.folder, *more]

    def check(self):
        """`apachectl configtest`: exit code and what it says."""
        done = subprocess.run(self.words("-t"), capture_output=True, text=True, check=False, timeout=PATIENCE)
        return done.returncode, done.stderr

    def start(self):
        with open(self.path("stderr"), "ab") as file:
            # In a session of its own: at its end it signals all its process group.
            self.process = subprocess.Popen(self.words("-DFOREGROUND"), preexec_fn=die_with_parent, stderr=file,
                                            stdin=subprocess.DEVNULL, start_new_session=True)
        until("Apache is up", self.is_up)

    def is_up(self):
        """It says so when it answers and is ready for signals."""
        expect(self.process.poll() is None, f"Apache ended: {self.errors()[-2000:]}")
        return "resuming normal operations" in self.errors()

    def errors(self):
        """What it said before it had an error log, and the error log."""
        return "\n".join(self.read("stderr") + self.read("error.log"))

    def read(self, name):
        if not os.path.exists(self.path(name)):
            return []
        with open(self.path(name), encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()

    def graceful(self):
        """Restarts it while requests go on; returns when the new children are there."""
        before = self.errors().count("resuming normal operations")
        self.process.send_signal(signal.SIGUSR1)
        until("the restart", lambda: self.errors().count("resuming normal operations") > before)

    def stop(self, number=signal.SIGTERM, check=True):
        self.process.send_signal(number)
        self.process.wait(PATIENCE)
        if check:
            expect(self.process.returncode == 0, f"Apache ended with {self.process.returncode}: {self.errors()[-2000:]}")

    def publishers(self, word):
        """Pids of the publishers below this server whose command line has the word."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().decode().split("\0")
                if "ringlog-publish" in words[0] and word in words and self.owns(int(pid)):
                    found.append(int(pid))
        return found

    def children(self):
        """Pids of the processes that answer requests."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="utf-8") as file:
            pids = [int(pid) for pid in file.read().split()]
        return [pid for pid in pids if pid not in self.publishers("fan-out")]

    def owns(self, pid):
        while pid > 1:
            if pid == self.process.pid:
                return True
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                pid = int(file.read().rsplit(")", 1)[1].split()[1])
        return False

    # Requests.

    def get(self, names, threads=4, seconds=PATIENCE):
        """Asks for /page?NAME for each name, on kept connections; all must be answered in time."""
        names = list(names)
        problems = []

        def client(part):
            try:
                link = http.client.HTTPConnection("127.0.0.1", PORT, timeout=seconds)
                for name in part:
                    self.get_one(link, name)
            except (OSError, http.client.HTTPException) as error:
                problems.append(error)
        running = [threading.Thread(target=client, args=(names[n::threads],)) for n in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join(seconds)
            expect(not thread.is_alive(), f"requests are not answered within {seconds} s")
        expect(not problems, f"requests failed: {problems}")

    @staticmethod
    def get_one(link, name):
        try:
            link.request("GET", f"/page?{name}")
            answer = link.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            # A graceful restart closes kept connections between requests: this one was not read.
            link.close()
            link.request("GET", f"/page?{name}")
            answer = link.getresponse()
        answer.read()
        expect(answer.status == 200, f"status {answer.status} for {name}")

    @staticmethod
    def ask(request):
        """One request as raw bytes; the first line of the answer."""
        with socket.create_connection(("127.0.0.1", PORT), PATIENCE) as link:
            link.sendall(request)
            link.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := link.recv(65536):
                answer += piece
        return answer.split(b"\r\n", 1)[0].decode()


def as_somebody():
    """Where root's rights end at the namespace, Apache cannot become another user: it is one from the start."""
    with open("/proc/self/uid_map", encoding="utf-8") as file:
        count = int(file.read().split()[2])
    return [] if count > 1 else ["unshare", "-U", "--map-user=1000", "--map-group=1000"]


def asked(lines):
    """The names in access-log lines of requests made by get()."""
    return [line.split("/page?", 1)[1].split(" ", 1)[0] for line in lines if "/page?" in line]
