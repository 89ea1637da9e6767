"""The Swift examples of JazzyRedis run, each with a Redis of its own, and a client visits it."""

import re
import subprocess

import pytest

from support.documentation import docc_examples, markdown_examples
from support.playing import play
from support.programs import C_BUILD, IS_SANITIZED, ROOT, SWIFT_MODULES, swift_objects
from support.redis.servers import Redis
from support.swift_examples import on_this_machine, paths_of, standing_alone

pytestmark = pytest.mark.skipif(IS_SANITIZED, reason="the compiler's time; whole servers with Redis run sanitized")

EXAMPLES = [
    example
    for example in [*markdown_examples(), *docc_examples()]
    if example.language == "swift" and not example.is_manifest
    if example.module == "JazzyRedis" or "JazzyRedis" in example.code
]

# What follows an example that has options, but no server.
SERVE = """
let server = JazzyServer(options: options)
server.ws("/") { ws, event, _ in
    if event == .open {
        ws.subscribe("news")
        ws.send("Welcome!")
    }
}
try server.serve(port: 0)
"""


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    """The module and all that it needs, built once from its sources."""
    folder = tmp_path_factory.mktemp("library")
    modules = [*SWIFT_MODULES, "-I", ROOT / "Sources/CJazzyRedis/include"]
    command = ["swiftc", "-swift-version", "6", "-parse-as-library", "-module-name", "JazzyRedis", *modules]
    command += ["-package-name", re.sub(r"\W", "_", ROOT.name.lower()), *ROOT.glob("Sources/JazzyRedis/*.swift")]
    command += ["-emit-module", "-emit-module-path", folder / "JazzyRedis.swiftmodule", "-emit-library"]
    command += [*swift_objects(), C_BUILD / "libcjazzyredis.a", "-lhiredis", "-lssl", "-lcrypto", "-lz"]
    command += ["-o", folder / "libJazzyRedis.so"]
    subprocess.run(command, check=True, timeout=200)
    return [*modules, "-I", folder, folder / "libJazzyRedis.so", "-Xlinker", f"-rpath={folder}"]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
async def test_an_example_runs(linked, tmp_path, example):
    program = on_this_machine(standing_alone(example.code), tmp_path)
    program += SERVE if re.search(r"^options\.broker", program, re.MULTILINE) and "serve(" not in program else ""
    with Redis(tmp_path / "redis") as redis:
        source = tmp_path / "main.swift"
        here = re.sub(r'"redis://[^"]*', f'"{redis.url}', program)
        source.write_text(f"import JazzySwift\nimport JazzyRedis\n{here}")
        command = ["swiftc", "-swift-version", "6", source, *linked, "-o", tmp_path / "example"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=100)
        assert result.returncode == 0, result.stderr
        paths = paths_of(program)
        played = await play(tmp_path / "example", paths, [["hello"]], ends_in_order=True)
        assert (played.was_serving, played.code) == (True, 0), played.errors
        assert [visit.path for visit in played.visits if visit.is_let_in] == paths
        assert redis.log().count("Ready to accept connections") == 1
