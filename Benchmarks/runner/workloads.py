"""The workloads: each has a list of servers, with loads on them, that are compared with each other."""

from __future__ import annotations

from dataclasses import dataclass, replace

FLOOR, C, SWIFT = "floor", "Jazzy, C", "Jazzy, Swift"
ISAL, ISAL_FAST = f"{C}, ISA-L", f"{C}, ISA-L, level 1"
FLOOR_KEEPING = "floor, buffers kept"
UWS = "uWebSockets"  # the peer that goals are about

RELEASE = "build/release"
ISAL_RELEASE = "build/isal/release"
SWIFT_RELEASE = ".build/release"
# How much more often the workloads are measured whose figures are near their limits: what goals are about.
NEAR_A_LIMIT = 3
# What servers with TLS have to be given; Scripts/bench.mk makes the files.
SECRETS = "--certificate build/bench-tls/certificate.pem --key build/bench-tls/key.pem"


@dataclass(frozen=True)
class Run:
    """A load on a server."""

    label: str
    command: str
    load: tuple[str, ...]
    server_cores: frozenset[int] = frozenset({0})
    warm_up: float | None = None  # where not as long as usual
    is_in_goals: bool = True  # others take part in as many rounds as an interval needs, and no more


@dataclass(frozen=True)
class Workload:
    key: str
    title: str
    unit: str  # what a message is
    runs: tuple[Run, ...]
    rounds: int | None = None  # where not as many as usual
    factor: int = 1  # so many times as many as usual, for what goals are about
    # By which to find out first at which {rate} the servers are busy for half of the time; it is also that of the runs.
    capacity: tuple[str, ...] = ()
    seconds: float | None = None  # of each reading, where not as many as usual


@dataclass(frozen=True)
class Peer:
    name: str
    command: str  # with {port}
    deflate_command: str | None = None  # agreeing on permessage-deflate; None where it cannot
    tls_command: str | None = None  # with TLS; None where it cannot


def near_a_limit(workload: Workload) -> Workload:
    return replace(workload, factor=NEAR_A_LIMIT)


def of_peer(name: str, command: str, load: tuple[str, ...]) -> Run:
    return Run(name, command, load, is_in_goals=name == UWS)


def floor(flags: str = "") -> str:
    return f"{RELEASE}/bench-floor --port {{port}}{flags}"


def echo_c(flags: str = "") -> str:
    return f"{RELEASE}/bench-echo-c --port {{port}}{flags}"


def echo_isal(flags: str = "") -> str:
    return f"{ISAL_RELEASE}/bench-echo-c --port {{port}} --deflate shared{flags}"


def echo_swift(flags: str = "") -> str:
    return f"{SWIFT_RELEASE}/bench-echo-swift --port {{port}}{flags}"


def floor_tls(flags: str = "") -> str:
    return f"{RELEASE}/bench-floor-tls --port {{port}} {SECRETS}{flags}"


def echo_tls() -> str:
    return f"{RELEASE}/bench-echo-tls --port {{port}} {SECRETS}"


def echo(key: str, title: str, peers: list[Peer], *flags: str) -> Workload:
    load = ("echo", *flags)
    ours = (Run(FLOOR, floor(), load), Run(C, echo_c(), load), Run(SWIFT, echo_swift(), load))
    others = tuple(of_peer(peer.name, peer.command, load) for peer in peers)
    return Workload(key, title, "echo", ours + others)


def fan_out(key: str, title: str, peers: list[Peer], subscribers: int, burst: int) -> Workload:
    load = ("fan-out", "--connections", str(subscribers), "--burst", str(burst), "--size", "20")
    ours = (Run(FLOOR, floor(" --fan"), load), Run(C, echo_c(), load), Run(SWIFT, echo_swift(), load))
    with_topics = tuple(of_peer(peer.name, peer.command, load) for peer in peers if peer.name == UWS)
    return Workload(key, title, "delivery", ours + with_topics)


def texts(*load: str) -> tuple[Run, ...]:
    return tuple(Run(kind, echo_c(), (*load, "--payload", kind)) for kind in ("binary", "ascii", "russian", "chinese", "emoji"))


def text(size: int) -> Workload:
    runs = texts("echo", "--size", str(size))
    title = f"text of {size:,} B, 64 connections, one in flight, Jazzy, C"
    return Workload(f"text-{size}", title, "echo", runs if size > 100 else runs[:2])


