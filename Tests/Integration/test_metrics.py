"""The page with a server's metrics: exact to the byte, in formats that Prometheus reads, and whoever asks for it."""

import concurrent.futures
import json
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import zlib

import pytest
import websockets.sync.client

from support import frames
from support.deadline import DEADLINE, eventually
from support.process import resident_memory
from support.programs import PROBE, ROOT
from support.raw import RawConnection, open_websocket, request, upgrade_request
from support.scraping import GUIDE, OPENMETRICS, TEXT, Prometheus, Samples, families, get
from support.server import Server
from support.siege import KEPT, allow_many_descriptors, crowd_of, scaled, seconds_for

# What a scrape may take of a loop, with time that this process and other programs take.
SCRAPERS = 10

needs_prometheus = pytest.mark.skipif(not shutil.which("prometheus"), reason="there is no Prometheus")


@pytest.fixture
def server():
    """A probe server whose counts nobody else changes."""
    folder = ROOT / "Tests/Integration/clients"
    with Server([PROBE, "--port", 0, "--threads", 2, "--folder", folder]) as started:
        yield started


def connect(server, path="/echo", **options):
    return websockets.sync.client.connect(
        f"ws://127.0.0.1:{server.port}{path}",
        proxy=None,
        compression=None,
        ping_interval=None,
        open_timeout=DEADLINE,
        **options,
    )


def play(server):
    """A client that is not ours sends, receives, and is refused. Returns what has to be counted."""
    texts = ["", "a", "grüße", "x" * 70000]
    binaries = [bytes(length) for length in (0, 1, 125, 126, 65535, 65536)]
    with connect(server) as client:
        for message in [*texts, *binaries]:
            client.send(message)
            assert client.recv() == message
        client.ping(b"1234").wait(DEADLINE)
    with connect(server) as client:
        client.close(4321)
    with pytest.raises(websockets.exceptions.InvalidStatus):
        connect(server, "/nowhere")

    def have_left():
        """By what is counted last of an end: a loop may stand still behind the rest while the other one answers."""
        return Samples(server.port).of("jazzy_websocket_duration_seconds_count", route="/echo") == 2

    eventually(have_left, "both have left")
    text_bytes = sum(len(text.encode()) for text in texts)
    binary_bytes = sum(len(binary) for binary in binaries)
    return [
        *(
            (f"jazzy_{name}_total", {"kind": kind}, count)
            for kind, messages, count_of_bytes in (
                ("text", len(texts), text_bytes),
                ("binary", len(binaries), binary_bytes),
            )
            for name, count in (
                ("messages_received", messages),
                ("messages_sent", messages),
                ("received_bytes", count_of_bytes),
                ("sent_bytes", count_of_bytes),
            )
        ),
        ("jazzy_messages_received_total", {"kind": "ping"}, 1),
        ("jazzy_received_bytes_total", {"kind": "ping"}, 4),
        ("jazzy_messages_sent_total", {"kind": "pong"}, 1),
        ("jazzy_sent_bytes_total", {"kind": "pong"}, 4),
        ("jazzy_messages_received_total", {"kind": "pong"}, 0),
        ("jazzy_websockets_opened_total", {}, 2),
        ("jazzy_websockets", {}, 0),
        ("jazzy_closes_total", {"code": "1000"}, 1),
        ("jazzy_closes_total", {"code": "4000-4999"}, 1),
        ("jazzy_closes_by_cause_total", {"cause": "peer"}, 2),
        ("jazzy_failures_total", {"rule": "invalid_utf8"}, 0),
        ("jazzy_refused_total", {"reason": "not_found"}, 1),
        ("jazzy_websocket_duration_seconds_count", {"route": "/echo"}, 2),
        ("jazzy_messages_dropped_total", {}, 0),
        ("jazzy_buffered_bytes", {}, 0),
        ("jazzy_subscriptions", {"loop": "0"}, 0),
    ]


@pytest.mark.parametrize("accept", [OPENMETRICS, TEXT])
def test_all_is_counted_to_the_byte(server, accept):
    expected = play(server)
    before = Samples(server.port, accept)
    for name, labels, count in expected:
        assert before.of(name, **labels) == count, (name, labels)
    # Each scrape is a connection, which is counted before it is answered.
    assert Samples(server.port, accept).of("jazzy_connections_opened_total") == before.of(
        "jazzy_connections_opened_total"
    ) + 1


