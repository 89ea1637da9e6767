"""Certificates by name and by kind, stapled responses, and clients with certificates of their own."""

import contextlib
import json
import ssl
import subprocess

import pytest

from support import tls_records as tls
from support.certificates import Authority
from support.deadline import DEADLINE
from support.raw import open_websocket, request
from support.tls_by_hand import TLSByHand, end_of
from support.tls_clients import VERSIONS, SecureClient, certificate_shown, context_for, told_of

every_version = pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("names")


# The certificates of one server: the names in each, the names that it is given, and its kind.
CERTIFICATES = {
    "first": (["localhost"], None, "ecdsa"),
    "chat": (["chat.example.com", "*.example.org"], None, "ecdsa"),
    "chat by RSA": (["chat.example.com"], None, "rsa"),
    "one of the others": (["one.example.org"], None, "ecdsa"),
    "named otherwise": (["nobody.example"], "given.example,*.deep.example.net", "ecdsa"),
}

SHOWN = {
    "localhost": "first",
    "chat.example.com": "chat",
    "CHAT.Example.COM": "chat",
    "two.example.org": "chat",
    "one.example.org": "one of the others",
    "a.b.example.org": "first",
    "example.org": "first",
    "given.example": "named otherwise",
    "any.deep.example.net": "named otherwise",
    "deep.example.net": "first",
    "nobody.example": "first",
    "elsewhere.example": "first",
    "127.0.0.1": "first",
    None: "first",
}


@pytest.fixture(scope="module")
def certificates(authority):
    return {name: authority.certify(*names, key=key) for name, (names, _, key) in CERTIFICATES.items()}


@pytest.fixture
def start_with_names(start_secure, certificates, folder):
    def start(*flags):
        for name, certified in certificates.items():
            names = CERTIFICATES[name][1]
            flags += certified.write(folder, name).flags() + (("--names", names) if names else ())
        return start_secure(*flags, files=None)

    return start


def name_of(certificates, shown):
    return next(name for name, each in certificates.items() if each.serial == shown.serial_number)


@every_version
def test_a_client_is_shown_the_certificate_of_the_name_it_asks_for(start_with_names, certificates, version):
    server = start_with_names()
    shown = {name: name_of(certificates, certificate_shown(server.port, name, version)) for name in SHOWN}
    assert shown == SHOWN


def test_a_client_that_can_verify_rsa_alone_is_shown_that_certificate(start_with_names, certificates):
    server, version = start_with_names(), ssl.TLSVersion.TLSv1_2
    by_rsa = certificate_shown(server.port, "chat.example.com", version, "ECDHE-RSA-AES128-GCM-SHA256")
    assert name_of(certificates, by_rsa) == "chat by RSA"
    # 1.3 chooses it by the signatures that the client knows.
    for signatures, name in ((tls.RSA_SIGNATURES, "chat by RSA"), (tls.ECDSA_SIGNATURES, "chat")):
        with TLSByHand(server.port, name=b"chat.example.com", signatures=signatures) as client:
            client.begin()
            client.take_answer()
            shown = dict(client.server_messages)[tls.CERTIFICATE]
            length = int.from_bytes(shown[4:7], "big")
            assert certificates[name].der == shown[7 : 7 + length]


@every_version
def test_names_of_no_certificate_are_refused_where_that_is_wished(start_with_names, certificates, version):
    server = start_with_names("--refuse-unknown-names", 1)
    for name, certificate in SHOWN.items():
        is_known = certificate != "first" or name in ("localhost", "127.0.0.1", None)
        if is_known:
            assert name_of(certificates, certificate_shown(server.port, name, version)) == certificate
        else:
            with pytest.raises(ssl.SSLError, match="(?i)unrecognized.name"):
                certificate_shown(server.port, name, version)


LONG_LABEL = b"a" * 63

# Names as no library writes them, and whose certificate is shown for them; None: the hello is refused.
ODD_NAMES = {
    "in capitals": (b"CHAT.EXAMPLE.COM", "chat"),
    "with a dot behind it": (b"chat.example.com.", "chat"),
    "with two dots behind it": (b"chat.example.com..", "first"),
    "with a dot before it": (b".chat.example.com", "first"),
    "with a NUL behind it": (b"chat.example.com\0", None),
    "with a NUL, and more": (b"chat.example.com\0.elsewhere.example", None),
    "with a space behind it": (b"chat.example.com ", "first"),
    "with a port": (b"chat.example.com:443", "first"),
    "an address": (b"192.0.2.1", "first"),
    "an address of IPv6": (b"[2001:db8::1]", "first"),
    "empty": (b"", "first"),
    "a label of 63 bytes": (LONG_LABEL + b".example.org", "chat"),
    "a label of 64 bytes": (LONG_LABEL + b"a.example.org", "first"),
    "of 255 bytes": (LONG_LABEL + b"." + LONG_LABEL + b"." + LONG_LABEL + b"." + b"a" * 51 + b".example.org", "first"),
    "of 256 bytes": (b"a" * 244 + b".example.org", None),
    "not ASCII": ("gr\u00fc\u00dfe.example.org".encode(), "first"),
}