def text_by_the_clock(size: int, rate: int | None = None) -> Workload:
    """The same number of messages for all kinds: where each waits for an answer, what is slower finds more at once."""
    load = ("tails", "--connections", "64", "--size", str(size), "--rate", "{rate}" if rate is None else str(rate))
    title = f"text of {size:,} B by the clock, 64 connections at half load, Jazzy, C"
    return Workload(f"clock-text-{size}", title, "echo", texts(*load), capacity=load if rate is None else ())


def deflate(size: int, peers: list[Peer]) -> Workload:
    load = ("echo", "--size", str(size), "--payload", "json", "--deflate")
    ours = (
        Run(C, echo_c(" --deflate shared"), load),
        Run(SWIFT, echo_swift(" --deflate shared"), load),
        Run(ISAL, echo_isal(), load),
        Run(ISAL_FAST, echo_isal(" --level 1"), load),
    )
    others = tuple(of_peer(peer.name, peer.deflate_command, load) for peer in peers if peer.deflate_command)
    title = f"permessage-deflate, JSON of {size:,} B, 64 connections, one in flight, no context takeover"
    return Workload(f"deflate-{size}", title, "echo", ours + others)


def connect(peers: list[Peer]) -> Workload:
    load = ("connect", "--connections", "256")
    runs = (Run(C, echo_c(), load), Run(SWIFT, echo_swift(), load))
    runs += tuple(of_peer(peer.name, peer.command, load) for peer in peers)
    return Workload("connect", "connect, handshake, close: 256 at a time", "connection", runs)


def idle_beside(idle: int) -> Workload:
    load = ("echo", "--connections", "1000", "--size", "20")
    runs = (Run("alone", echo_c(), load), Run("beside idle ones", echo_c(), (*load, "--idle", str(idle))))
    return Workload("idle-beside", f"1,000 echoing connections alone and beside {idle:,} idle ones, Jazzy, C", "echo", runs)


def memory(connections: int, size: int, peers: list[Peer]) -> Workload:
    load = ("idle", "--connections", str(connections), "--size", str(size))
    runs = (Run(C, echo_c(), load), Run(SWIFT, echo_swift(), load))
    runs += tuple(of_peer(peer.name, peer.command, load) for peer in peers)
    burst = f", before and after each has echoed {size:,} B" if size else ""
    return Workload(f"memory-{size}", f"memory of {connections:,} idle connections{burst}", "echo", runs, rounds=1)


def memory_of_bursts(connections: int, size: int) -> Workload:
    load = ("idle", "--connections", str(connections), "--size", str(size))
    # A fifth of them: compressing 1 MB takes some fifty times as long as echoing it.
    fifth = connections // 5
    deflating = ("idle", "--connections", str(fifth), "--size", str(size), "--payload", "json", "--deflate")
    runs = (
        Run(C, echo_c(), load),
        Run(SWIFT, echo_swift(), load),
        Run(f"{C}, dedicated compression, {fifth:,}", echo_c(" --deflate dedicated"), deflating),
    )
    title = f"memory of {connections:,} connections, before and after each has echoed {size:,} B"
    return Workload("memory-of-bursts", title, "echo", runs, rounds=1)


def swift_text() -> Workload:
    load = ("echo", "--size", "20", "--payload", "ascii")
    runs = (
        Run("C, bytes", echo_c(), load),
        Run("Swift, bytes", echo_swift(), load),
        Run("Swift, String", echo_swift(" --handler text"), load),
    )
    return Workload("swift-text", "text of 20 B, 64 connections, one in flight: bytes and strings", "echo", runs)


def swift_task(depth: int) -> Workload:
    """A handler that is called beside one that is a task for each connection, whose threads have the core, too."""
    load = ("echo", "--size", "20", "--payload", "ascii", "--depth", str(depth))
    runs = (
        Run("called", echo_swift(" --handler text"), load),
        Run("a task", echo_swift(" --handler task"), load),
    )
    in_flight = "one" if depth == 1 else depth
    title = f"text of 20 B, 64 connections, {in_flight} in flight: called handlers and tasks"
    return Workload(f"swift-task-{depth}", title, "echo", runs)


def two_loops() -> Workload:
    """Shows the cost of what loops share, beside two servers that share nothing: both use the client's core, too."""
    load = ("echo", "--size", "20", "--depth", "32")
    both = frozenset({0, 1})
    runs = (
        Run("two servers of one loop", echo_c(" --servers 2"), (*load, "--ports", "2"), both),
        Run("one server of two loops", echo_c(" --threads 2"), load, both),
        Run("one server of one loop", echo_c(), load, both),
    )
    title = "two loops on two cores, one of which is also the client's: 64 connections, 20 B, 32 in flight"
    return Workload("two-loops", title, "echo", runs)


