"""CPU time and memory of processes, and the memory of the kernel."""

from __future__ import annotations

from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """Of all threads that live."""
    spent = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            spent += int((task / "schedstat").read_text().split()[0])
        except OSError:
            continue
    return spent / 1e9


def kibibytes(text: str, key: str) -> int:
    """The value of a line such as `MemFree:  123 kB`."""
    for line in text.splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1])
    raise KeyError(key)


def private_bytes(pid: int) -> int:
    """Memory that is the process's own and was written to."""
    return kibibytes(Path(f"/proc/{pid}/smaps_rollup").read_text(), "Private_Dirty") * 1024


def kernel_bytes() -> int:
    """Memory that the kernel uses for objects of its own, sockets and what belongs to them included."""
    text = Path("/proc/meminfo").read_text()
    return sum(kibibytes(text, key) for key in ("Slab", "KernelStack", "PageTables", "Percpu")) * 1024 + socket_pages()


def socket_pages() -> int:
    """Bytes of the pages that TCP sockets have for data."""
    for line in Path("/proc/net/sockstat").read_text().splitlines():
        if line.startswith("TCP:"):
            words = line.split()
            return int(words[words.index("mem") + 1]) * 4096
    return 0