def test_compressed_bytes_are_those_that_a_client_sent_and_received():
    message = "compressible " * 1000
    with Server([PROBE, "--port", 0, "--deflate", "shared"]) as server:
        with RawConnection(server.port) as client:
            offer = {"sec_websocket_extensions": "permessage-deflate; client_no_context_takeover"}
            client.send(upgrade_request("/echo", **offer))
            assert client.read_response().status == 101
            compressed = deflated(message.encode())
            client.send_frame(frames.TEXT, compressed, reserved=4)
            answer = client.read_frame()
            values = Samples(server.port)
            assert values.of("jazzy_compression_plain_bytes_total", direction="received") == len(message)
            assert values.of("jazzy_compression_compressed_bytes_total", direction="received") == len(compressed)
            assert values.of("jazzy_compression_plain_bytes_total", direction="sent") == len(message)
            assert values.of("jazzy_compression_compressed_bytes_total", direction="sent") == len(answer.payload)
            assert values.of("jazzy_received_bytes_total", kind="text") == len(message)


def deflated(data):
    """A message's payload, RFC 7692 §7.2.1."""
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


@needs_prometheus
def test_promtool_has_nothing_to_say(server):
    play(server)
    _, _, text = get(server.port, accept=TEXT)
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_handshakes_of_tls_are_counted_by_result(start_secure, certified):
    server = start_secure()
    for _ in range(3):
        with open_websocket(server.port, "/echo"):
            pass
    # A client that knows nobody of whom this certificate could be ends its handshake.
    with socket.create_connection(("127.0.0.1", int(server.port)), DEADLINE) as plain, pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")
    eventually(lambda: Samples(server.port).of("jazzy_tls_handshakes_total", result="failed") == 1, "it has failed")
    values = Samples(server.port)
    scrapes = values.of("jazzy_connections_opened_total") - 4
    assert values.of("jazzy_tls_handshakes_total", result="full") == 3 + scrapes
    assert values.of("jazzy_tls_handshakes_total", result="resumed") == 0
    assert values.of("jazzy_tls_reloads_total", result="replaced") == 0
    expires = certified.certificate.not_valid_after_utc.timestamp()
    assert values.of("jazzy_tls_certificate_expiry_timestamp_seconds") == expires


def test_names_follow_the_conventions(server):
    both = {accept: families(server.port, accept) for accept in (OPENMETRICS, TEXT)}
    assert {name for name, family in both[OPENMETRICS].items()} == {
        re.sub("_info$", "", name) if family.type == "gauge" else name for name, family in both[TEXT].items()
    }
    for family in both[OPENMETRICS].values():
        assert family.name.startswith(("jazzy_", "process_")), family.name
        assert family.documentation.endswith("."), family.name
        assert not re.search(r"(_ms|_us|_ns|_kib|_milliseconds)$", family.name)
        for sample in family.samples:
            assert set(sample.labels) <= {
                "route", "loop", "le", "kind", "code", "cause", "rule", "reason", "direction", "action", "version",
                "compiler", "result",
            }, sample


@needs_prometheus
def test_prometheus_reads_what_clients_did(server):
    begun = time.monotonic()
    expected = play(server)
    took = time.monotonic() - begun
    with Prometheus(server.port) as prometheus:

        def asked(question):
            """After an answer that took more than its second, which counts as none, the next one is as good."""
            return eventually(lambda: prometheus.values(question), f"Prometheus answers {question}")

        eventually(lambda: prometheus.target()["health"] == "up", "Prometheus reads the page", 60)
        names = {name for name, _, _ in expected}
        assert list(asked("jazzy_build_info").values()) == [1]
        for name in names:
            found = asked(name)
            for labels, count in ((labels, count) for each, labels, count in expected if each == name):
                assert found[tuple(sorted(labels.items()))] == count, (name, labels)
        # Histograms can be evaluated.
        durations = asked("histogram_quantile(0.5, jazzy_websocket_duration_seconds_bucket{route='/echo'})").values()
        assert all(duration <= 1 or took > 1 for duration in durations)
        # Every question of the dashboard is one that this Prometheus understands.
        for question in dashboard_questions():
            prometheus.values(question)


