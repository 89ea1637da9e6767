"""
A TLS client that can be stopped at every step, and sends whatever a test likes. It trusts everybody, and knows one
suite of each version.
"""

import contextlib
import hashlib
import hmac
import os
import socket
import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support import tls_records as tls
from support.deadline import DEADLINE
from support.raw import ACCEPT, RawConnection, upgrade_request
from support.tls_records import ALERT, DATA, HANDSHAKE, TLS12, TLS13, AlertReceived

SUITES = {TLS13: (tls.AES128_GCM_13,), TLS12: (tls.ECDHE_ECDSA_AES128_GCM, tls.ECDHE_RSA_AES128_GCM)}

TAG = 16


class Stopped(Exception):
    """All bytes that the client was allowed to send are sent."""


def sha256(data):
    return hashlib.sha256(data).digest()


def mac(key, data):
    return hmac.digest(key, data, "sha256")


def expand(secret, label, context=b"", length=32):
    """HKDF-Expand-Label, RFC 8446 §7.1, of no more than one block."""
    info = struct.pack("!H", length) + tls.vector(b"tls13 " + label, 1) + tls.vector(context, 1)
    return mac(secret, info + b"\1")[:length]


def pseudorandom(secret, label, seed, length):
    """PRF, RFC 5246 §5."""
    seed, output, chain = label + seed, b"", label + seed
    while len(output) < length:
        chain = mac(secret, chain)
        output += mac(secret, chain + seed)
    return output[:length]


class Keys13:
    """One direction's traffic keys of TLS 1.3."""

    def __init__(self, secret):
        self.secret, self._number = secret, 0
        self._cipher, self._iv = AESGCM(expand(secret, b"key", length=16)), expand(secret, b"iv", length=12)

    def next(self):
        return Keys13(expand(self.secret, b"traffic upd"))

    def _nonce(self):
        nonce = int.from_bytes(self._iv, "big") ^ self._number
        self._number += 1
        return nonce.to_bytes(12, "big")

    def seal(self, kind, payload, padding=0):
        inner = payload + bytes([kind]) + bytes(padding)
        head = struct.pack("!BHH", DATA, TLS12, len(inner) + TAG)
        return head + self._cipher.encrypt(self._nonce(), inner, head)

    def open(self, kind, payload):
        head = struct.pack("!BHH", kind, TLS12, len(payload))
        inner = self._cipher.decrypt(self._nonce(), payload, head).rstrip(b"\0")
        return inner[-1], inner[:-1]


class Keys12:
    """One direction's keys of TLS 1.2 with AES-GCM, RFC 5288."""

    def __init__(self, key, salt):
        self._cipher, self._salt, self._number = AESGCM(key), salt, 0

    def _further(self, kind, length):
        number = struct.pack("!Q", self._number)
        self._number += 1
        return number, number + struct.pack("!BHH", kind, TLS12, length)

    def seal(self, kind, payload, padding=0):
        assert not padding
        number, further = self._further(kind, len(payload))
        return tls.record(kind, number + self._cipher.encrypt(self._salt + number, payload, further))

    def open(self, kind, payload):
        _, further = self._further(kind, len(payload) - 8 - TAG)
        return kind, self._cipher.decrypt(self._salt + payload[:8], payload[8:], further)


