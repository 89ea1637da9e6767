"""Records and handshake messages of TLS (RFC 8446, RFC 5246) by hand, so that a test can also write wrong ones."""

import os
import struct
from dataclasses import dataclass

SSL30, TLS10, TLS11, TLS12, TLS13 = 0x0300, 0x0301, 0x0302, 0x0303, 0x0304

# Kinds of records.
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA, HEARTBEAT = 20, 21, 22, 23, 24

# Handshake messages.
HELLO_REQUEST, CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET = 0, 1, 2, 4
ENCRYPTED_EXTENSIONS, CERTIFICATE, SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST = 8, 11, 12, 13
SERVER_HELLO_DONE, CERTIFICATE_VERIFY, CLIENT_KEY_EXCHANGE, FINISHED, KEY_UPDATE = 14, 15, 16, 20, 24

# Alerts.
WARNING, FATAL = 1, 2
CLOSE_NOTIFY, UNEXPECTED_MESSAGE, BAD_RECORD_MAC, RECORD_OVERFLOW, HANDSHAKE_FAILURE = 0, 10, 20, 22, 40
ILLEGAL_PARAMETER, DECODE_ERROR, DECRYPT_ERROR, PROTOCOL_VERSION = 47, 50, 51, 70
INAPPROPRIATE_FALLBACK, USER_CANCELED, NO_RENEGOTIATION, MISSING_EXTENSION = 86, 90, 100, 109
UNRECOGNIZED_NAME, CERTIFICATE_REQUIRED, NO_APPLICATION_PROTOCOL = 112, 116, 120

# Extensions.
SERVER_NAME, SUPPORTED_GROUPS, SIGNATURE_ALGORITHMS, ALPN, SESSION_TICKET = 0, 10, 13, 16, 35
PRE_SHARED_KEY, EARLY_DATA, SUPPORTED_VERSIONS, PSK_MODES, KEY_SHARE = 41, 42, 43, 45, 51

P256, X25519 = 23, 29

# Cipher suites.
AES128_GCM_13 = 0x1301
ECDHE_ECDSA_AES128_GCM, ECDHE_RSA_AES128_GCM = 0xC02B, 0xC02F
FALLBACK = 0x5600  # RFC 7507

ECDSA_SIGNATURES = (0x0403, 0x0503, 0x0603)
RSA_SIGNATURES = (0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601)

MOST = 1 << 14  # bytes of a record

# The random bytes of a hello that asks for another one, RFC 8446 §4.1.3.
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


def record(kind, payload=b"", *, version=TLS12, length=None):
    """`length` claims another one than the payload's."""
    return struct.pack("!BHH", kind, version, len(payload) if length is None else length) + payload


def alert(level, description):
    return record(ALERT, bytes([level, description]))


def message(kind, body=b"", *, length=None):
    """A handshake message."""
    return struct.pack("!I", kind << 24 | (len(body) if length is None else length)) + body


def vector(data, size):
    """Bytes behind their length, which takes so many bytes."""
    return len(data).to_bytes(size, "big") + data


def extension(kind, body=b""):
    return struct.pack("!H", kind) + vector(body, 2)


def numbers(values):
    return b"".join(struct.pack("!H", value) for value in values)


def server_name(name):
    return extension(SERVER_NAME, vector(b"\0" + vector(name, 2), 2))


def client_hello(
    *,
    version=TLS12,
    versions=(TLS13,),
    suites=(AES128_GCM_13,),
    name=b"localhost",
    groups=(X25519, P256),
    signatures=ECDSA_SIGNATURES + RSA_SIGNATURES,
    shares=(),
    protocols=(),
    more=b"",
    last=b"",
    session=b"",
    compressions=b"\0",
    random=None,
):
    """`shares`: pairs of a group and a key. `more` and `last`: further extensions, the second behind all others."""
    extensions = more
    if name is not None:
        extensions += server_name(name)
    if groups:
        extensions += extension(SUPPORTED_GROUPS, vector(numbers(groups), 2))
    if signatures:
        extensions += extension(SIGNATURE_ALGORITHMS, vector(numbers(signatures), 2))
    if protocols:
        extensions += extension(ALPN, vector(b"".join(vector(each, 1) for each in protocols), 2))
    if versions:
        extensions += extension(SUPPORTED_VERSIONS, vector(numbers(versions), 1))
        entries = b"".join(struct.pack("!H", group) + vector(key, 2) for group, key in shares)
        extensions += extension(KEY_SHARE, vector(entries, 2)) + extension(PSK_MODES, b"\1\1")
    extensions += last
    body = struct.pack("!H", version) + (random or os.urandom(32)) + vector(session, 1)
    body += vector(numbers(suites), 2) + vector(compressions, 1)
    return message(CLIENT_HELLO, body + (vector(extensions, 2) if extensions else b""))


@dataclass(frozen=True)
class ServerHello:
    version: int
    random: bytes
    suite: int
    compression: int
    extensions: dict

    @property
    def asks_again(self):
        return self.random == RETRY


def parse_server_hello(body):
    (version,) = struct.unpack_from("!H", body)
    random, position = body[2:34], 35 + body[34]
    suite, compression = struct.unpack_from("!HB", body, position)
    extensions = dict(extensions_of(body[position + 5 :]))
    if SUPPORTED_VERSIONS in extensions:
        (version,) = struct.unpack("!H", extensions[SUPPORTED_VERSIONS])
    return ServerHello(version, random, suite, compression, extensions)


def extensions_of(data):
    position = 0
    while position < len(data):
        kind, length = struct.unpack_from("!HH", data, position)
        yield kind, data[position + 4 : position + 4 + length]
        position += 4 + length


class AlertReceived(ConnectionError):
    """The peer sent an alert; a close_notify, too, where none was expected."""

    def __init__(self, payload):
        super().__init__(f"alert {payload.hex()}")
        self.level, self.description = payload


def split(data):
    """The records of a stream's bytes, as pairs of kind and payload; the last may be cut."""
    position = 0
    while position < len(data):
        kind, _, length = struct.unpack_from("!BHH", data, position)
        yield kind, data[position + 5 : position + 5 + length]
        position += 5 + length
