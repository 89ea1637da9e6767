"""What a port of TLS offers, found out as scanners do: versions, suites, groups, signatures, fallbacks."""

import contextlib
import socket
import ssl
import subprocess

import pytest

from support import tls_records as tls
from support.deadline import DEADLINE
from support.tls_by_hand import TLSByHand
from support.tls_records import SSL30, TLS10, TLS11, TLS12, TLS13, AlertReceived, client_hello

ECDSA_SUITES = {0xC02B: "ECDHE-ECDSA-AES128-GCM-SHA256", 0xC02C: "ECDHE-ECDSA-AES256-GCM-SHA384",
                0xCCA9: "ECDHE-ECDSA-CHACHA20-POLY1305"}
RSA_SUITES = {0xC02F: "ECDHE-RSA-AES128-GCM-SHA256", 0xC030: "ECDHE-RSA-AES256-GCM-SHA384",
              0xCCA8: "ECDHE-RSA-CHACHA20-POLY1305"}
SUITES_13 = {0x1301: "TLS_AES_128_GCM_SHA256", 0x1302: "TLS_AES_256_GCM_SHA384",
             0x1303: "TLS_CHACHA20_POLY1305_SHA256"}

# Every number that may be a suite, but those that say something else (RFC 5746, RFC 7507), in hellos of 8 KB.
NUMBERS = [number for number in range(65536) if number not in (0x00FF, tls.FALLBACK)]
BATCHES = [NUMBERS[start : start + 4000] for start in range(0, len(NUMBERS), 4000)]

# By RFC 8422, RFC 7919 and RFC 8446; the last is of OpenSSL 3.5 and later.
GROUPS = {"X25519": 29, "P-256": 23, "P-384": 24, "P-521": 25, "X448": 30, "secp256k1": 22, "P-224": 21, "P-192": 19,
          "brainpoolP256r1": 26, "ffdhe2048": 256, "ffdhe3072": 257, "ffdhe8192": 260}
OFFERED_GROUPS = {"X25519", "P-256", "P-384"}


def answer_to(port, hello, version=TLS10):
    """The server's hello and its body; or an alert's description, or None where it just ends the connection."""
    with TLSByHand(port) as client:
        for start in range(0, len(hello), tls.MOST):
            client.send_bytes(tls.record(tls.HANDSHAKE, hello[start : start + tls.MOST], version=version))
        try:
            kind, body = client.read_message()
        except AlertReceived as received:
            assert received.level == tls.FATAL
            return received.description
        except (EOFError, ConnectionResetError):
            return None
    assert kind == tls.SERVER_HELLO
    return tls.parse_server_hello(body)


def hello_of(version, suites=(), **changes):
    """A hello of exactly this version."""
    if version == TLS13:
        shares = {"shares": [(tls.X25519, bytes([9]) + bytes(31))]}  # the base point is as good a key as any
        return client_hello(suites=suites, **{**shares, **changes})
    return client_hello(version=version, versions=(), suites=suites, **changes)


def suites_of(port, version):
    """Everything that it agrees to, in the order of its preference within a batch; and how it refuses the rest."""
    agreed, refused = [], set()
    for batch in BATCHES:
        left = list(batch)
        while isinstance(answer := answer_to(port, hello_of(version, left)), tls.ServerHello):
            assert answer.version == version
            agreed.append(answer.suite)
            left.remove(answer.suite)
        refused.add(answer)
    return agreed, refused


@pytest.fixture(scope="module")
def kinds(authority, tmp_path_factory):
    """A certificate of each kind of key."""
    folder = tmp_path_factory.mktemp("kinds")
    return {key: authority.certify("localhost", key=key).write(folder, key) for key in ("ecdsa", "rsa")}


TABLE = {
    "compatible, ECDSA": ("compatible", ["ecdsa"], {TLS12: [*ECDSA_SUITES], TLS13: [*SUITES_13]}),
    "compatible, RSA": ("compatible", ["rsa"], {TLS12: [*RSA_SUITES], TLS13: [*SUITES_13]}),
    "compatible, both": (
        "compatible",
        ["ecdsa", "rsa"],
        {TLS12: [0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA8, 0xCCA9], TLS13: [*SUITES_13]},
    ),
    "modern": ("modern", ["ecdsa"], {TLS13: [*SUITES_13]}),
}


