"""
The products of the server ecosystem: all of them in one process with Hummingbird, played with real clients; and their
documentation.
"""

import json
import os
import re
import shlex
import subprocess
import urllib.error
import urllib.request
from signal import SIGTERM

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support.deadline import DEADLINE, eventually
from support.documentation import docc_examples, markdown_examples, program_comments
from support.playing import play
from support.programs import ROOT
from support.server import Server
from support.swift_examples import on_this_machine, paths_of
from test_documentation_runs import MORE_THAN_WAIT

BUILD = os.environ.get("JAZZY_HUMMINGBIRD_BUILD")
pytestmark = pytest.mark.skipif(BUILD is None, reason="`make test-hummingbird` builds it, and passes this")

PRODUCTS = ["JazzyLogging", "JazzyMetrics", "JazzyServiceLifecycle", "JazzyTracing"]


def modules():
    return ["-I", ROOT / BUILD / "Modules", "-I", ROOT / "Sources/CJazzyPoll/include"]


def usage():
    """The commands that the program's first lines name: one starts it, one says something in the kitchen."""
    (example,) = [each for each in program_comments() if each.file == "Examples/HummingbirdChat/Sources/main.swift"]
    return map(shlex.split, example.code.splitlines())


class Chat(Server):
    """The example, whose log says the ports that it listens on."""

    def __init__(self):
        *swift_run, program, http, websockets = next(usage())
        assert swift_run == ["swift", "run", "--package-path", "Examples/HummingbirdChat"]
        assert (http, websockets) == ("8080", "8081")
        command = [ROOT / BUILD / program, 0, 0]
        super().__init__(command, r"HummingbirdCore.* listening on 127\.0\.0\.1:(\d+)")
        self.printed, self.output = self.output, self.errors

    def __enter__(self):
        super().__enter__()
        says = re.compile(r"JazzySwift\] listens on 127\.0\.0\.1:(\d+)")
        # Hummingbird may have said so before.
        found = eventually(lambda: says.search(self.output.text()), "the port of the WebSockets was logged")
        self.websockets = f"ws://127.0.0.1:{found[1]}"
        return self

    def ask(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=DEADLINE) as response:
            return response.read().decode()

    def metric(self, name):
        return dict(line.rsplit(" ", 1) for line in self.ask("/metrics").splitlines() if " " in line).get(name)


async def test_http_and_websockets_share_a_process_a_log_metrics_and_traces():
    with Chat() as chat:
        async with connect(f"{chat.websockets}/rooms/kitchen") as ada, connect(f"{chat.websockets}/rooms/kitchen") as bo:
            for client in [ada, bo]:
                assert await client.recv() == "Welcome to the kitchen!"
            assert chat.ask("/rooms/kitchen") == "2 in the kitchen\n"
            await ada.send("Is there tea?")
            assert [await client.recv() for client in [ada, bo]] == ["Is there tea?"] * 2
            _, curl = usage()
            command = [word.replace("localhost:8080", f"127.0.0.1:{chat.port}") for word in curl]
            subprocess.run(command, check=True, timeout=DEADLINE, capture_output=True)
            assert [await client.recv() for client in [ada, bo]] == ["Supper is ready."] * 2

            with pytest.raises(InvalidStatus) as refused:
                await connect(f"{chat.websockets}/rooms/cellar")
            assert refused.value.response.status_code == 403
            line = r"debug.* chat.*: .*jazzy\.address=127\.0\.0\.1:\d+ jazzy\.cause=rejected jazzy\.route=/rooms/:room"
            assert chat.errors.wait_for(lambda lines: re.search(line, "\n".join(lines))), chat.errors.text()

            # They are of one moment of the last second, at which not all of it may have been.
            counts = {
                "jazzy_websockets": "2.0",
                'jazzy_messages_received_total{kind="text"}': "1.0",
                'jazzy_refused_total{reason="rejected"}': "1.0",
            }
            eventually(lambda: {name: chat.metric(name) for name in counts} == counts, "the metrics count all of them")

            eventually(lambda: len(chat.ask("/spans").splitlines()) >= 4, "the spans have ended")
            spans = [line.split(" ") for line in chat.ask("/spans").splitlines()]
            assert sorted(" ".join(span[:-1]) for span in spans) == ["GET /rooms/:room"] * 3 + ["message"]
            traces = [span[-1] for span in spans]
            assert len(set(traces)) == 3, "the span of the message belongs to the trace of its client"

            chat.send_signal(SIGTERM)
            for client in [ada, bo]:
                with pytest.raises(ConnectionClosed) as closed:
                    await client.recv()
                assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1012, "service restart")
        chat.stop()
        assert chat.printed.wait_for(lambda lines: 'jazzy_closes_total{code="1012"} 2.0' in lines), "its end is recorded"


EXAMPLES = [
    example
    for example in [*markdown_examples(), *docc_examples()]
    if example.language == "swift" and example.module in PRODUCTS
]