@dataclass(frozen=True)
class Clock:
    """How much is sent by the clock."""

    connections: int = 1_000
    connects: int = 10_000  # of others, in a reading
    seconds: float = 1.0  # of a reading
    rate: int | None = None  # messages a second; None: half of what the servers can do


def tail(kind: str, what: str, clock: Clock, *beside: str, floor_beside: bool = True, flags: str = "") -> Workload:
    """Connections at half of what the servers can do, while something else goes on."""
    rate = "{rate}" if clock.rate is None else str(clock.rate)
    load = ("tails", "--connections", str(clock.connections), "--size", "20", "--rate", rate)
    runs = (
        Run(FLOOR, floor(), (*load, *(beside if floor_beside else ()))),
        Run(C, echo_c(flags), (*load, *beside)),
    )
    title = f"echo by the clock, {clock.connections:,} connections at half load, {what}"
    return Workload(f"tail-{kind}", title, "echo", runs, capacity=load if clock.rate is None else (), seconds=clock.seconds)


def tails(clock: Clock) -> list[Workload]:
    """The floor has neither workers nor metrics: beside them it is compared with itself undisturbed."""
    others = str(int(clock.connects / clock.seconds))
    slow, metrics = " --with slow", " --with metrics"
    return [
        tail("quiet", "nothing else", clock),
        tail("large", "while one more has 1 MB echoed", clock, "--large", "1000000"),
        tail("connects", f"while {clock.connects:,} others connect", clock, "--connects", others),
        tail("slow", "while a handler takes 1 ms each 100 ms", clock, "--slow", "/slow", flags=slow),
        tail("worker", "while one on a worker does", clock, "--slow", "/slow-worker", floor_beside=False, flags=slow),
        tail(
            "scraped", "while metrics are asked for each 100 ms", clock,
            "--page", "/metrics", floor_beside=False, flags=metrics),
    ]  # fmt: skip


def with_tls(peers: list[Peer], load: tuple[str, ...]) -> tuple[Run, ...]:
    return tuple(of_peer(peer.name, peer.tls_command, load) for peer in peers if peer.tls_command)


def tls_echo(key: str, title: str, peers: list[Peer], *flags: str) -> Workload:
    load = ("echo", "--tls", "1.3", *flags)
    ours = (
        Run(FLOOR, floor_tls(), load),
        Run(FLOOR_KEEPING, floor_tls(" --keep-buffers"), load),
        Run(C, echo_tls(), load),
    )
    return Workload(key, title, "echo", ours + with_tls(peers, load))


def tls_handshake(version: str, is_resumed: bool, peers: list[Peer]) -> Workload:
    load = ("handshake", "--tls", version, *(["--resume"] if is_resumed else []))
    runs = (Run(FLOOR, floor_tls(), load), Run(C, echo_tls(), load)) + with_tls(peers, load)
    kind = "resume" if is_resumed else "handshake"
    title = f"{'resumed' if is_resumed else 'full'} TLS {version} handshakes, each with that of the WebSocket"
    return near_a_limit(Workload(f"tls-{kind}-{version}", title, "handshake", runs))


def tls_memory(version: str, connections: int, peers: list[Peer]) -> Workload:
    """The floor's connection is an SSL object with released buffers and little else."""
    load = ("idle", "--tls", version, "--connections", str(connections))
    runs = (Run(FLOOR, floor_tls(), load), Run(C, echo_tls(), load)) + with_tls(peers, load)
    return Workload(f"tls-memory-{version}", f"memory of {connections:,} idle TLS {version} connections", "echo", runs, rounds=1)


def tls_beside(rate: int, peers: list[Peer]) -> Workload:
    """What others' handshakes do to the echoes of 64 connections, of which one is in flight."""
    load = ("echo", "--tls", "1.3", "--size", "20", "--handshakes")
    # One a second is none in a reading; without the flag the load would be a faster one, with records of its own.
    alone, beside = (*load, "1"), (*load, str(rate))
    servers = [(C, echo_tls()), (FLOOR, floor_tls())]
    servers += [(peer.name, peer.tls_command) for peer in peers if peer.name == UWS and peer.tls_command]
    runs = []
    for name, command in servers:
        runs += [Run(f"{name}, alone", command, alone), Run(f"{name}, beside handshakes", command, beside)]
    title = f"TLS, 64 connections, 20 B, one in flight, alone and beside {rate:,} full handshakes a second"
    return Workload("tls-beside", title, "echo", tuple(runs))


