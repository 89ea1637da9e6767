"""A server that cannot start says why, and its process ends with 1."""

import os
import socket

import pytest

from support.programs import BENCH, PROBE
from support.server import Server, run_to_end

SERVERS = [PROBE, *BENCH.values()]


@pytest.fixture(params=SERVERS, ids=lambda path: path.name)
def program(request):
    return request.param


@pytest.fixture
def taken_port():
    with socket.socket() as listener:
        listener.bind(("", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_in_use(program, taken_port):
    code, said = run_to_end([program, "--port", taken_port])
    assert (code, str(taken_port) in said, "in use" in said) == (1, True, True), said


@pytest.mark.parametrize("threads", [1, 2])
def test_a_port_in_use_by_another_server_of_this_library(threads):
    with Server([PROBE, "--port", 0, "--threads", threads]) as first:
        code, said = run_to_end([PROBE, "--port", first.port, "--threads", threads])
        assert (code, str(first.port) in said, "in use" in said) == (1, True, True), said


def test_a_port_below_1024_without_the_privilege(program):
    # The superuser has the privilege: it is taken from the process.
    without_privilege = ["setpriv", "--bounding-set", "-net_bind_service"] if os.geteuid() == 0 else []
    code, said = run_to_end([*without_privilege, program, "--port", 81])
    assert (code, "81" in said, "ermission" in said) == (1, True, True), said


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("256.0.0.1", ["256.0.0.1"]),
        ("no-such-name.invalid", ["no-such-name.invalid"]),
        ("", ["address"]),
        ("192.0.2.1", ["192.0.2.1"]),  # an address of no machine, RFC 5737
        ("2001:db8::1", ["2001:db8::1"]),
    ],
)
def test_a_bad_address(host, words):
    # resolv.conf(5): where no name server answers, the resolver waits for longer than a test does.
    quickly = {"RES_OPTIONS": "timeout:1 attempts:1"}
    code, said = run_to_end([PROBE, "--port", 0, "--host", host], quickly)
    assert code == 1
    assert all(word in said for word in words), said


@pytest.mark.parametrize("limit", [4, 5])
def test_no_descriptors_left(program, limit):
    code, said = run_to_end(["prlimit", f"--nofile={limit}", program, "--port", 0])
    assert code == 1
    assert "descriptor" in said or "open files" in said, said


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--threads", 0, ["threads", "0", "1", "255"]),
        ("--threads", 256, ["threads", "256", "255"]),
        ("--backlog", 0, ["backlog", "0", "65535"]),
        ("--backlog", 65536, ["backlog", "65536", "65535"]),
        ("--receive-buffer", 4095, ["receive_buffer_size", "4095", "4096"]),
        ("--receive-buffer", (16 << 20) + 1, ["receive_buffer_size", "16777217", "16777216"]),
        ("--max-message", 0, ["max_message_size", "0", "1073741824"]),
        ("--max-message", (1 << 30) + 1, ["max_message_size", "1073741825", "1073741824"]),
        ("--backpressure-limit", 4095, ["backpressure_limit", "4095", "4096"]),
        ("--handshake-timeout-ms", 99, ["handshake_timeout_ms", "99", "100"]),
        ("--handshake-timeout-ms", 3600001, ["handshake_timeout_ms", "3600001", "3600000"]),
        ("--close-timeout-ms", 99, ["close_timeout_ms", "99", "100"]),
        ("--close-timeout-ms", 3600001, ["close_timeout_ms", "3600001", "3600000"]),
    ],
)
def test_an_option_out_of_range_names_the_option_the_value_and_the_range(flag, value, words):
    code, said = run_to_end([PROBE, "--port", 0, flag, value])
    assert code == 1
    assert all(word in said.replace(",", "") for word in words), said


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_good_address(host):
    with Server([PROBE, "--port", 0, "--host", host]) as server:
        socket.create_connection((host, server.port), 5).close()


def test_without_a_host_it_listens_on_ipv4_and_ipv6(probe):
    for host in ("127.0.0.1", "::1"):
        socket.create_connection((host, probe.port), 5).close()
