"""`make install-redis`: a C program is built against the installed library of Redis, and shares topics by it."""

import json
import os
import re
import subprocess

import pytest

from support import frames
from support.deadline import eventually
from support.programs import ROOT
from support.raw import open_websocket
from support.redis.servers import Redis
from support.server import Server
from test_install import BUILD_DEADLINE, TOOLS, machine_with, make

PKG_CONFIG_FILE = "lib/pkgconfig/jazzyredis.pc"
SENTENCE = "Jazzy's broker needs hiredis: apt install libhiredis-dev, dnf install hiredis-devel, or brew install hiredis"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Where the library was built, and where it was installed, on a machine without pkg-config: hiredis is where
    compilers look, and there is no TLS."""
    path = machine_with(tmp_path_factory.mktemp("tools"), "gcc", *TOOLS)
    directory, objects = tmp_path_factory.mktemp("prefix"), tmp_path_factory.mktemp("build")
    make("-j2", "install-redis", f"PREFIX={directory}", f"BUILD={objects}", path=path)
    return objects, directory


@pytest.fixture(scope="module")
def prefix(built):
    return built[1]


@pytest.fixture(scope="module")
def secured_prefix(built, tmp_path_factory):
    """The same with TLS, in the same build but for what differs by it."""
    objects, _ = built
    directory = tmp_path_factory.mktemp("secured")
    for file in [*objects.rglob("CJazzyRedis/*/*.o"), *objects.rglob("libcjazzyredis.*")]:
        file.unlink()
    make("-j2", "install-redis", "REDIS_TLS=yes", f"PREFIX={directory}", f"BUILD={objects}")
    return directory


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    with Redis(tmp_path_factory.mktemp("redis")) as running:
        yield running


def flags(prefix, *arguments):
    environment = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}
    command = ["pkg-config", *arguments, "jazzyredis"]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()


def build(prefix, linking, program):
    libraries = flags(prefix, "--libs")
    if linking == "static":
        libraries = [re.sub(r"^-l(cjazzy\w+)$", r"-l:lib\1.a", flag) for flag in flags(prefix, "--static", "--libs")]
    source = ROOT / "Examples" / "redis-broadcast-server.c"
    command = ["gcc", "-std=c17", "-Wall", "-Wextra", "-Werror", *flags(prefix, "--cflags"), source, *libraries]
    subprocess.run([*command, "-o", program], check=True, timeout=BUILD_DEADLINE, cwd=program.parent)


def needed_libraries(file):
    listed = subprocess.run(["readelf", "--dynamic", file], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"\(NEEDED\).*\[([\w-]+)\.so", listed))


def expect_to_share(redis, command):
    """Two programs of it."""
    announced = r"^ws://localhost:(\d+)/broadcast$"
    with Server(command, announcement=announced) as one, Server(command, announcement=announced) as other:
        with open_websocket(one.port, "/broadcast") as speaker, open_websocket(other.port, "/broadcast") as listener:
            # Until both have reached Redis with their subscriptions nothing arrives.
            eventually(lambda: redis.call("PUBSUB", "NUMSUB", "jazzy:everybody")[1] == 2, "both are subscribed")
            speaker.send_frame(frames.TEXT, b"hello")
            assert listener.read_frame() == frames.Frame(frames.TEXT, b"hello")


@pytest.mark.parametrize("linking", ["static", "shared"])
def test_programs_built_against_the_installed_library_share_topics(prefix, redis, tmp_path, monkeypatch, linking):
    program = tmp_path / "redis-broadcast-server"
    build(prefix, linking, program)
    ours = {name for name in needed_libraries(program) if name.startswith("libcjazzy")}
    assert ours == ({"libcjazzypoll", "libcjazzyredis"} if linking == "shared" else set())
    monkeypatch.setenv("LD_LIBRARY_PATH", str(prefix / "lib"))
    expect_to_share(redis, [program, "--redis", redis.url, "--port", 0])


def test_with_tls_programs_share_topics_over_it(secured_prefix, tmp_path, monkeypatch, authority, certificate):
    program = tmp_path / "redis-broadcast-server"
    build(secured_prefix, "shared", program)
    assert {"libssl", "libcrypto"} <= needed_libraries(secured_prefix / "lib" / "libcjazzyredis.so")
    assert "openssl >= 3" in (secured_prefix / PKG_CONFIG_FILE).read_text()
    monkeypatch.setenv("LD_LIBRARY_PATH", str(secured_prefix / "lib"))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))  # the system's, for these programs
    with Redis(tmp_path / "redis", certificate=certificate) as redis:
        expect_to_share(redis, [program, "--redis", f"rediss://127.0.0.1:{redis.tls_port}", "--port", 0])


def test_without_tls_a_program_says_what_to_do(prefix, tmp_path, monkeypatch):
    assert not needed_libraries(prefix / "lib" / "libcjazzyredis.so") & {"libssl", "libcrypto"}
    assert "openssl" not in (prefix / PKG_CONFIG_FILE).read_text()
    program = tmp_path / "redis-broadcast-server"
    build(prefix, "shared", program)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(prefix / "lib"))
    command = [program, "--redis", "rediss://127.0.0.1:1", "--port", "0"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert result.returncode == 1
    assert "build it where pkg-config knows OpenSSL 3" in result.stderr


def test_without_redis_a_program_says_what_to_do(prefix, tmp_path, monkeypatch):
    program = tmp_path / "redis-broadcast-server"
    build(prefix, "shared", program)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(prefix / "lib"))
    for url, said in [("redis://127.0.0.1:1", "127.0.0.1:1"), ("redis://:hunter2@h:x", "has a port that is not")]:
        command = [program, "--redis", url, "--port", "0"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=50)
        assert result.returncode == 1
        assert said in result.stderr
        assert "hunter2" not in result.stderr


def test_the_core_does_not_need_it(prefix):
    core = needed_libraries(prefix / "lib" / "libcjazzypoll.so")
    assert not core & {"libhiredis", "libcjazzyredis"}
    assert {"libhiredis", "libcjazzypoll"} <= needed_libraries(prefix / "lib" / "libcjazzyredis.so")


def test_only_what_the_header_declares_is_visible(prefix):
    command = ["nm", "--dynamic", "--defined-only", "--format=posix", prefix / "lib" / "libcjazzyredis.so"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    header = (prefix / "include/jazzy/redis.h").read_text()
    declared = re.findall(r"^JZ_PUBLIC .*?\b(jz_\w+)\(", header, re.MULTILINE)
    assert {line.split()[0] for line in listed.splitlines()} == set(declared)


def test_the_package_names_what_has_it_and_needs_no_flags_for_it():
    """With those of pkg-config SwiftPM would warn of -D_FILE_OFFSET_BITS in every build."""
    command = ["swift", "package", "dump-package", "--package-path", ROOT]
    package = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=50).stdout)
    [hiredis] = [target for target in package["targets"] if target["name"] == "CJazzyHiredis"]
    assert hiredis.get("pkgConfig") is None
    assert {"apt": [["libhiredis-dev"]]} in hiredis["providers"]
    assert {"brew": [["hiredis"]]} in hiredis["providers"]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_compiler_says_what_is_missing(tmp_path, compiler):
    """Where there is no hiredis/hiredis.h, the first error is a sentence."""
    (tmp_path / "test.c").write_text('#include "CJazzyHiredis.h"\n')
    own = subprocess.run([compiler, "-print-file-name=include"], check=True, capture_output=True, text=True).stdout
    command = [compiler, "-fsyntax-only", "-nostdinc", "-isystem", own.strip(), "-I", ROOT / "Sources/CJazzyHiredis"]
    result = subprocess.run([*command, tmp_path / "test.c"], capture_output=True, text=True, timeout=50)
    assert result.returncode != 0
    assert SENTENCE in next(line for line in result.stderr.splitlines() if "error:" in line)
