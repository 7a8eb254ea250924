# SPDX-License-Identifier: Apache-2.0
"""nginx, HAProxy, rsyslog and Apache as Debian has them, with the configurations of conf/examples: each line
arrives exactly as the server would have written it to a file."""

import contextlib
import os
import socket
import subprocess

from apache import as_somebody
from farm import GROUP, Farm, stop
from harness import Failure, die_with_parent, expect, expect_equal, installed, program, run, until

EXAMPLES = os.path.join(os.path.dirname(__file__), "..", "..", "conf", "examples")
REQUESTS = ["/", "/a?b=c&d=%20", '/with"quote', "/" + "x" * 3000, "/b: c [d]", "/last"]


def example(name, **paths):
    """An example's text with other paths in it; each must stand there."""
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
        text = file.read()
    for old, new in paths.values():
        expect(old in text, f"{name} names {old}")
        text = text.replace(old, new)
    return text


@contextlib.contextmanager
def server(farm, name, text, *words, log="server.err", stdout=subprocess.DEVNULL):
    """A server with that configuration, in the foreground."""
    path = farm.path(f"{name}.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    with open(farm.path(log), "wb") as errors:
        process = subprocess.Popen([word.replace("FILE", path) for word in words], stdin=subprocess.DEVNULL,
                                   stdout=stdout, stderr=errors, preexec_fn=die_with_parent, cwd=farm.folder)
    try:
        yield process
    except BaseException:
        with open(farm.path(log), encoding="utf-8", errors="replace") as errors:
            print(f"--- {name}:", errors.read()[-2000:])
        raise
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def get(path, request):
    """One request over a unix socket; the whole answer."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(f"GET {request} HTTP/1.0\r\nHost: web\r\nUser-Agent: t: e [s] \"t\r\n\r\n".encode())
        answer = b""
        while part := client.recv(65536):
            answer += part
    return answer


def can_connect(path):
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(path) == 0


def syslog_publisher(farm, *addresses):
    words = [word for address in addresses for word in ("--syslog", address)]
    publisher = farm.publisher("d1", *words)
    publisher.process.stdin.close()
    for address in addresses:
        kind, path = address.split(":", 1)
        if kind == "unix":
            until(f"{path} is there", lambda p=path: os.path.exists(p) or publisher.process.poll() is not None)
    return publisher


def nginx_configuration(farm, access_log):
    """Everything below the farm's folder; the same log to a file, for comparison."""
    return (f"daemon off; master_process off; pid {farm.path('nginx.pid')}; error_log stderr;\n"
            f"events {{ }}\nhttp {{\n"
            + "".join(f"{kind}_temp_path {farm.path(kind)};\n"
                      for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            + f"server {{ listen unix:{farm.path('nginx.sock')}; large_client_header_buffers 4 16k;\n"
            f"{access_log}\naccess_log {farm.path('nginx.log')} combined;\nreturn 200 ok; }} }}\n")


def read(farm, name):
    with open(farm.path(name), encoding="utf-8") as file:
        return file.read().splitlines()


def ask_nginx(farm):
    until("nginx listens", lambda: os.path.exists(farm.path("nginx.sock")) and can_connect(farm.path("nginx.sock")))
    before = len(read(farm, "nginx.log"))
    for request in REQUESTS:
        get(farm.path("nginx.sock"), request)
    return read(farm, "nginx.log")[before:]


def expect_lines(farm, wanted, what):
    until(f"all lines of {what} are there", lambda: len(farm.data("one.log")) >= len(wanted))
    expect_equal(farm.read("one.log"), wanted, what)
    expect(max(map(len, wanted)) > 3000, "a long line was among them")


def test_a_missing_program_fails_and_says_what_brings_it():
    try:
        installed("no-such-server")
    except Failure as failure:
        expect("install-dependencies.sh --test" in str(failure), str(failure))
        return
    raise Failure("a program that is not there was found")


def test_nginx_by_syslog():
    nginx = installed("nginx")
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        log = farm.path("log.sock")
        publisher = syslog_publisher(farm, f"unix:{log}")
        access_log = example("nginx.conf", socket=("/run/ringlog/syslog.sock", log))
        with server(farm, "nginx", nginx_configuration(farm, access_log), nginx, "-c", "FILE"):
            until("nginx listens", lambda: os.path.exists(farm.path("nginx.sock")))
            wanted = ask_nginx(farm)
            expect_lines(farm, read(farm, "nginx.log"), "nginx")
            expect(len(wanted) == len(REQUESTS), "a line for each request")
        expect_equal(stop(publisher)["syslog_invalid"], 0, "messages that are none")
        stop(one)


def haproxy_configuration(farm, text):
    return (text + "\nfrontend web\n"
            f"    bind unix@{farm.path('haproxy.sock')}\n"
            "    log stdout len 65535 format raw local0\n"
            "    option logasap\n"
            "    http-request return status 200 content-type text/plain string ok\n")


def requests_in(log):
    """Without what it says of its start."""
    return [line for line in log if line.startswith("unix:")]


def test_haproxy_by_syslog():
    haproxy = installed("haproxy")
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        log = farm.path("log.sock")
        publisher = syslog_publisher(farm, f"unix-stream:{log}")
        text = example("haproxy.cfg", socket=("/run/ringlog/syslog-stream.sock", log))
        # One thread: two may write to the file and to the socket in different order.
        text = text.replace("global\n", "global\n    nbthread 1\n    tune.bufsize 32768\n", 1)
        with open(farm.path("haproxy.log"), "wb") as stdout, \
                server(farm, "haproxy", haproxy_configuration(farm, text),
                       haproxy, "-db", "-f", "FILE", stdout=stdout):
            until("HAProxy listens",
                  lambda: os.path.exists(farm.path("haproxy.sock")) and can_connect(farm.path("haproxy.sock")))
            for request in REQUESTS:
                get(farm.path("haproxy.sock"), request)
            until("HAProxy has logged", lambda: any("/last" in line for line in read(farm, "haproxy.log")))
            until("all lines are there", lambda: any("/last" in line for line in farm.data("one.log")))
        wanted = requests_in(read(farm, "haproxy.log"))
        expect_equal(requests_in(farm.data("one.log")), wanted, "the file")
        expect(max(map(len, wanted)) > 3000, "a long line was among them")
        summary = stop(publisher)
        expect_equal((summary["syslog_invalid"], summary["syslog_suspected_cuts"]), (0, 0), "the summary")
        stop(one)


def test_haproxy_that_cuts_is_noticed():
    haproxy = installed("haproxy")
    with Farm(1) as farm:
        log = farm.path("log.sock")
        publisher = syslog_publisher(farm, f"unix:{log}")
        long = "log ring@ringlog len 65535 local0"
        text = example("haproxy.cfg", target=(long, f"log {log} format rfc3164 local0"))
        text = text.replace("global\n", "global\n    tune.bufsize 32768\n", 1)
        with server(farm, "haproxy", haproxy_configuration(farm, text), haproxy, "-db", "-f", "FILE"):
            until("HAProxy listens",
                  lambda: os.path.exists(farm.path("haproxy.sock")) and can_connect(farm.path("haproxy.sock")))
            for _ in range(3):
                get(farm.path("haproxy.sock"), "/" + "x" * 3000)
            until("it is told", lambda: "seems to cut" in publisher.errors())
        expect_equal(stop(publisher)["syslog_suspected_cuts"], 3, "the summary")


def test_nginx_through_rsyslog():
    nginx, rsyslogd = installed("nginx"), installed("rsyslogd")
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        local, forwarded = farm.path("local.sock"), farm.path("forwarded.port")
        port = "5514"
        publisher = syslog_publisher(farm, f"tcp:127.0.0.1:{port}")
        head = (f'global(workDirectory="{farm.folder}")\n'
                f'module(load="imuxsock" SysSock.Use="off")\ninput(type="imuxsock" Socket="{local}"'
                ' useSpecialParser="off" parseHostname="on")\n')
        # The file sets the size of messages, which must stand before inputs.
        text = example("rsyslog.conf")
        limit = next(line for line in text.splitlines() if line.startswith("global("))
        text = limit + "\n" + head + text.replace(limit, "")
        access_log = example("nginx.conf", socket=("/run/ringlog/syslog.sock", local), hostname=(",nohostname", ""))
        inside_host = ["nsenter", "--net=/run/netns/d1"]
        with server(farm, "rsyslog", text, *inside_host, rsyslogd, "-n", "-f", "FILE", "-i", forwarded,
                    log="rsyslog.err"):
            until("rsyslog listens", lambda: os.path.exists(local))
            with server(farm, "nginx", nginx_configuration(farm, access_log), nginx, "-c", "FILE"):
                until("nginx listens", lambda: os.path.exists(farm.path("nginx.sock")))
                ask_nginx(farm)
                expect_lines(farm, read(farm, "nginx.log"), "nginx through rsyslog")
        expect_equal(stop(publisher)["syslog_invalid"], 0, "messages that are none")
        stop(one)


def test_apache_by_its_pipe():
    apache2 = installed("apache2")
    modules = "/usr/lib/apache2/modules"
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        toml = farm.path("apache.toml")
        with open(toml, "w", encoding="utf-8") as file:
            file.write(example("apache.toml", spool=("/var/spool/ringlog/apache", farm.path("spool")),
                               group=('"weblogs"', f'"{GROUP}"')) + f'socket = ["{farm.cluster.socket("d1")}"]\n')
        custom_log = example("apache.conf", toml=("/etc/ringlog/apache.toml", toml),
                             program=("/usr/local/bin/ringlog-publish", program("ringlog-publish")))
        text = ("".join(f"LoadModule {name}_module {modules}/mod_{name}.so\n"
                        for name in ("mpm_event", "authz_core", "alias", "unixd") if
                        os.path.exists(f"{modules}/mod_{name}.so"))
                + f"ServerName web\nServerRoot {farm.folder}\nPidFile {farm.path('apache.pid')}\n"
                f"Mutex file:{farm.folder}\nErrorLog {farm.path('apache.err')}\nListen 127.0.0.1:8080\n"
                f"DocumentRoot {farm.folder}\nRedirect 404 /\n"
                'LogFormat "%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined\n'
                f"CustomLog {farm.path('apache.log')} combined\n" + custom_log)
        os.chmod(farm.folder, 0o777)
        # Apache refuses to be root; of the group of the daemon's socket it is still.
        user = as_somebody() or ["setpriv", "--reuid=www-data", "--regid=0", "--clear-groups"]
        with server(farm, "apache", text, *user, apache2, "-X", "-f", "FILE", log="apache.out"):
            until("Apache listens", lambda: subprocess.run(
                ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080"], capture_output=True, check=False).returncode == 0)
            for request in REQUESTS:
                with socket.create_connection(("127.0.0.1", 8080)) as client:
                    client.sendall(f"GET {request} HTTP/1.0\r\nUser-Agent: t: \"e\r\n\r\n".encode())
                    while client.recv(65536):
                        pass
            until("Apache has logged", lambda: sum('"GET ' in line for line in read(farm, "apache.log"))
                  >= len(REQUESTS))
            wanted = read(farm, "apache.log")
            expect_lines(farm, wanted, "Apache")
        stop(one)


if __name__ == "__main__":
    run(globals())
