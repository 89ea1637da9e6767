"""Connections by Python's ssl, which is OpenSSL: with names, sessions, certificates and versions that a test chooses."""

import json
import socket
import ssl

from cryptography import x509

from support.deadline import DEADLINE
from support.frames import TEXT
from support.raw import ACCEPT, RawConnection, upgrade_request
from support.secure import SecureSocket

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def context_for(authority, version=None, files=None, ciphers=None):
    """What a client trusts and can do. `files`: its own certificate and key."""
    context = ssl.create_default_context(cafile=authority)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if files is not None:
        context.load_cert_chain(files.certificate, files.key)
    if ciphers is not None:
        context.set_ciphers(ciphers)
    return context


class SecureClient(RawConnection):
    """A raw connection within TLS; `source`: the address that it comes from."""

    def __init__(self, port, context, name="localhost", session=None, source="127.0.0.1"):
        plain = socket.create_connection(("127.0.0.1", int(port)), DEADLINE, source_address=(source, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = bytearray()
        try:
            self.socket = SecureSocket(plain, context, name, session)
        except BaseException:
            plain.close()
            raise

    @property
    def tls(self):
        return self.socket.tls

    @property
    def certificate(self):
        """The server's."""
        return x509.load_der_x509_certificate(self.tls.getpeercert(binary_form=True))

    def upgrade(self, path="/echo", **headers):
        self.send(upgrade_request(path, **headers))
        response = self.read_response()
        assert (response.status, response.header("Sec-WebSocket-Accept")) == (101, ACCEPT), response
        return self

    def ask(self, text=b"?"):
        """The answer to a text."""
        self.send_frame(TEXT, text)
        return self.read_frame().payload


def told_of(connection):
    """What the server knows of a connection: whether it is secure, and its properties, without their prefix "tls."."""
    connection.upgrade("/tls")
    told = json.loads(connection.read_frame().payload)
    properties = {}
    for name, value in told["properties"]:
        assert name.startswith("tls.")
        properties.setdefault(name.removeprefix("tls."), []).append(value)
    return told["is_secure"], properties


def statistics_of(port, context):
    with SecureClient(port, context) as client:
        return json.loads(client.upgrade("/tls-statistics").ask())


def certificate_shown(port, name="localhost", version=None, ciphers=None):
    """The certificate that a server shows to who asks for a name (None: for none), whoever signed it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if ciphers is not None:
        context.set_ciphers(ciphers)
    with SecureClient(port, context, name) as client:
        return client.certificate
