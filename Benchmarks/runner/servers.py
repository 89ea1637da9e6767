"""Server processes: started on a port and on cores of their own, and ended by their pid."""

from __future__ import annotations

import os
import random
import resource
import shlex
import socket
import subprocess
import tempfile
import time
from collections import deque
from dataclasses import dataclass, field

START_SECONDS = 30
STOP_SECONDS = 3
PORTS = (10_000, 32_000)  # below the kernel's ephemeral ports: ip(7), ip_local_port_range


class Failure(Exception):
    """Something could not be measured; the message says what and why."""


def parse_peer(text: str) -> tuple[str, str]:
    """NAME=COMMAND, with {port} in the command."""
    name, separator, command = text.partition("=")
    if not separator or not name.strip() or not command.strip():
        raise Failure(f"--peer takes NAME=COMMAND, not {text!r}")
    if "{port}" not in command:
        raise Failure(f"the command of peer {name} has no {{port}}, where the port goes: {command!r}")
    return name.strip(), command.strip()


_lately_given: deque[int] = deque(maxlen=1000)  # whoever got one of these may not listen yet


def free_port() -> int:
    """
    A port that nobody listens on, and neither on the one after it, which a second server may want. Not one of those that
    the kernel gives to whoever connects: on a busy machine another has it before the server does.
    """
    while True:
        port = random.randrange(*PORTS) & ~1
        if port in _lately_given:
            continue
        with socket.socket() as probe, socket.socket() as next_probe:
            try:
                probe.bind(("", port))
                next_probe.bind(("", port + 1))
                _lately_given.append(port)
                return port
            except OSError:
                continue


def prepare_child(cores: set[int]) -> None:
    """In the child, before it becomes the program: its cores, and as many descriptors as it may have."""
    os.sched_setaffinity(0, cores)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@dataclass
class Server:
    name: str
    command: str
    cores: set[int]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it accepts connections."""
        self.launch()
        self.await_listening()

    def launch(self) -> None:
        self.output = tempfile.TemporaryFile()
        words = shlex.split(self.command.replace("{port}", str(self.port)))
        try:
            self.process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=self.output,
                stderr=subprocess.STDOUT,
                preexec_fn=lambda: prepare_child(self.cores),
            )
        except OSError as error:
            raise Failure(f"{self.name} cannot be started: {error}") from error

    def await_listening(self) -> None:
        """Waits until it accepts connections."""
        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Failure(f"{self.name} ended with {self.process.returncode}: {self.said()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.01)
        self.stop()
        raise Failure(f"{self.name} did not listen within {START_SECONDS} s: {self.said()}")

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def check(self) -> None:
        """Raises a failure when it has ended."""
        assert self.process is not None
        if self.process.poll() is not None:
            raise Failure(f"{self.name} ended under load with {self.process.returncode}: {self.said()}")

    def said(self) -> str:
        self.output.seek(0)
        return self.output.read().decode(errors="replace").strip()[-500:] or "it said nothing"

    def terminate(self) -> None:
        """Asks it to end; `stop` waits until it has."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
