"""Processes of Redis and Sentinel, each on a free port and with a folder of its own; none is a system's service."""

import contextlib
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.deadline import DEADLINE, eventually
from support.deployment import free_port
from support.process import is_stopped
from support.redis.resp import RefusedError, RespClient


class Daemon:
    """A process that listens on its port, in its folder, and may be ended, and started again, at any time."""

    program = None

    def __init__(self, folder):
        if shutil.which(self.program) is None:
            pytest.skip(f"there is no {self.program}: make test-packages installs it")
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = None
        self.password = None
        self.process = None

    def __enter__(self):
        while not self._begins_on(free_port()):
            pass  # somebody else was faster
        return self

    def __exit__(self, *_):
        self.kill()

    def _begins_on(self, port):
        self.port = port
        self.start()
        return eventually(lambda: self._can_answer() or self.process.poll() is not None, "Redis answers") == "answers"

    def _command(self):
        raise NotImplementedError

    def start(self, *options):
        command = [*self._command(), *options]
        with (self.folder / "log").open("ab") as log:
            streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
            self.process = subprocess.Popen(command, cwd=self.folder, **streams)

    def await_answers(self):
        """Until it answers, and has its data."""
        assert eventually(self._can_answer, "Redis answers")

    def _can_answer(self):
        with contextlib.suppress(OSError, EOFError), self.client(deadline=1) as client:
            client.send("PING")
            reply = client.read()
            return "" if getattr(reply, "text", "").startswith("LOADING") else "answers"
        return ""

    def kill(self):
        """With -9, if it runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait(DEADLINE)

    def suspend(self):
        self.process.send_signal(signal.SIGSTOP)
        eventually(lambda: is_stopped(self.process.pid), "Redis is suspended")

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def client(self, **options):
        return RespClient(self.port, **options)

    def call(self, *words):
        """One command on a connection of its own."""
        with self.client(password=self.password) as client:
            return client.call(*words)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")


class Redis(Daemon):
    """With a certificate (support/certificates.py) it has a port of TLS, too."""

    program = "redis-server"

    def __init__(self, folder, *, keeps_data=False, certificate=None, options=()):
        super().__init__(folder)
        self.tls_port = None
        self._certificate = certificate
        self._options = ("--appendonly", "yes" if keeps_data else "no", "--appendfsync", "always", *options)

    def _begins_on(self, port):
        if self._certificate is not None:
            self.tls_port = free_port()
        return super()._begins_on(port)

    def _secure_options(self):
        if self._certificate is None:
            return []
        files = ["--tls-cert-file", self._certificate.certificate, "--tls-key-file", self._certificate.key]
        return ["--tls-port", self.tls_port, "--tls-auth-clients", "no", *files]

    def _command(self):
        return [
            self.program,
            *("--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", str(self.socket_path)),
            *("--dir", str(self.folder), "--save", "", "--enable-debug-command", "yes"),
            *("--enable-protected-configs", "yes", "--repl-diskless-sync-delay", "0"),
            *map(str, [*self._secure_options(), *self._options]),
        ]

    @property
    def socket_path(self):
        # The address of a unix socket has 108 bytes at most, which a test's folder may be longer than.
        return self.folder / "s"

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def configure(self, name, value):
        self.call("CONFIG", "SET", name, value)

    def connections(self):
        """The data of each connection, as CLIENT LIST has them, without the asking one."""
        with self.client(password=self.password) as client:
            own = str(client.call("CLIENT", "ID"))
            lines = client.call("CLIENT", "LIST").decode().splitlines()
        all_of_them = [dict(field.partition("=")[::2] for field in line.split(" ")) for line in lines]
        return [each for each in all_of_them if each["id"] != own]

    def connections_of_members(self):
        """Those that have a name, as servers' connections have, and those of Sentinels."""
        return [each for each in self.connections() if each["name"] and not each["name"].startswith("sentinel-")]

    def close_connections(self, kind):
        """CLIENT KILL of all publishing connections ("normal") or all subscribed ones ("pubsub"). Returns how many."""
        return self.call("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")

    def role(self):
        return self.call("ROLE")[0].decode()

    def follow(self, master):
        """It is a replica of that from now on, and has its data."""
        self.call("REPLICAOF", "127.0.0.1", master.port)
        eventually(lambda: self.call("ROLE")[3] == b"connected", "the replica follows its master")


class RedisWithAClock(Redis):
    """Its clock, which is not the machine's, jumps when it is told to."""

    def __init__(self, folder, **options):
        super().__init__(folder, **options)
        self._time = folder / "time"
        self.jump(0)

    def _command(self):
        libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        if not libraries:
            pytest.skip("there is no libfaketime: make test-packages installs it")
        settings = {
            # With jemalloc, which asks for the time before the library is ready, it would wait for itself.
            "LD_PRELOAD": f"{libraries[0]} libc.so.6",
            "FAKETIME_TIMESTAMP_FILE": self._time,
            "FAKETIME_NO_CACHE": 1,
            "FAKETIME_DONT_FAKE_MONOTONIC": 1,
        }
        return ["env", *(f"{name}={value}" for name, value in settings.items()), *super()._command()]

    def jump(self, seconds):
        """To so many seconds ahead of the machine's, or behind if negative: at once, as one who sets a clock does it."""
        new = self._time.with_suffix(".new")
        new.write_text(f"{seconds:+d}s\n")
        new.replace(self._time)

    def ahead(self):
        """By how many seconds it says to be ahead."""
        return int(self.call("TIME")[0]) - time.time()


class Sentinel(Daemon):
    """Watches one master, by the name "main", and is quick to see that it is away."""

    program = "redis-sentinel"

    def __init__(self, folder, master, *, quorum=1):
        super().__init__(folder)
        self._master = master
        self._quorum = quorum

    def _begins_on(self, port):
        (self.folder / "sentinel.conf").write_text(
            f"port {port}\nbind 127.0.0.1\ndir {self.folder}\n"
            f"sentinel monitor main 127.0.0.1 {self._master.port} {self._quorum}\n"
            "sentinel down-after-milliseconds main 400\nsentinel failover-timeout main 4000\n"
        )
        if not super()._begins_on(port):
            return False
        # Its own intervals, which are seconds.
        for name in ("info-period", "publish-period", "ping-period", "ask-period", "election-timeout"):
            with contextlib.suppress(RefusedError):
                self.call("SENTINEL", "DEBUG", name, 100)
        return True

    def _command(self):
        return [self.program, str(self.folder / "sentinel.conf")]

    def master_port(self):
        return int(self.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")[1])

    def replica_ports(self):
        """The replicas that it could choose."""
        replies = self.call("SENTINEL", "REPLICAS", "main")
        replicas = [dict(zip(reply[::2], reply[1::2], strict=True)) for reply in replies]
        return {int(each[b"port"]) for each in replicas if each[b"master-link-status"] == b"ok"}