def dashboard():
    return json.loads((ROOT / "Examples/Monitoring/grafana-dashboard.json").read_text())


def dashboard_questions():
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            yield (
                target["expr"].replace("$__rate_interval", "1m").replace("$job", "jazzy").replace("$instance", ".*")
            )


@pytest.fixture
def every_family(server, start_secure):
    """All families that there can be, but for those of brokers."""
    return families(server.port) | families(start_secure().port)


def test_the_dashboard_has_no_name_that_the_page_lacks(every_family):
    # Those of the broker are there where a server has one: they are looked for in what writes them.
    source = (ROOT / "Sources/CJazzyPoll/server/metrics.c").read_text()
    names = {sample.name for family in every_family.values() for sample in family.samples}
    names |= {f"{name}{suffix}" for name in re.findall(r'"(jazzy_broker_\w+)"', source) for suffix in ("", "_total")}
    # Since Linux 6.2 the system tells how many there are.
    names.add("process_open_fds")
    asked = {name for question in dashboard_questions() for name in re.findall(r"\b(?:jazzy|process)_\w+", question)}
    assert asked and asked <= names, asked - names
    # And it shows all there is.
    families_shown = {re.sub("_(total|bucket|sum|count|info)$", "", name) for name in asked}
    missing = set(every_family) - families_shown - {"process_virtual_memory_bytes"}
    assert not missing


def test_the_guide_describes_each_metric(every_family):
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \|", (ROOT / GUIDE).read_text(), re.MULTILINE)
    described = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    found = {
        name: (family.type, {label for sample in family.samples for label in sample.labels} - {"le"})
        for name, family in every_family.items()
    }
    described.pop("process_open_fds")
    found.pop("process_open_fds", None)
    assert described == found


def counters(port):
    """All that only grows, by sample: read by hand, because the strict parsers take longer than the server."""
    lines = (line.rsplit(" ", 1) for line in get(port)[2].splitlines() if not line.startswith("#"))
    return {
        sample: float(value)
        for sample, value in lines
        if re.match(r"\w+_(total|count|bucket|sum)\b", sample)
    }


def test_ten_scrapers_are_served_while_connections_storm_and_while_the_server_drains():
    with Server([PROBE, "--port", 0, "--threads", 2]) as server:
        is_over = threading.Event()

        def storm():
            count = 0
            while not is_over.is_set():
                with open_websocket(server.port, "/echo") as client:
                    client.send_frame(frames.TEXT, b"storm")
                    assert client.read_frame().payload == b"storm"
                    count += 1
            return count

        def keep_scraping():
            earlier = counters(server.port)
            assert len(earlier) > 100
            for _ in range(20):
                later = counters(server.port)
                assert all(later[sample] >= value for sample, value in earlier.items())
                earlier = later

        with concurrent.futures.ThreadPoolExecutor(SCRAPERS + 2) as pool:
            storms = [pool.submit(storm) for _ in range(2)]
            for scraper in [pool.submit(keep_scraping) for _ in range(SCRAPERS)]:
                scraper.result()
            is_over.set()
            count = sum(each.result() for each in storms)
        eventually(lambda: "\njazzy_websockets 0\n" in get(server.port)[2], "the storm is over")
        values = Samples(server.port)
        assert values.of("jazzy_websockets_opened_total") == count
        assert values.of("jazzy_received_bytes_total", kind="text") == 5 * count
        assert values.of("jazzy_messages_sent_total", kind="text") == count
        assert values.of("jazzy_websocket_duration_seconds_count", route="/echo") == count
        # Those who have a connection when the server drains get one more answer.
        kept = [RawConnection(server.port) for _ in range(SCRAPERS)]
        for each in kept:
            each.send(request(path="/health/ready"))
            assert each.read_response().status == 200
        with open_websocket(server.port, "/drain") as client:
            client.send_frame(frames.TEXT, b"now")
            eventually(lambda: not can_connect(server.port), "the server listens no more")
            for number, each in enumerate(kept):
                each.send(request(path="/health/ready" if number % 2 else "/metrics"))
                response = each.read_response()
                assert response.status == (503 if number % 2 else 200)
                assert (b'"draining"' if number % 2 else b"jazzy_websockets 1\n") in response.body
                each.socket.close()