@pytest.mark.parametrize("version", [tls.TLS12, tls.TLS13], ids=["1.2", "1.3"])
@pytest.mark.parametrize("is_strict", [False, True], ids=["shown the first", "refused"])
def test_an_odd_name_leads_to_no_wrong_certificate(start_with_names, certificates, version, is_strict):
    server = start_with_names(*(("--refuse-unknown-names", 1) if is_strict else ()))
    for which, (name, expected) in ODD_NAMES.items():
        with TLSByHand(server.port, version=version, name=name) as client:
            client.begin()
            if expected is None or (is_strict and expected == "first"):
                assert end_of(client) == tls.UNRECOGNIZED_NAME, which
                continue
            client.take_answer()
            assert certificates[expected].der in dict(client.server_messages)[tls.CERTIFICATE], which


@every_version
def test_the_chain_goes_with_the_certificate(start_secure, authority, folder, version):
    between = Authority(folder, "Between", issuer=authority)
    server = start_secure(files=between.certify("localhost").write(folder, "chain"))
    with SecureClient(server.port, context_for(authority.path, version)) as client:
        assert client.upgrade().ask() == b"?"


@every_version
def test_an_encrypted_key_is_opened_by_its_passphrase(start_secure, authority, certified, folder, version):
    files = certified.write(folder, "encrypted", "open, sesame")
    assert b"ENCRYPTED" in files.key.read_bytes()
    server = start_secure("--passphrase", "open, sesame", files=files)
    with SecureClient(server.port, context_for(authority.path, version)) as client:
        assert client.upgrade().ask() == b"?"


def stapled(port):
    """What `openssl s_client -status` says of the response, with each version."""
    said = []
    for version in ("tls1_2", "tls1_3"):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost"]
        flags = [f"-{version}", "-status", "-CAfile", port.authority]
        done = subprocess.run([*command, *flags], input=b"Q\n", capture_output=True, timeout=DEADLINE)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.decode())
    return said


def test_a_response_about_the_certificate_is_stapled(start_secure, authority, certified, folder):
    response = folder / "good.ocsp"
    response.write_bytes(authority.status(certified))
    server = start_secure("--ocsp", response)
    for said in stapled(server.port):
        assert "OCSP Response Status: successful" in said
        assert "Cert Status: good" in said
        assert f"{certified.serial:X}" in said.replace("Serial Number: 0", "Serial Number: ")


NOT_STAPLED = {
    "out of date": lambda authority, certified: authority.status(certified, days=(-9, -2)),
    "of a certificate that is revoked": lambda authority, certified: authority.status(certified, is_revoked=True),
    "about another certificate": lambda authority, certified: authority.status(authority.certify("localhost")),
    "not a response": lambda authority, certified: b"no such thing",
    "empty": lambda authority, certified: b"",
    "missing": lambda authority, certified: None,
}


@pytest.mark.parametrize("content", NOT_STAPLED.values(), ids=NOT_STAPLED)
def test_a_response_that_is_no_good_is_logged_and_not_stapled(start_secure, authority, certified, tmp_path, content):
    response = tmp_path / "bad.ocsp"
    if (data := content(authority, certified)) is not None:
        response.write_bytes(data)
    server = start_secure("--ocsp", response)
    for said in stapled(server.port):
        assert "OCSP response: no response sent" in said
    told = server.errors.wait_for(lambda lines: any(str(response) in line for line in lines))
    assert told, server.errors.text()


def test_a_new_response_is_stapled_after_a_reload(start_secure, authority, certified, tmp_path):
    response = tmp_path / "some.ocsp"
    response.write_bytes(authority.status(certified, days=(-9, -2)))
    server = start_secure("--ocsp", response)
    assert not any("Cert Status: good" in said for said in stapled(server.port))
    with SecureClient(server.port, context_for(authority.path)) as client:
        client.upgrade("/reload")
        response.write_bytes(authority.status(certified))
        assert client.ask() == b"done"
    assert all("Cert Status: good" in said for said in stapled(server.port))


# Clients with certificates


@pytest.fixture(scope="module")
def clients(authority, folder):
    """Who certifies clients, and some of them."""
    own = Authority(folder, "Authority of clients")
    between = Authority(folder, "Between clients", issuer=own)
    names = ["alice.example", "urn://alice/7", "alice@example.com", "192.0.2.7", "2001:db8::7"]
    made = {
        "alice": own.certify(*names, subject="alice", organization="Example, Inc."),
        "bob": between.certify("bob.example", subject="bob", key="rsa"),
        "expired": own.certify("carol.example", days=(-9, -1)),
        "not yet valid": own.certify("dave.example", days=(1, 9)),
        "of another authority": authority.certify("mallory.example", subject="alice"),
    }
    return own, made, {name: each.write(folder, name) for name, each in made.items()}


