"""The kernel's data about a process, and stopping a process."""

import contextlib
import os
import signal
from pathlib import Path

from support.deadline import eventually


def descriptor_count(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def cpu_seconds(pid):
    """User and system time so far: fields 14 and 15 of proc(5), counted after the name, which may hold spaces."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _status(pid, name):
    """A field of /proc/PID/status, proc(5)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return line.split()[1]
    raise AssertionError(f"the kernel tells no {name}")


def peak_memory(pid):
    """The most bytes that were ever resident."""
    return int(_status(pid, "VmHWM")) * 1024


def reset_peak_memory(pid):
    """From now on peak_memory returns the most resident memory since this call: proc(5), clear_refs."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def resident_memory(pid):
    """Bytes that are resident now."""
    return int(_status(pid, "VmRSS")) * 1024


def address_space(pid):
    """Bytes of address space, which is what RLIMIT_AS limits."""
    return int(_status(pid, "VmSize")) * 1024


def seconds_without_a_core(*pids):
    """
    How long their main threads, and bridges (servers/bridge.c), could have run, had others not had the machine's cores:
    proc(5), schedstat. Where the machine is a virtual one, its host lets others have them, too: stat.
    """
    tasks = [task for pid in pids for task in Path(f"/proc/{pid}/task").iterdir()]
    waiting = [task for task in tasks if task.name == task.parent.parent.name or _is_bridge(task)]
    stolen = int(Path("/proc/stat").read_text().split(maxsplit=9)[8]) / os.sysconf("SC_CLK_TCK")
    return stolen + sum(int((task / "schedstat").read_text().split()[1]) for task in waiting) / 1e9


def has_bridge(pid):
    """Whether clients of this process are behind a bridge of it."""
    return any(map(_is_bridge, Path(f"/proc/{pid}/task").iterdir()))


def _is_bridge(task):
    with contextlib.suppress(OSError):  # where the thread has ended
        return (task / "comm").read_text() == "bridge\n"
    return False


def is_stopped(pid):
    """Whether SIGSTOP has taken effect."""
    return _status(pid, "State") == "T"


@contextlib.contextmanager
def stopped(pid):
    """The process gets no time, as when its machine is suspended."""
    os.kill(pid, signal.SIGSTOP)
    try:
        eventually(lambda: is_stopped(pid), "the process stops")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def catches_signal(pid, number):
    """Whether the process has a handler of its own for this signal."""
    return bool(int(_status(pid, "SigCgt"), 16) >> (number - 1) & 1)


def _sockets(pid):
    """What its descriptors are that are sockets: "socket:[INODE]"; none once it has ended."""
    sockets = set()
    with contextlib.suppress(OSError):
        for file in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                sockets.add(os.readlink(file))
    return {each for each in sockets if each.startswith("socket:")}


def _listeners():
    """The rows of net/tcp of all sockets that listen on TCP, by what a descriptor of one is: proc(5)."""
    lines = [line for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {f"socket:[{row[9]}]": row for row in map(str.split, lines) if row[3] == "0A"}


def listening_ports(pid):
    """The TCP ports that it listens on."""
    listeners = _listeners()
    listening = [listeners[each] for each in _sockets(pid) & listeners.keys()]
    return sorted({int(row[1].rpartition(":")[2], 16) for row in listening})


def connection_count(pid):
    """How many connections it has that it accepted by TCP, those that their clients have ended included."""
    local = {f"socket:[{line.split()[6]}]" for line in Path("/proc/net/unix").read_text().splitlines()[1:]}
    return len(_sockets(pid) - local - _listeners().keys())


def descriptors_without_clients(pid):
    """
    How many descriptors a server has for itself. Clients of before that have left are waited for: they count until the
    server has seen it, which is any time later.
    """
    eventually(lambda: connection_count(pid) == 0, "the clients of before are gone")
    return descriptor_count(pid)