def tls_workloads(peers: list[Peer], most_descriptors: int) -> list[Workload]:
    # What libwebsockets takes grows with the square of them: 11 s for 4,000, over two minutes for 10,000.
    idle = min(5_000, most_descriptors - 100)
    fastest = [peer for peer in peers if peer.name == UWS]
    return [
        near_a_limit(tls_echo("tls-echo-20", "TLS, echo, 64 connections, 20 B, one in flight", peers, "--size", "20")),
        tls_echo("tls-echo-depth", "TLS, echo, 64 connections, 20 B, 32 in flight", peers, "--size", "20", "--depth", "32"),
        tls_echo(
            "tls-echo-apart", "TLS, echo, 64 connections, 20 B, 32 in flight, each in a record of its own", peers,
            "--size", "20", "--depth", "32", "--apart"),
        near_a_limit(tls_echo("tls-echo-16000", "TLS, echo, 64 connections, 16,000 B, one in flight", peers, "--size", "16000")),
        *(tls_handshake("1.3", is_resumed, peers) for is_resumed in (False, True)),
        *(tls_handshake("1.2", is_resumed, fastest) for is_resumed in (False, True)),
        tls_beside(1_000, peers),
        tls_memory("1.3", idle, peers),
        tls_memory("1.2", idle, fastest),
    ]  # fmt: skip


def all_workloads(peers: list[Peer], most_descriptors: int) -> list[Workload]:
    # A process has other files than its connections, too.
    idle = min(19_000, most_descriptors - 1_000 - 100)
    return [
        echo("echo-20", "echo, 64 connections, 20 B, one in flight", peers, "--size", "20"),
        echo("echo-1000", "echo, 1,000 connections, 20 B, one in flight", peers, "--connections", "1000", "--size", "20"),
        near_a_limit(echo("echo-depth", "echo, 64 connections, 20 B, 32 in flight", peers, "--size", "20", "--depth", "32")),
        echo("echo-16000", "echo, 64 connections, 16,000 B, one in flight", peers, "--size", "16000"),
        echo("echo-64000", "echo, 64 connections, 64,000 B, one in flight", peers, "--size", "64000"),
        echo("echo-1m", "echo, 16 connections, 1 MB, one in flight", peers, "--connections", "16", "--size", "1000000"),
        fan_out("fan-out-1", "fan-out of one 20 B message to 1,000 subscribers", peers, 1000, 1),
        fan_out("fan-out-8", "fan-out of eight 20 B messages at once to 1,000 subscribers", peers, 1000, 8),
        *(text(size) for size in (20, 1000, 16000)),
        near_a_limit(text(64000)),
        near_a_limit(text_by_the_clock(64000)),
        near_a_limit(deflate(200, peers)),
        deflate(16000, peers),
        near_a_limit(connect(peers)),
        idle_beside(idle),
        memory(15_000, 0, peers),
        memory(1_000, 64_000, peers),
        memory_of_bursts(5_000, 1_000_000),
        swift_text(),
        swift_task(1),
        swift_task(32),
        two_loops(),
        *tls_workloads(peers, most_descriptors),
    ]


def all_tails(most_descriptors: int) -> list[Workload]:
    return [near_a_limit(each) for each in tails(Clock(connects=min(10_000, most_descriptors - 1_000 - 100)))]


def quick_tails() -> list[Workload]:
    return tails(Clock(connections=40, connects=100, seconds=0.3, rate=1_000))


def quick_workloads(peers: list[Peer]) -> list[Workload]:
    """One of each kind, and small: only to see that all of it works."""
    return [
        echo("echo-20", "echo, 64 connections, 20 B, one in flight", peers, "--size", "20"),
        echo("echo-64000", "echo, 64 connections, 64,000 B, one in flight", peers, "--size", "64000"),
        fan_out("fan-out-8", "fan-out of eight 20 B messages at once to 100 subscribers", peers, 100, 8),
        text(1000),
        text_by_the_clock(64000, rate=1_000),
        deflate(200, peers),
        connect(peers),
        idle_beside(500),
        memory(1_000, 1_000, peers),
        memory_of_bursts(200, 100_000),
        swift_text(),
        swift_task(1),
        two_loops(),
        tls_echo("tls-echo-20", "TLS, echo, 64 connections, 20 B, one in flight", peers, "--size", "20"),
        tls_handshake("1.2", True, peers),
        tls_beside(50, peers),
        tls_memory("1.3", 200, peers),
    ]