SURROUNDINGS = ROOT / "Tests/Integration/surroundings/Recording.swift"
REGISTRY = ROOT / "Examples/HummingbirdChat/Sources/MetricsRegistry.swift"

CONTEXT = """\
import JazzySwift
import Logging
import ServiceLifecycle
import Surroundings
import Tracing
import {product}
{metrics}
bootstrap()
showRecords(on: Jazzy.server)
{server}
{code}
"""

# What an example of a service group leaves to its reader, or one of a server.
ENDINGS = {
    "group": "try server.listen(port: 0)\ntry await group.run()\n",
    "server": "try server.listen(port: 0)\ntry await server.runUntilCancelled(untilSignal: true)\n",
}

# What is seen of a program whose example has this: a line of its log, or a record that it serves at /records.
LOGGED = {"log(to:": r"info.* chat.*: .*\[JazzySwift\] listens on"}
RECORDED = {
    "JazzyServerMetrics(": "jazzy_websockets_opened_total [1-9]",
    "traced": "span GET /rooms/:id",
    "withSpan(": "span message",
}


def facts(table, example):
    return [fact for sign, fact in table.items() if sign in example.code]


def has_records(example, visits):
    """Whether the last visit, to /records, has seen all that the example has to leave there."""
    text = "".join(visits[-1].received)
    return all(re.search(fact, text) for fact in facts(RECORDED, example))


def as_program(example, folder):
    code = example.code
    program = CONTEXT.format(
        product=example.module,
        metrics="import JazzyMetrics" if "JazzyServerMetrics" in code else "",
        server="" if "let server" in code or "Jazzy." in code else "let server = JazzyServer()",
        code=code,
    )
    program = re.sub(r"^(let server = .*)$", r"\1\nshowRecords(on: server)", program, flags=re.MULTILINE)
    often = r"\1, every: .milliseconds(10))"
    program = re.sub(r"(JazzyServerMetrics\([\w.]+)(, every: \.seconds\(10\))?\)", often, program)
    program = on_this_machine(program, folder)
    if re.search(r"\.run\(", code):
        return program
    return program + ENDINGS["group" if "let group" in code else "server"]


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    """All products and what surrounds their examples, linked once: what a program needs to be built with them."""
    folder = tmp_path_factory.mktemp("library")
    listed = (ROOT / BUILD / "hummingbird-chat.product/Objects.LinkFileList").read_text().splitlines()
    objects = [path for path in map(shlex.split, listed) if "/hummingbird_chat.build/" not in path[0]]
    (folder / "objects").write_text("".join(shlex.join(path) + "\n" for path in objects))
    command = ["swiftc", "-swift-version", "6", "-parse-as-library", "-module-name", "Surroundings", *modules()]
    command += ["-emit-module", "-emit-module-path", folder / "Surroundings.swiftmodule", SURROUNDINGS, REGISTRY]
    command += ["-emit-library", f"@{folder / 'objects'}", "-lz", "-o", folder / "libSurroundings.so"]
    subprocess.run(command, check=True, timeout=200)
    return [*modules(), "-I", folder, folder / "libSurroundings.so", "-Xlinker", f"-rpath={folder}"]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
async def test_an_example_runs(linked, tmp_path, example):
    source = tmp_path / "main.swift"
    source.write_text(as_program(example, tmp_path))
    command = ["swiftc", "-swift-version", "6", source, *linked, "-o", tmp_path / "example"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, result.stderr

    paths, texts = [*paths_of(example.code), "/records"], ["hello"] * MORE_THAN_WAIT
    played = await play(tmp_path / "example", paths, [texts], has_seen=lambda visits: has_records(example, visits))
    assert (played.was_serving, played.code) == (True, 0), played.errors
    assert [visit.path for visit in played.visits if not visit.is_let_in] == []
    assert has_records(example, played.visits), played.visits[-1].received
    assert all(re.search(fact, played.errors) for fact in facts(LOGGED, example)), played.errors
    is_seen = facts(LOGGED, example) + facts(RECORDED, example) or example.module == "JazzyServiceLifecycle"
    assert is_seen, "of this example nothing would be seen: see RECORDED"


@pytest.mark.parametrize("product", PRODUCTS)
def test_everything_public_is_documented(tmp_path, product):
    target = json.loads(subprocess.run(["swiftc", "-print-target-info"], check=True, capture_output=True).stdout)
    command = ["swift", "symbolgraph-extract", "-module-name", product, *modules()]
    command += ["-target", target["target"]["unversionedTriple"], "-output-dir", tmp_path]
    subprocess.run(command, check=True, capture_output=True, timeout=50)
    found = [symbol for path in tmp_path.glob("*.symbols.json") for symbol in json.loads(path.read_text())["symbols"]]
    ours = [symbol for symbol in found if f"/Sources/{product}/" in symbol.get("location", {}).get("uri", "")]
    assert ours
    assert [".".join(symbol["pathComponents"]) for symbol in ours if "docComment" not in symbol] == []