def identified(port, authority, version, files):
    """What the server knows of a client; None where it refuses it."""
    with contextlib.suppress(ssl.SSLError, ConnectionError, EOFError):
        with SecureClient(port, context_for(authority.path, version, files)) as client:
            return told_of(client)[1]
    return None


@every_version
@pytest.mark.parametrize("wish", ["may", "must"])
def test_a_clients_certificate_is_in_the_request(start_secure, authority, clients, version, wish):
    own, made, files = clients
    server = start_secure("--clients", wish, "--client-ca", own.path)
    alice = identified(server.port, authority, version, files["alice"])
    assert alice["client.subject"] == ["CN=alice,O=Example\\, Inc."]
    assert alice["client.issuer"] == ["CN=Authority of clients"]
    assert int(alice["client.serial"][0].replace(":", ""), 16) == made["alice"].serial
    assert alice["client.fingerprint"] == [made["alice"].fingerprint]
    assert alice["client.san"][:3] == ["DNS:alice.example", "URI:urn://alice/7", "email:alice@example.com"]
    assert [each.upper() for each in alice["client.san"][3:]] == ["IP:192.0.2.7", "IP:2001:DB8::7"]
    bob = identified(server.port, authority, version, files["bob"])
    assert (bob["client.subject"], bob["client.issuer"]) == (["CN=bob"], ["CN=Between clients"])


@every_version
@pytest.mark.parametrize(("count", "is_taken"), [(800, True), (2000, False)], ids=["of 56 KB", "of 140 KB"])
def test_a_large_certificate_of_a_client_is_taken_and_resumed_or_refused(
    start_secure, authority, tmp_path, version, count, is_taken
):
    own = Authority(tmp_path, "Authority of clients")
    large = own.certify(*(f"{number:050}.example" for number in range(count)), subject="large")
    server = start_secure("--clients", "must", "--client-ca", own.path)
    context = context_for(authority.path, version, large.write(tmp_path, "large"))
    if not is_taken:
        with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
            with SecureClient(server.port, context) as client:
                client.upgrade()
        return
    session = None
    for expected in (None, ["true"]):
        with SecureClient(server.port, context, session=session) as client:
            told = told_of(client)[1]
            session = client.tls.session
            assert (told.get("resumed"), told["client.subject"]) == (expected, ["CN=large"])
            assert told["client.fingerprint"] == [large.fingerprint]


@every_version
@pytest.mark.parametrize("wish", ["may", "must"])
@pytest.mark.parametrize("name", ["expired", "not yet valid", "of another authority"])
def test_a_client_whose_certificate_is_not_valid_is_refused(start_secure, authority, clients, version, wish, name):
    own, _, files = clients
    server = start_secure("--clients", wish, "--client-ca", own.path)
    assert identified(server.port, authority, version, files[name]) is None


REFUSED = {"1.2": tls.HANDSHAKE_FAILURE, "1.3": tls.CERTIFICATE_REQUIRED}


@pytest.mark.parametrize("name", VERSIONS)
def test_who_has_no_certificate_is_refused_only_where_all_must_have_one(start_secure, authority, clients, name):
    own, version = clients[0], VERSIONS[name]
    may = start_secure("--clients", "may", "--client-ca", own.path)
    known = identified(may.port, authority, version, None)
    assert known and not [each for each in known if each.startswith("client.")]
    must = start_secure("--clients", "must", "--client-ca", own.path)
    with TLSByHand(must.port, version=tls.TLS12 if name == "1.2" else tls.TLS13) as client:
        with pytest.raises(tls.AlertReceived) as received:
            client.shake_hands()
            client.read()
    assert received.value.description == REFUSED[name]


def test_anonymous_clients_are_not_asked(start_secure, authority, clients):
    server = start_secure()
    known = identified(server.port, authority, None, clients[2]["alice"])
    assert known and not [each for each in known if each.startswith("client.")]


@every_version
def test_what_is_known_of_a_connection_is_in_its_request(secure_probe, authority, version):
    with SecureClient(secure_probe.port, context_for(authority.path, version)) as client:
        is_secure, known = told_of(client)
        assert is_secure
        assert known["version"] == [client.tls.version()]
        assert known["cipher"] == [client.tls.cipher()[0]]
        assert known["server_name"] == ["localhost"]
        assert "resumed" not in known


def test_of_a_plain_connection_nothing_is_known(probe):
    with open_websocket(probe.port, "/tls") as client:
        assert json.loads(client.read_frame().payload) == {"is_secure": False, "properties": []}


def test_a_client_that_asks_for_an_expired_servers_page_is_the_one_that_refuses(start_secure, authority, folder):
    """The server warns, and goes on."""
    files = authority.certify("localhost", days=(-9, -1)).write(folder, "expired-server")
    server = start_secure(files=files)
    warned = server.errors.wait_for(lambda lines: [line for line in lines if "expired" in line])
    assert str(files.certificate) in warned[0]
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        SecureClient(server.port, context_for(authority.path))
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with SecureClient(server.port, trusting) as client:
        client.send(request(path="/plain"))
        assert client.read_response().body == b"plain text\n"
