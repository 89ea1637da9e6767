"""The examples in C of headers and documents run, built by either compiler: each does what its text says."""

import re
import subprocess

import pytest

from support.clients import tls_by
from support.deployment import Certificate
from support.documentation import header_examples, markdown_examples
from support.playing import play
from support.programs import C_BUILD, C_LINKED, IS_SANITIZED, ROOT
from support.redis.servers import Redis

SURROUNDINGS = ROOT / "Tests/Integration/surroundings"

EXAMPLES = [example for example in [*markdown_examples(), *header_examples()] if example.language == "c"]

# What an example is about: the first of these that it has.
SIGNS = ("jz_redis_create(", "jz_server_listen(", "jz_tls_create(", "jz_session_next(")

# Code of clang's sanitizers can be linked by clang alone.
COMPILERS = ["clang"] if IS_SANITIZED else ["clang", "gcc"]

FLAGS = ["-std=c17", "-Wall", "-Wpedantic", "-Werror"]
INCLUDES = [f"-I{ROOT}/Sources/{name}/include" for name in ("CJazzyPoll", "CJazzyTLS", "CJazzyRedis")]
LIBRARIES = [C_BUILD / f"libcjazzy{name}.a" for name in ("tls", "redis", "poll")]
LIBRARIES += ["-lssl", "-lcrypto", "-lhiredis", "-lz", "-pthread", *C_LINKED]
SANITIZERS = ["-fsanitize=address,undefined"] if IS_SANITIZED else []


def examples(sign):
    return [example for example in EXAMPLES if next((each for each in SIGNS if each in example.code), None) == sign]


@pytest.fixture(params=COMPILERS)
def build(request, tmp_path):
    """Builds an example with one of the files that surround examples, which includes its parts."""

    def build_program(surroundings, code, *flags):
        paragraphs = code.split("\n\n")
        definitions = [paragraph for paragraph in paragraphs if paragraph.startswith(("static ", "#include"))]
        statements = [paragraph for paragraph in paragraphs if paragraph not in definitions]
        parts = {"DEFINITIONS": definitions, "STATEMENTS": statements}
        for name, lines in parts.items():
            (tmp_path / name).write_text("\n\n".join(lines) + "\n")
        names = [f'-D{name}="{tmp_path / name}"' for name in parts]
        linked = [SURROUNDINGS / surroundings, *LIBRARIES, "-o", tmp_path / "example"]
        command = [request.param, *FLAGS, *INCLUDES, *flags, *SANITIZERS, *names, *linked]
        result = subprocess.run(command, capture_output=True, text=True, timeout=100)
        assert result.returncode == 0, result.stderr
        return tmp_path / "example"

    return build_program


@pytest.mark.parametrize("example", examples("jz_server_listen("), ids=str)
async def test_a_server_serves_until_it_is_asked_to_end(build, example):
    code, count = re.subn(r"\b8080\b", "0", example.code)
    assert count == 1
    paths = re.findall(r'jz_server_route_ws\(server, "([^"]+)"', code)
    played = await play(build("serving.c", code), paths, [["hello", b"\x00\x01"]])
    assert (played.code, played.was_serving) == (0, True), played.errors
    assert [visit.received for visit in played.visits] == [["hello", b"\x00\x01"]] * len(paths)


@pytest.mark.parametrize("example", examples("jz_tls_create("), ids=str)
async def test_a_server_serves_over_tls(build, tmp_path, example):
    certificate = Certificate(tmp_path)
    certificate.certificate.rename(tmp_path / "chain.pem")
    certificate.key.rename(tmp_path / "key.pem")
    code, count = re.subn(r"\b8443\b", "0", example.code)
    assert count == 1
    program = build("serving.c", code)
    played = await play(program, [], [], pages=["/"], tls=tls_by(tmp_path / "chain.pem"))
    assert (played.code, played.was_serving) == (0, True), played.errors
    assert played.pages == {"/": 404}, "the example has no route"


@pytest.mark.parametrize("example", examples("jz_redis_create("), ids=str)
async def test_a_server_joins_others_through_redis(build, tmp_path, example):
    with Redis(tmp_path / "redis") as redis:
        code, count = re.subn(r"\b(8080|6379)\b", lambda port: "0" if port[0] == "8080" else str(redis.port), example.code)
        assert count == 2
        played = await play(build("serving.c", code), [], [], pages=["/"])
    assert (played.code, played.was_serving) == (0, True), played.errors
    assert played.pages == {"/": 404}, "the example has no route"


@pytest.mark.parametrize("example", examples("jz_session_next("), ids=str)
def test_a_session_takes_input_until_there_are_no_more_events(build, example):
    program = build("session.c", example.code, f"-I{ROOT}/Sources/CJazzyPoll")
    result = subprocess.run([program], capture_output=True, timeout=50)
    assert (result.returncode, result.stdout) == (0, b"\x81\x05Hello"), result.stderr


def test_there_is_no_other_example():
    assert sorted(map(str, EXAMPLES)) == sorted(str(example) for sign in SIGNS for example in examples(sign))
