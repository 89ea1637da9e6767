"""The rows of the conformance suite (Tests/Conformance) once more, against running echo servers, and within TLS."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from support import conformance
from support.programs import BENCH, PROBE
from support.server import Server

# Connections at a time: enough to keep the server busy while others wait for it.
PLAYERS = 4


@pytest.fixture(scope="module")
def rows():
    return conformance.rows()


def failures_of(program, server, rows, authority=None):
    mode, max_message_size = server
    flags = ["--port", 0, "--deflate", mode, "--max-message", max_message_size]
    with Server([*program, *flags], authority=authority) as running, ThreadPoolExecutor(PLAYERS) as players:
        # Within TLS once is enough: each piece comes in a record of its own.
        ways = (True,) if authority else (False, True)
        outcomes = players.map(lambda row: conformance.failure_of(running.port, row, ways), rows)
        return [failure for failure in outcomes if failure]


@pytest.mark.parametrize("mode", ["off", "shared", "dedicated"])
@pytest.mark.parametrize("language", BENCH)
def test_every_row_is_answered_as_it_says(rows, language, mode):
    expect_all(rows, mode, [BENCH[language]])


@pytest.mark.parametrize("mode", ["off", "shared", "dedicated"])
def test_every_row_is_answered_as_it_says_within_tls(rows, authority, certificate, mode):
    expect_all(rows, mode, [PROBE, *certificate.flags(), "--backpressure-limit", 256 << 20], authority.path)


def expect_all(rows, mode, program, authority=None):
    servers = [server for server in rows if server[0] == mode]
    assert sum(len(rows[server]) for server in servers) > 100
    failures = []
    for server in servers:
        failures += failures_of(program, server, rows[server], authority)
    assert not failures, f"{len(failures)} rows fail:\n" + "\n".join(failures[:20])