class TLSByHand:
    """
    `most`: sends no more bytes than these, and then raises Stopped. `chunk`: sends so many at a time. `hello`: changes
    of its hello (tls_records.client_hello).
    """

    def __init__(self, port, *, version=TLS13, most=None, chunk=None, **hello):
        self.plain = socket.create_connection(("127.0.0.1", int(port)), DEADLINE)
        self.plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.version, self.tickets = version, []
        self._left, self._chunk, self._changes = most, chunk, hello
        self._own_keys = self._peers_keys = None
        self._transcript, self._messages, self._data = b"", bytearray(), bytearray()
        self._has_ended = False

    # Bytes and records

    def send_bytes(self, data):
        stops = self._left is not None and len(data) > self._left
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        step = self._chunk or len(data) or 1
        for start in range(0, len(data), step):
            self.plain.sendall(data[start : start + step])
        if stops:
            raise Stopped

    def read_bytes(self, count):
        data = b""
        while len(data) < count:
            piece = self.plain.recv(count - len(data))
            if not piece:
                raise EOFError("the stream ended without a close_notify" if not self._has_ended else "it has ended")
            data += piece
        return data

    def seal(self, kind, payload=b"", padding=0):
        """A record with the keys of now, to be sent next."""
        return self._own_keys.seal(kind, payload, padding) if self._own_keys else tls.record(kind, payload)

    def send(self, kind, payload=b"", padding=0):
        self.send_bytes(self.seal(kind, payload, padding))

    def read(self):
        """The next record that says something, opened: its kind and content. Alerts are raised."""
        while True:
            kind, _, length = struct.unpack("!BHH", self.read_bytes(5))
            payload = self.read_bytes(length)
            is_sealed = self._peers_keys and (kind == DATA or self.version == TLS12)
            if is_sealed:
                kind, payload = self._peers_keys.open(kind, payload)
            if kind == ALERT:
                self._has_ended = True
                raise AlertReceived(payload)
            if kind != tls.CHANGE_CIPHER_SPEC or self.version == TLS12:
                return kind, payload

    def read_message(self):
        """The next handshake message: its kind and its body."""
        while len(self._messages) < 4 or len(self._messages) < 4 + int.from_bytes(self._messages[1:4], "big"):
            kind, payload = self.read()
            assert kind == HANDSHAKE, kind
            self._messages += payload
        length = 4 + int.from_bytes(self._messages[1:4], "big")
        whole = bytes(self._messages[:length])
        del self._messages[:length]
        self._transcript += whole
        return whole[0], whole[4:]

    def _say(self, kind, body):
        whole = tls.message(kind, body)
        self._transcript += whole
        return whole

    # The handshake, step by step

    def hello(self):
        """The bytes of its hello."""
        self._private = X25519PrivateKey.generate()
        self.random = os.urandom(32)
        public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        of_13 = {"versions": (TLS13,), "shares": [(tls.X25519, public)]}
        changes = of_13 if self.version == TLS13 else {"versions": ()}
        hello = tls.client_hello(random=self.random, **{"suites": SUITES[self.version], **changes, **self._changes})
        self._transcript += hello
        return hello

    def begin(self):
        hello = self.hello()
        for start in range(0, len(hello), tls.MOST):
            self.send_bytes(tls.record(HANDSHAKE, hello[start : start + tls.MOST], version=tls.TLS10))

    def take_answer(self):
        """Reads the server's part."""
        kind, body = self.read_message()
        assert kind == tls.SERVER_HELLO, kind
        self.server_hello = tls.parse_server_hello(body)
        assert self.server_hello.version == self.version
        assert not self.server_hello.asks_again
        (self._take_answer_13 if self.version == TLS13 else self._take_answer_12)()

    def finish(self):
        """Sends its own last part; with 1.2 the server's follows."""
        (self._finish_13 if self.version == TLS13 else self._finish_12)()

    def shake_hands(self):
        self.begin()
        self.take_answer()
        self.finish()
        self._messages.clear()
        return self

    def _exchange(self, peers_key):
        return self._private.exchange(X25519PublicKey.from_public_bytes(peers_key))

    def _take_answer_13(self):
        shared = self._exchange(self.server_hello.extensions[tls.KEY_SHARE][4:])
        early = mac(bytes(32), bytes(32))
        secret = mac(expand(early, b"derived", sha256(b"")), shared)
        so_far = sha256(self._transcript)
        self._client_secret = expand(secret, b"c hs traffic", so_far)
        self._peers_keys = Keys13(expand(secret, b"s hs traffic", so_far))
        self.server_messages = [(tls.SERVER_HELLO, b"")]
        while self.server_messages[-1][0] != tls.FINISHED:
            self.server_messages.append(self.read_message())
        self._master = mac(expand(secret, b"derived", sha256(b"")), bytes(32))
        so_far = sha256(self._transcript)
        self._next_own = Keys13(expand(self._master, b"c ap traffic", so_far))
        self._peers_keys = Keys13(expand(self._master, b"s ap traffic", so_far))
        self._own_keys = Keys13(self._client_secret)

    def _finish_13(self):
        data = b""
        if tls.CERTIFICATE_REQUEST in dict(self.server_messages):
            data += self.seal(HANDSHAKE, self._say(tls.CERTIFICATE, bytes(4)))
        verify = mac(expand(self._client_secret, b"finished"), sha256(self._transcript))
        self.send_bytes(data + self.seal(HANDSHAKE, self._say(tls.FINISHED, verify)))
        self.resumption_secret = expand(self._master, b"res master", sha256(self._transcript))
        self._own_keys = self._next_own

    def _take_answer_12(self):
        self.server_messages = []
        while not self.server_messages or self.server_messages[-1][0] != tls.SERVER_HELLO_DONE:
            self.server_messages.append(self.read_message())
        key_exchange = dict(self.server_messages)[tls.SERVER_KEY_EXCHANGE]
        assert key_exchange[:3] == bytes([3, 0, tls.X25519])
        self._peers_public = key_exchange[4 : 4 + key_exchange[3]]

    def _finish_12(self):
        data = b""
        if tls.CERTIFICATE_REQUEST in dict(self.server_messages):
            data += self.seal(HANDSHAKE, self._say(tls.CERTIFICATE, bytes(3)))
        public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        data += self.seal(HANDSHAKE, self._say(tls.CLIENT_KEY_EXCHANGE, tls.vector(public, 1)))
        randoms = self.random, self.server_hello.random
        master = pseudorandom(self._exchange(self._peers_public), b"master secret", b"".join(randoms), 48)
        block = pseudorandom(master, b"key expansion", b"".join(reversed(randoms)), 40)
        data += self.seal(tls.CHANGE_CIPHER_SPEC, b"\1")
        self._own_keys = Keys12(block[:16], block[32:36])
        verify = pseudorandom(master, b"client finished", sha256(self._transcript), 12)
        self.send_bytes(data + self.seal(HANDSHAKE, self._say(tls.FINISHED, verify)))
        while (kind := self._next_kind_12()) != tls.CHANGE_CIPHER_SPEC:
            assert kind == HANDSHAKE  # a ticket
        self._peers_keys = Keys12(block[16:32], block[36:40])
        assert self.read_message()[0] == tls.FINISHED

    def _next_kind_12(self):
        kind, payload = self.read()
        if kind == HANDSHAKE:
            self.tickets.append(payload[10:])
            self._transcript += payload
        return kind

    # What follows it

    def update_keys(self, asks=False):
        """Sends a key update, RFC 8446 §4.6.3; `asks` for one in return."""
        self.send(HANDSHAKE, tls.message(tls.KEY_UPDATE, bytes([asks])))
        self._own_keys = self._own_keys.next()

    def sealed_updates(self, count, asks):
        """The bytes of so many key updates."""
        data = b""
        for _ in range(count):
            data += self.seal(HANDSHAKE, tls.message(tls.KEY_UPDATE, bytes([asks])))
            self._own_keys = self._own_keys.next()
        return data

    def _take_message(self):
        kind, body = self.read_message()
        if kind == tls.KEY_UPDATE:
            self._peers_keys = self._peers_keys.next()
        elif kind == tls.NEW_SESSION_TICKET and self.version == TLS13:
            nonce_end = 9 + body[8]
            length = int.from_bytes(body[nonce_end : nonce_end + 2], "big")
            self.tickets.append(body[nonce_end + 2 : nonce_end + 2 + length])
        return kind

    # The face of a socket

    def sendall(self, data):
        for start in range(0, len(data), tls.MOST):
            self.send(DATA, data[start : start + tls.MOST])

    def recv(self, count):
        while not self._data:
            try:
                kind, payload = self.read()
            except AlertReceived as received:
                if received.description == tls.CLOSE_NOTIFY:
                    return b""
                raise
            if kind == HANDSHAKE:
                self._messages += payload
                self._take_message()
            else:
                self._data += payload
        data = bytes(self._data[:count])
        del self._data[:count]
        return data

    def shutdown(self, _how):
        self.send(ALERT, bytes([tls.WARNING, tls.CLOSE_NOTIFY]))
        self.plain.shutdown(socket.SHUT_WR)

    def close(self):
        self.plain.close()

    def reset(self):
        self.plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.plain.close()

    @property
    def socket(self):
        return self.plain

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __getattr__(self, name):
        return getattr(self.plain, name)  # settimeout, setsockopt, fileno


class ConnectionByHand(RawConnection):
    """A raw connection within TLS that is made by hand. `tls`: the client, after its handshake."""

    def __init__(self, tls):
        self.socket = self.tls = tls
        self._received = bytearray()


def open_by_hand(port, path="/echo", **options):
    """A WebSocket within TLS that is made by hand."""
    return open_within(TLSByHand(port, **options).shake_hands(), path)


def open_within(client, path="/echo"):
    """A WebSocket of this client, whose handshake is done."""
    connection = ConnectionByHand(client)
    connection.send(upgrade_request(path))
    response = connection.read_response()
    assert (response.status, response.header("Sec-WebSocket-Accept")) == (101, ACCEPT), response
    return connection


def end_of(connection):
    """How the server ends a connection: the alert's description, "end" without one, or "reset"."""
    with contextlib.suppress(TimeoutError):
        try:
            while True:
                connection.read()
        except AlertReceived as received:
            return received.description
        except EOFError:
            return "end"
        except ConnectionResetError:
            return "reset"
    raise AssertionError("the server did not end the connection")
