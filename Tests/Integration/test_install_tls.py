"""`make install-tls`: a C program is built against the installed library of TLS, by its pkg-config file, and serves."""

import os
import re
import ssl
import subprocess

import pytest

from support import frames
from support.programs import ROOT
from support.raw import RawConnection, upgrade_request
from support.server import Server
from test_install import BUILD_DEADLINE, TOOLS, machine_with, make

SENTENCE = "Jazzy's TLS needs OpenSSL 3: apt install libssl-dev, dnf install openssl-devel, or brew install openssl@3"


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """Installation on a machine without pkg-config: OpenSSL is where compilers look."""
    path = machine_with(tmp_path_factory.mktemp("tools"), "gcc", *TOOLS)
    directory = tmp_path_factory.mktemp("prefix")
    make("-j2", "install-tls", f"PREFIX={directory}", f"BUILD={tmp_path_factory.mktemp('build')}", path=path)
    return directory


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with a certificate for localhost, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", folder / "key.pem", "-out", folder / "certificate.pem"]
    subprocess.run(command, check=True, capture_output=True, timeout=50)
    both = folder / "both.pem"
    both.write_text((folder / "certificate.pem").read_text() + (folder / "key.pem").read_text())
    return both


def flags(prefix, *arguments):
    environment = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}
    command = ["pkg-config", *arguments, "jazzytls"]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()


def build(prefix, linking, program):
    libraries = flags(prefix, "--libs")
    if linking == "static":
        libraries = [re.sub(r"^-l(cjazzy\w+)$", r"-l:lib\1.a", flag) for flag in flags(prefix, "--static", "--libs")]
    source = ROOT / "Examples" / "tls-echo-server.c"
    command = ["gcc", "-std=c17", "-Wall", "-Wextra", "-Werror", *flags(prefix, "--cflags"), source, *libraries]
    subprocess.run([*command, "-o", program], check=True, timeout=BUILD_DEADLINE, cwd=program.parent)


def needed_libraries(file):
    listed = subprocess.run(["readelf", "--dynamic", file], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"\(NEEDED\).*\[([\w-]+)\.so", listed))


@pytest.mark.parametrize("linking", ["static", "shared"])
def test_a_program_built_against_the_installed_library_echoes(prefix, certificate, tmp_path, monkeypatch, linking):
    program = tmp_path / "tls-echo-server"
    build(prefix, linking, program)
    ours = {name for name in needed_libraries(program) if name.startswith("libcjazzy")}
    assert ours == ({"libcjazzypoll", "libcjazzytls"} if linking == "shared" else set())
    monkeypatch.setenv("LD_LIBRARY_PATH", str(prefix / "lib"))
    command = [program, "--tls-certificate", certificate, "--port", 0]
    with Server(command, announcement=r"^wss://localhost:(\d+)/echo$") as server:
        with RawConnection(server.port) as connection:
            context = ssl.create_default_context(cafile=certificate)
            connection.socket = context.wrap_socket(connection.socket, server_hostname="localhost")
            connection.send(upgrade_request("/echo"))
            assert connection.read_response().status == 101
            connection.send_frame(frames.TEXT, b"hello")
            assert connection.read_frame() == frames.Frame(frames.TEXT, b"hello")


def test_the_core_does_not_need_it(prefix):
    core = needed_libraries(prefix / "lib" / "libcjazzypoll.so")
    assert not core & {"libssl", "libcrypto", "libcjazzytls"}
    assert {"libssl", "libcrypto", "libcjazzypoll"} <= needed_libraries(prefix / "lib" / "libcjazzytls.so")


def test_only_what_the_header_declares_is_visible(prefix):
    command = ["nm", "--dynamic", "--defined-only", "--format=posix", prefix / "lib" / "libcjazzytls.so"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    declared = re.findall(r"^JZ_PUBLIC .*?\b(jz_\w+)\(", (prefix / "include/jazzy/tls.h").read_text(), re.MULTILINE)
    assert {line.split()[0] for line in listed.splitlines()} == set(declared)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_compiler_says_what_is_missing(tmp_path, compiler):
    """Where there is no openssl/ssl.h, the first error is a sentence."""
    (tmp_path / "test.c").write_text('#include "CJazzyOpenSSL.h"\n')
    own = subprocess.run([compiler, "-print-file-name=include"], check=True, capture_output=True, text=True).stdout
    command = [compiler, "-fsyntax-only", "-nostdinc", "-isystem", own.strip(), "-I", ROOT / "Sources/CJazzyOpenSSL"]
    result = subprocess.run([*command, tmp_path / "test.c"], capture_output=True, text=True, timeout=50)
    assert result.returncode != 0
    assert SENTENCE in next(line for line in result.stderr.splitlines() if "error:" in line)
