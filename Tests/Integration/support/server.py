"""A server process: started, watched, and stopped in order."""

import os
import re
import signal
import subprocess
import threading
import time

from support.deadline import DEADLINE, eventually
from support.process import catches_signal, seconds_without_a_core
from support.secure import SecurePort

SANITIZER_REPORT = re.compile(r"ERROR: AddressSanitizer|ERROR: LeakSanitizer|runtime error:|WARNING: ThreadSanitizer")

# So that freed memory goes back to the system. The sanitizer would keep 256 MiB of it; and glibc would keep twice the
# largest piece that was ever freed, unless its thresholds are set, here to their initial values.
ENVIRONMENT = {
    "ASAN_OPTIONS": "quarantine_size_mb=4:detect_leaks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "MALLOC_TRIM_THRESHOLD_": "131072",
    "MALLOC_MMAP_THRESHOLD_": "131072",
}


class Lines:
    """The lines of a stream, gathered by a thread so that the process never waits for a reader."""

    def __init__(self, stream):
        self._lines = []
        self._has_ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._gather, args=(stream,), daemon=True)
        self._thread.start()

    def _gather(self, stream):
        with stream:
            for line in stream:
                with self._changed:
                    self._lines.append(line.rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def all(self):
        with self._changed:
            return list(self._lines)

    def text(self):
        return "\n".join(self.all())

    def wait_for(self, choose, deadline=DEADLINE):
        """Waits until `choose`, given all lines so far, returns something true; returns that, or None."""
        with self._changed:
            self._changed.wait_for(lambda: choose(self._lines) or self._has_ended, deadline)
            return choose(self._lines)

    def join(self):
        self._thread.join(DEADLINE)


class Server:
    """
    `with Server([program, flag, ...]) as server` runs it, and at the end stops it with SIGTERM and judges it. With an
    authority, its port is one of TLS (support/secure.py).
    """

    def __init__(self, command, announcement=r"listening on port (\d+)", environment=(), authority=None):
        self._process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
            env={**os.environ, **ENVIRONMENT, **dict(environment)},
        )
        self.pid = self._process.pid
        self.flags = [str(word) for word in command[1:]]
        self.output = Lines(self._process.stdout)
        self.errors = Lines(self._process.stderr)
        self.port = None
        self._is_stopping = False
        self._announcement = announcement
        self._authority = authority

    def __enter__(self):
        try:
            self._await_port()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind, exception, traceback):
        if kind is not None:
            self._end()
        else:
            self.stop()

    def _await_port(self):
        def announced(lines):
            return next((found for line in lines if (found := re.search(self._announcement, line))), None)

        found = self.output.wait_for(announced)
        assert found, f"the server did not start; it said: {self.errors.text()}"
        port = int(found.group(1))
        self.port = SecurePort(port, self._authority) if self._authority else port
        # It prints its port when it listens, which is before it runs and handles signals.
        eventually(lambda: catches_signal(self.pid, signal.SIGTERM), "the server can be stopped in order")

    def _end(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(DEADLINE)

    @property
    def is_running(self):
        return self._process.poll() is None

    def send_signal(self, number):
        self._is_stopping = True
        self._process.send_signal(number)

    def wait(self, deadline=DEADLINE):
        """Waits for the process to end by itself; returns its exit code, negative when a signal ended it."""
        try:
            code = self._process.wait(deadline)
        except subprocess.TimeoutExpired:
            self._end()
            raise AssertionError(f"the server did not end within {deadline} s") from None
        self.output.join()
        self.errors.join()
        assert not SANITIZER_REPORT.search(self.errors.text()), self.errors.text()
        return code

    def stop(self, number=signal.SIGTERM, deadline=DEADLINE):
        """Stops the server in order, unless that was begun, and judges it: exit code 0, no report of a sanitizer."""
        if self.is_running and not self._is_stopping:
            self.send_signal(number)
        code = self.wait(deadline)
        assert code == 0, f"exit code {code}; the server said: {self.errors.text()}"

    def seconds_to_stop(self, number=signal.SIGTERM):
        """How long that takes; what other programs take of the machine meanwhile does not count."""
        pids = (self.pid, os.getpid())
        others = seconds_without_a_core(*pids)
        start = time.monotonic()
        self.send_signal(number)
        # Not waited for yet: as long as that is so, the kernel tells of it.
        ended = os.WEXITED | os.WNOWAIT | os.WNOHANG
        eventually(lambda: os.waitid(os.P_PID, self.pid, ended), "the server ends")
        seconds = time.monotonic() - start - (seconds_without_a_core(*pids) - others)
        self.stop()
        return seconds


def run_to_end(command, environment=()):
    """Runs a server that must not start: returns its exit code and its standard error."""
    server = Server(command, environment=environment)
    code = server.wait()
    return code, server.errors.text()
