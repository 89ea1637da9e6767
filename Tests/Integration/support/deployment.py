"""The recipes of the guide Deployment.md, with the ports and paths of a test, and what they are tried with."""

import collections
import contextlib
import functools
import os
import random
import re
import shlex
import signal
import socket
import ssl
import subprocess
import tempfile
from pathlib import Path

from support.deadline import DEADLINE, eventually
from support.process import catches_signal
from support.programs import DEPLOYED, ROOT
from support.raw import RawConnection, upgrade_request
from support.server import Server

GUIDE = ROOT / "Sources/JazzySwift/JazzySwift.docc/Deployment.md"

# Below the kernel's ephemeral ports: ip(7), ip_local_port_range. Nobody who connects is given one of them.
PORTS = (10_000, 32_000)

# How many files of tests may run at a time.
WORKERS = 8

# Seconds for a build of the library and a program.
BUILD_DEADLINE = 900


def blocks(language):
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)


def recipe(title, **changes):
    """The block that begins with this comment; `changes`: lists of pairs, each of which must occur, and is replaced."""
    text = next(block for block in blocks(r"\w+") if block.startswith(f"# {title}\n"))
    for old, new in changes.get("replace", ()):
        assert old in text, f"{title} has no {old!r}"
        text = text.replace(old, str(new))
    return text


def command(text):
    """The words of a command that is a block of its own."""
    assert f"{text}\n" in blocks("sh"), f"the guide has no block {text!r}"
    return shlex.split(text)


def environment(title, **changes):
    """The variables of a block."""
    return dict(re.findall(r"^(\w+)=(.*)$", recipe(title), re.MULTILINE)) | {
        name: str(value) for name, value in changes.items()
    }


_lately_given = collections.deque(maxlen=1000)  # whoever got one of these may not listen yet


def free_port():
    """A port that nobody listens on, and that no other caller gets; those of files that run at the same time neither."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    while True:
        port = random.randrange(*PORTS) // WORKERS * WORKERS + worker % WORKERS
        if port in _lately_given:
            continue
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("", port))
            _lately_given.append(port)
            return port


def is_listening(address):
    """Whether somebody listens on a port, or on the Unix domain socket with this path."""
    family, target = (socket.AF_INET, ("127.0.0.1", address)) if isinstance(address, int) else (socket.AF_UNIX, address)
    with socket.socket(family) as probe:
        return probe.connect_ex(target) == 0


@contextlib.contextmanager
def reachable_folder():
    """A new folder with a short path that every user can reach, as servers with users of their own must."""
    with tempfile.TemporaryDirectory(prefix="jazzy-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


class Deployed(Server):
    """The program of the guide with an environment; it says nothing when it listens."""

    def __init__(self, variables, command=(DEPLOYED,), address=None):
        super().__init__(command, environment=variables)
        listen = variables["LISTEN"]
        self._address = address or (int(listen) if listen.isdecimal() else listen)

    @property
    def program(self):
        """The process of the program; None as long as there is none."""
        return self.pid

    def _await_port(self):
        def has_come():
            assert self.is_running, f"the program ended; it said: {self.errors.text()}"
            return is_listening(self._address) and self.program and catches_signal(self.program, signal.SIGTERM)

        eventually(has_come, "the program listens, and can be stopped in order")
        self.port = self._address


class Contained(Deployed):
    """
    The program /app in a folder of which it sees nothing else but /proc, as process 1 of its own number space: what a
    container is, apart from networks and limits.
    """

    _ENTER = """
    mkdir -p "$0/proc" && mount -t proc proc "$0/proc"
    exec chroot ${1:+--userspec="$1"} "$0" /app
    """

    def __init__(self, folder, variables, user=""):
        namespaces = "--mount --pid --fork --kill-child".split() + ([] if is_superuser() else ["--map-root-user"])
        command = ["unshare", *namespaces, "sh", "-c", self._ENTER, folder, user]
        super().__init__(variables, command)

    @property
    def program(self):
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def send_signal(self, number):
        self._is_stopping = True
        os.kill(self.program, number)


class Front:
    """A program in front of the server, such as a proxy. It ends with the test."""

    def __init__(self, command, port):
        self.port = port
        self._log = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )
        self.pid = self._process.pid

    def __enter__(self):
        try:
            eventually(self._has_come, "the proxy listens")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_):
        self._end()

    def _end(self):
        self._process.terminate()
        try:
            self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _has_come(self):
        assert self._process.poll() is None, f"it ended; it said: {self.text()}"
        return is_listening(self.port)

    def text(self):
        self._log.seek(0)
        return self._log.read()


class Certificate:
    """A certificate for localhost that vouches for itself: in `certificate` and `key`, and both in `both`."""

    def __init__(self, folder):
        self.certificate, self.key, self.both = (folder / f"localhost.{end}" for end in ("crt", "key", "pem"))
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 2 -subj /CN=localhost"
        command = [*command.split(), "-addext", "subjectAltName=DNS:localhost", "-out", self.certificate]
        subprocess.run([*command, "-keyout", self.key], check=True, capture_output=True, timeout=50)
        self.both.write_text(self.certificate.read_text() + self.key.read_text())


class SecureConnection(RawConnection):
    """A raw connection within TLS; `source`: the address that it comes from."""

    def __init__(self, port, authority, source="127.0.0.1"):
        super().__init__(port)
        self.socket.close()
        plain = socket.create_connection(("127.0.0.1", port), DEADLINE, source_address=(source, 0))
        self.socket = ssl.create_default_context(cafile=authority).wrap_socket(plain, server_hostname="localhost")

    def upgrade(self, path="/echo", **headers):
        """Asks for a WebSocket, and returns the response."""
        self.send(upgrade_request(path, **headers))
        return self.read_response()


class UnixConnection(RawConnection):
    """A raw connection to the Unix domain socket with this path."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(str(path))
        self._received = bytearray()


@functools.cache
def static_program(build, product="deployed"):
    """Builds an example, that of the guide, by one of the guide's commands, in a folder that the next run reuses."""
    scratch = ROOT / ".build-static"
    place = ["--package-path", ROOT / "Examples", "--scratch-path", scratch, "--disable-build-manifest-caching"]
    words = [*command(build), "--product", product, *place]
    result = subprocess.run(words, capture_output=True, text=True, timeout=BUILD_DEADLINE)
    assert result.returncode == 0, result.stdout + result.stderr
    return (scratch / "release" / product).read_bytes()


def put_program(path, program):
    path.write_bytes(program)
    path.chmod(0o755)
    return path


def needed_libraries(path):
    """The shared libraries that a program needs, by the names that its dynamic section gives them."""
    result = subprocess.run(["readelf", "--dynamic", path], check=True, capture_output=True, text=True, timeout=50)
    return set(re.findall(r"\(NEEDED\).*\[(.*?)\]", result.stdout))


def is_superuser():
    return os.geteuid() == 0