def flags_of(kinds, keys, policy):
    return [*(flag for key in keys for flag in kinds[key].flags()), "--tls-policy", policy]


@pytest.mark.parametrize(("policy", "keys", "offered"), TABLE.values(), ids=TABLE)
def test_versions_and_suites_are_these_and_no_others(start_secure, kinds, policy, keys, offered):
    server = start_secure(*flags_of(kinds, keys, policy), files=None)
    for version in (SSL30, TLS10, TLS11, TLS12, TLS13):
        agreed, refused = suites_of(server.port, version)
        assert sorted(agreed) == sorted(offered.get(version, [])), hex(version)
        # Of SSL 3.0 most builds of OpenSSL know nothing.
        ways = {tls.PROTOCOL_VERSION} | ({tls.HANDSHAKE_FAILURE} if version == SSL30 else set())
        assert refused <= ({tls.HANDSHAKE_FAILURE} if version in offered else ways), hex(version)


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_the_cheapest_suite_is_chosen_unless_the_client_prefers_chacha(secure_probe, version):
    cheapest, larger, chacha = ECDSA_SUITES if version == TLS12 else SUITES_13
    for wishes, chosen in {
        (cheapest, larger, chacha): cheapest,
        (larger, chacha, cheapest): cheapest,
        (larger, chacha): larger,
        (chacha, larger, cheapest): chacha,
    }.items():
        assert answer_to(secure_probe.port, hello_of(version, wishes)).suite == chosen


def client_of(authority, version, ciphers):
    context = ssl.create_default_context(cafile=authority)
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    return context


def connects(port, context):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(port)), DEADLINE) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as secure:
            return secure.version(), secure.cipher()[0], secure.compression()
    return None


