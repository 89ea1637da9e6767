"""
The products of the server ecosystem: all of them in one process with Hummingbird, played with real clients; and their
documentation.
"""

import json
import os
import re
import subprocess
import urllib.error
import urllib.request
from signal import SIGTERM

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support.deadline import DEADLINE, eventually
from support.documentation import docc_examples, markdown_examples
from support.programs import ROOT
from support.server import Server

BUILD = os.environ.get("JAZZY_HUMMINGBIRD_BUILD")
pytestmark = pytest.mark.skipif(BUILD is None, reason="`make test-hummingbird` builds it, and passes this")

PRODUCTS = ["JazzyLogging", "JazzyMetrics", "JazzyServiceLifecycle", "JazzyTracing"]


def modules():
    return ["-I", ROOT / BUILD / "Modules", "-I", ROOT / "Sources/CJazzyPoll/include"]


class Chat(Server):
    """The example, whose log says the ports that it listens on."""

    def __init__(self):
        command = [ROOT / BUILD / "hummingbird-chat", 0, 0]
        super().__init__(command, r"HummingbirdCore.* listening on 127\.0\.0\.1:(\d+)")
        self.printed, self.output = self.output, self.errors

    def __enter__(self):
        super().__enter__()
        port = re.search(r"JazzySwift\] listens on 127\.0\.0\.1:(\d+)", self.output.text())[1]
        self.websockets = f"ws://127.0.0.1:{port}"
        return self

    def ask(self, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body)
        with urllib.request.urlopen(request, timeout=DEADLINE) as response:
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
            chat.ask("/rooms/kitchen", b"Supper is ready.")
            assert [await client.recv() for client in [ada, bo]] == ["Supper is ready."] * 2

            with pytest.raises(InvalidStatus) as refused:
                await connect(f"{chat.websockets}/rooms/cellar")
            assert refused.value.response.status_code == 403
            line = r"debug.* chat.*: .*jazzy\.address=127\.0\.0\.1:\d+ jazzy\.cause=rejected jazzy\.route=/rooms/:room"
            assert chat.errors.wait_for(lambda lines: re.search(line, "\n".join(lines))), chat.errors.text()

            eventually(lambda: chat.metric("jazzy_websockets") == "2.0", "the metrics count two clients")
            assert chat.metric('jazzy_messages_received_total{kind="text"}') == "1.0"
            assert chat.metric('jazzy_refused_total{reason="rejected"}') == "1.0"

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
    (product, example)
    for product in PRODUCTS
    for example in [
        *docc_examples(ROOT / "Sources" / product),
        *markdown_examples("swift", [f"Sources/{product}/*.docc/"]),
    ]
]

CONTEXT = """\
import JazzySwift
import Logging
import ServiceLifecycle
import Tracing
import {product}
{metrics}
let server = JazzyServer()
"""


@pytest.mark.parametrize(("product", "example"), EXAMPLES, ids=[str(example) for _, example in EXAMPLES])
def test_an_example_of_a_comment_compiles(tmp_path, product, example):
    metrics = "import JazzyMetrics" if "JazzyServerMetrics" in example.code else ""
    context = CONTEXT.format(product=product, metrics=metrics)
    if "let server" in example.code:
        context = context.replace("let server = JazzyServer()\n", "")
    source = tmp_path / "main.swift"
    source.write_text(context + example.code)
    command = ["swiftc", "-swift-version", "6", "-emit-sil", "-o", tmp_path / "main.sil", *modules(), source]
    result = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert result.returncode == 0, result.stderr


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