def can_connect(port):
    try:
        socket.create_connection(("127.0.0.1", port), DEADLINE).close()
    except ConnectionError:
        return False
    return True


@pytest.fixture
def patient():
    """The same, which lets nobody go for reading nothing as long as a busy machine may take."""
    with Server([PROBE, "--port", 0, "--threads", 2, "--handshake-timeout-ms", 200_000]) as started:
        yield started


def test_thousands_of_slow_scrapers_keep_nobody_waiting(patient):
    """They ask, again and again, and read nothing."""
    server, count = patient, scaled(2_000)
    allow_many_descriptors(server.pid)
    before = resident_memory(server.pid)
    page = len(get(server.port)[2])
    with crowd_of(count, lambda: RawConnection(server.port, receive_buffer=4096)) as slow:
        for _ in range(3):
            for each in slow:
                each.send(request(path="/metrics"))

        def come():
            with open_websocket(server.port, "/echo") as client:
                for _ in range(20):
                    client.send_frame(frames.TEXT, b"still there?")
                    assert client.read_frame().payload == b"still there?"
            Samples(server.port)

        assert seconds_for(server, come) < DEADLINE
        # The other loop may not have accepted its last ones yet.
        eventually(lambda: Samples(server.port).of("jazzy_connections") >= count, "all of them are there")
        # Each has its page once, in a buffer of up to twice its length.
        assert resident_memory(server.pid) - before < count * (2 * page + 16384) + KEPT
        # Who begins to read gets all that was asked for, one page after the other.
        for each in slow[:3]:
            for _ in range(3):
                assert b"\njazzy_build_info{" in each.read_response().body
    eventually(lambda: "\njazzy_connections 1\n" in get(server.port)[2], "they have left")


HOSTILE = {
    "a huge head": (request(path="/metrics", headers={"Host": "a", "X": "y" * 100000}), 431),
    "a head without end": (b"GET /metrics HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 5000, 431),
    "another method": (request("POST", "/metrics"), 405),
    "a made-up method": (request("SCRAPE", "/metrics"), 405),
    "content": (request("GET", "/metrics", {"Host": "a", "Content-Length": "4"}) + b"abcd", 400),
    "an upgrade": (
        request(path="/metrics", headers={"Host": "a", "Upgrade": "websocket", "Connection": "Upgrade",
                                          "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
                                          "Sec-WebSocket-Version": "13"}),
        200,
    ),
    "an Accept of many ranges": (
        request(path="/metrics", headers={"Host": "a", "Accept": ",".join(f"a/b;q=0.{i}" for i in range(500))}),
        200,
    ),
    "an Accept of nonsense": (request(path="/metrics", headers={"Host": "a", "Accept": ';;,"/;=q=;q,*'}), 200),
    "a path above": (request(path="/../../metrics"), 200),
    "a path below": (request(path="/metrics/../../etc/passwd"), 404),
    "a NUL": (request(path="/metrics%00"), 400),
}


@pytest.mark.parametrize("attack", HOSTILE)
@pytest.mark.parametrize(
    "page",
    ["/metrics", "/health", "/health/live", "/plain", "/made/1", "/made-by-worker/1", "/made-later", "/files/tap.py"],
)
def test_hostile_requests_are_answered_as_on_any_page(server, page, attack):
    sent, status = HOSTILE[attack]
    with RawConnection(server.port) as client:
        client.send(sent.replace(b"/metrics", page.encode()))
        assert client.read_response().status == status
    assert get(server.port, page)[0] == 200


def test_pipelined_requests_are_answered_in_order_and_leave_others_their_turn(server):
    with RawConnection(server.port) as client, open_websocket(server.port, "/echo") as other:
        client.send(request(path="/metrics") * 50 + request(path="/health"))
        other.send_frame(frames.TEXT, b"in between")
        assert other.read_frame().payload == b"in between"
        for _ in range(50):
            assert b"jazzy_websockets 1\n" in client.read_response().body
        assert b'"running"' in client.read_response().body


def test_head_has_the_length_and_no_body(server):
    with RawConnection(server.port) as client:
        client.send(request("HEAD", "/metrics") + request(path="/health/live"))
        response = client.read_response(has_body=False)
        assert response.status == 200 and int(response.header("Content-Length")) > 5000
        assert client.read_response().status == 200
