"""The Swift examples of the documentation run: each as a program of its own, whose routes a client visits."""

import re
import signal
import subprocess

import pytest

from support.documentation import docc_examples, markdown_examples, tutorial_steps
from support.playing import JSON, play
from support.programs import IS_REPEATED, ROOT, SWIFT_MODULES, swift_objects
from support.swift_examples import pages_of, paths_of, serving

pytestmark = pytest.mark.skipif(IS_REPEATED, reason="the compiler's time; the programs of the examples run sanitized")

# Modules whose examples run elsewhere: test_documentation_is_run.py says where.
ELSEWHERE = {
    "JazzyLogging",
    "JazzyMetrics",
    "JazzyRedis",
    "JazzyServiceLifecycle",
    "JazzyTLS",
    "JazzyTesting",
    "JazzyTracing",
}

EXAMPLES = [
    example
    for example in [*markdown_examples(), *docc_examples(), *tutorial_steps()]
    if example.language == "swift" and example.module not in ELSEWHERE and not example.is_manifest
    if "JazzyTransport" not in example.code and "JazzyRedis" not in example.code
]

SURROUNDINGS = ROOT / "Tests/Integration/surroundings/Serving.swift"

# So many messages, that a task for each connection has handled some of them before a ping behind them is answered.
MORE_THAN_WAIT = 70

BYTES = b"\x00\x01\x02\x03\x04\x05\x06\x07"


@pytest.fixture(scope="session")
def linked(tmp_path_factory):
    """The module's objects and what surrounds examples, linked once: what a program needs to be built with them."""
    folder = tmp_path_factory.mktemp("library")
    command = ["swiftc", "-swift-version", "6", "-parse-as-library", "-module-name", "Surroundings", *SWIFT_MODULES]
    command += ["-emit-module", "-emit-module-path", folder / "Surroundings.swiftmodule", SURROUNDINGS]
    command += ["-emit-library", *swift_objects(), "-lz", "-o", folder / "libSurroundings.so"]
    subprocess.run(command, check=True, timeout=200)
    return [*SWIFT_MODULES, "-I", folder, folder / "libSurroundings.so", "-Xlinker", f"-rpath={folder}"]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
async def test_an_example_in_swift_runs(linked, tmp_path, example):
    program = serving(example.code, tmp_path)
    source = tmp_path / "main.swift"
    source.write_text(f"import JazzySwift\nimport Surroundings\nimport Synchronization\n{program}")
    command = ["swiftc", "-swift-version", "6", source, *linked, "-o", tmp_path / "example"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, result.stderr

    texts = ["hello"] * (MORE_THAN_WAIT if "messages in" in program else 3)
    conversations = [[JSON, BYTES], [BYTES[:3], *texts, BYTES]]
    # Who stops the server itself does so at once: nobody can be sure to come in time.
    paths = [] if re.search(r"\bstop\(", program) else paths_of(program)
    pages = dict.fromkeys(pages_of(program), 200) | ({"/nothing/here": 404} if "Route.notFound(" in program else {})
    played = await play(tmp_path / "example", paths, conversations, pages=pages, environment={"LISTEN": "0"})
    assert played.code in ([0, -signal.SIGTERM] if played.was_serving else [0]), played.errors
    assert [visit.path for visit in played.visits if visit.is_let_in] == [path for path in paths for _ in conversations]
    assert [visit.path for visit in played.visits[::2] if visit.close_code == 1011] == [], "its handler has thrown"
    assert played.pages == pages
