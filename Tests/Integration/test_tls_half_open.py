"""Thousands of handshakes of TLS that are begun and not ended: what each costs the server, and that others are served."""

import socket

import pytest

from support.deadline import eventually
from support.process import descriptor_count, resident_memory
from support.programs import IS_SANITIZED
from support.raw import open_websocket
from support.siege import (
    KEPT,
    PATIENCE,
    allow_many_descriptors,
    besieged,
    crowd_of,
    echo_of,
    expect_echo,
    scaled,
    seconds_for,
    settled,
)
from support.tls_by_hand import TLSByHand
from support.tls_records import HANDSHAKE, TLS12, TLS13, record

COUNT = scaled(5000)

KIBIBYTE = 1024

# Of what all of them have cost a sanitizer gives little back.
KEPT_OF_ALL = KEPT + (COUNT * 100 * KIBIBYTE if IS_SANITIZED else 0)


def hello_of(port, version):
    """One for all, because making each would take longer than answering it."""
    with TLSByHand(port, version=version) as model:
        return record(HANDSHAKE, model.hello())


# What a client has sent when it stops, and how much the server may have for it at most. OpenSSL has a buffer of 17 KB
# in each direction during a handshake; and what it knows of the handshake.
STAGES = {
    "nothing": (TLS13, 0, 2 * KIBIBYTE),
    "a byte": (TLS13, 1, 52 * KIBIBYTE),
    "a hello of 1.3": (TLS13, None, 52 * KIBIBYTE),
    "a hello of 1.2": (TLS12, None, 52 * KIBIBYTE),
}


@pytest.mark.parametrize(("version", "sent", "most"), STAGES.values(), ids=STAGES)
def test_thousands_of_handshakes_that_are_half_open_cost_little_and_keep_nobody_waiting(
    start_secure, version, sent, most
):
    server = start_secure("--handshake-timeout-ms", 120_000)
    allow_many_descriptors(server.pid)
    beginning = hello_of(server.port, version)[:sent]
    with besieged(server, kept=KEPT_OF_ALL), open_websocket(server.port) as served:
        before = resident_memory(server.pid)
        with crowd_of(COUNT, lambda: TLSByHand(server.port)) as half_open:
            for each in half_open:
                each.send_bytes(beginning)
            eventually(lambda: descriptor_count(server.pid) > COUNT, "all of them are accepted", 60)
            if sent is None:
                for each in half_open:
                    each.settimeout(60)
                    assert each.plain.recv(1, socket.MSG_PEEK), "each is answered"
            used = settled(lambda: resident_memory(server.pid), quiet=0.3)
            waited = max(seconds_for(server, lambda: echo_of(served)) for _ in range(20))
            each_costs = (used - before) / COUNT
            assert waited < PATIENCE, f"an echo took {waited:.2f} s"
            expect_echo(server)
            assert IS_SANITIZED or each_costs <= most, f"each costs {each_costs:.0f} bytes"