def test_openssls_own_suites_connect_or_do_not(secure_probe):
    listed = subprocess.run(["openssl", "ciphers", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"], capture_output=True, check=True)
    names = [name for name in listed.stdout.decode().strip().split(":") if not name.startswith("TLS_")]
    assert len(names) > 100 and {*ECDSA_SUITES.values()} <= {*names}
    port, found = secure_probe.port, {}
    for name in names:
        with contextlib.suppress(ssl.SSLError):  # where only a setting more makes a client of it
            found[name] = connects(port, client_of(port.authority, ssl.TLSVersion.TLSv1_2, name))
    agreed = {name: ("TLSv1.2", name, None) for name in ECDSA_SUITES.values()}
    assert {name: outcome for name, outcome in found.items() if outcome} == agreed


VERSIONS = {"tls1": False, "tls1_1": False, "tls1_2": True, "tls1_3": True}


@pytest.mark.parametrize(("version", "is_spoken"), VERSIONS.items(), ids=VERSIONS)
def test_openssls_own_client_connects_with_these_versions(secure_probe, version, is_spoken):
    flags = [f"-{version}", "-cipher", "ALL:@SECLEVEL=0", "-CAfile", secure_probe.port.authority]
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{secure_probe.port}", *flags]
    said = subprocess.run(command, input=b"Q\n", capture_output=True, timeout=DEADLINE)
    assert (said.returncode == 0) == is_spoken
    if is_spoken:
        assert b"Verify return code: 0 (ok)" in said.stdout
        assert b"Compression: NONE" in said.stdout
        assert b"Secure Renegotiation IS supported" in said.stdout or version == "tls1_3"
    else:
        assert b"protocol version" in said.stderr


@pytest.mark.parametrize("group", GROUPS)
def test_keys_are_exchanged_in_these_groups(start_secure, kinds, group):
    server = start_secure(*flags_of(kinds, ["rsa"], "compatible"), files=None)
    number = GROUPS[group]
    again = answer_to(server.port, hello_of(TLS13, SUITES_13, groups=(number,), shares=()))
    older = answer_to(server.port, hello_of(TLS12, RSA_SUITES, groups=(number,)))
    if group in OFFERED_GROUPS:
        assert again.asks_again and again.extensions[tls.KEY_SHARE] == number.to_bytes(2, "big")
        assert older.version == TLS12
    else:
        assert (again, older) == (tls.HANDSHAKE_FAILURE, tls.HANDSHAKE_FAILURE)


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_nothing_is_signed_with_sha_1(secure_probe, version):
    suites = ECDSA_SUITES if version == TLS12 else SUITES_13
    assert isinstance(answer_to(secure_probe.port, hello_of(version, suites)), tls.ServerHello)
    assert answer_to(secure_probe.port, hello_of(version, suites, signatures=(0x0201, 0x0203))) == tls.HANDSHAKE_FAILURE


# Versions that there are not, and ways to say an old one.
OTHER_VERSIONS = {
    "later ones only": (client_hello(versions=(0x0305, 0x7F1C), suites=SUITES_13), tls.PROTOCOL_VERSION),
    "old ones only, by the extension": (client_hello(versions=(TLS11, TLS10, SSL30)), tls.PROTOCOL_VERSION),
    "1.2 that is a fallback of a client that can 1.3": (
        hello_of(TLS12, (tls.FALLBACK, *ECDSA_SUITES)),
        tls.INAPPROPRIATE_FALLBACK,
    ),
    "1.3 with compression": (hello_of(TLS13, SUITES_13, compressions=b"\1\0"), tls.ILLEGAL_PARAMETER),
    "1.3 without a group": (
        client_hello(suites=SUITES_13, groups=(), shares=[(tls.X25519, bytes(32))]),
        tls.MISSING_EXTENSION,
    ),
    "1.3 without signatures": (hello_of(TLS13, SUITES_13, signatures=()), tls.MISSING_EXTENSION),
}


@pytest.mark.parametrize(("hello", "alert"), OTHER_VERSIONS.values(), ids=OTHER_VERSIONS)
def test_what_is_not_agreed_to_is_refused_with_its_alert(secure_probe, hello, alert):
    assert answer_to(secure_probe.port, hello) == alert


def test_a_later_version_than_1_3_in_the_old_field_is_1_2(secure_probe):
    hello = client_hello(version=0x0305, versions=(), suites=ECDSA_SUITES)
    assert answer_to(secure_probe.port, hello).version == TLS12


def test_a_client_of_1_2_is_told_that_the_server_can_1_3(secure_probe):
    """So that it notices an attacker who made it believe otherwise: RFC 8446 §4.1.3."""
    assert answer_to(secure_probe.port, hello_of(TLS12, ECDSA_SUITES)).random.endswith(b"DOWNGRD\1")


def test_compression_is_never_chosen(secure_probe):
    answer = answer_to(secure_probe.port, hello_of(TLS12, ECDSA_SUITES, compressions=b"\1\0"))
    assert (answer.suite, answer.compression) == (0xC02B, 0)


def test_no_extension_is_answered_that_nobody_needs(secure_probe):
    heartbeat, more = tls.extension(15, b"\1"), tls.extension(0x0A0A) + tls.extension(0xFE0D, bytes(40))
    answer = answer_to(secure_probe.port, hello_of(TLS12, ECDSA_SUITES, more=heartbeat + more))
    assert {15, 0x0A0A, 0xFE0D}.isdisjoint(answer.extensions)


PROTOCOLS = {
    "http/1.1": ([b"http/1.1"], b"http/1.1"),
    "http/1.1 behind others": ([b"h2", b"http/1.0", b"http/1.1"], b"http/1.1"),
    "http/1.0": ([b"h3", b"http/1.0"], b"http/1.0"),
    "nothing": ([], None),
    "others only": ([b"h2", b"spdy/3", b"HTTP/1.1"], tls.NO_APPLICATION_PROTOCOL),
}


@pytest.mark.parametrize(("protocols", "chosen"), PROTOCOLS.values(), ids=PROTOCOLS)
def test_protocols_are_chosen_by_alpn(secure_probe, protocols, chosen):
    answer = answer_to(secure_probe.port, hello_of(TLS12, ECDSA_SUITES, protocols=protocols))
    if isinstance(chosen, int):
        assert answer == chosen
    else:
        told = answer.extensions.get(tls.ALPN)
        assert told == (tls.vector(tls.vector(chosen, 1), 2) if chosen else None)
