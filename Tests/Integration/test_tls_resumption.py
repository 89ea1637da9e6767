"""Sessions that are resumed by tickets: on all loops, in other processes, and not where they must not be."""

import ssl

import pytest

from support import tls_records as tls
from support.certificates import Authority
from support.siege import besieged
from support.tls_by_hand import TLSByHand, end_of, open_by_hand, open_within
from support.tls_clients import VERSIONS, SecureClient, context_for, statistics_of, told_of

every_version = pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)

SECRET = "a secret of the test, which has 32 bytes or more"


def session_of(port, context, session=None, name="localhost"):
    """Connects, perhaps with a session: the one for the next time, and whether it was resumed, as both sides say."""
    with SecureClient(port, context, name, session) as client:
        known = told_of(client)[1]  # with an answer, 1.3 has got its tickets
        resumed = client.tls.session_reused
        assert known.get("resumed", []) == (["true"] if resumed else [])
        return client.tls.session, resumed


@every_version
def test_a_session_is_resumed_on_whichever_loop(start_secure, authority, version):
    server = start_secure("--threads", 4)
    context = context_for(authority.path, version)
    session, resumed = session_of(server.port, context)
    assert not resumed
    for _ in range(20):
        session, resumed = session_of(server.port, context, session)
        assert resumed
    told = statistics_of(server.port, context)
    assert (told["handshakes"], told["resumed"], told["failed"]) == (22, 20, 0)


@every_version
def test_without_a_lifetime_there_are_no_tickets(start_secure, authority, version):
    server = start_secure("--ticket-lifetime-s", 0)
    context = context_for(authority.path, version)
    session, _ = session_of(server.port, context)
    assert session is None or not session.has_ticket
    assert not session_of(server.port, context, session)[1]


@every_version
@pytest.mark.parametrize("is_shared", [True, False], ids=["the same secret", "keys of its own"])
def test_another_process_resumes_a_session_if_it_has_the_secret(start_secure, authority, version, is_shared):
    flags = ("--ticket-secret", SECRET) if is_shared else ()
    first, second = start_secure(*flags), start_secure(*flags)
    context = context_for(authority.path, version)
    session, _ = session_of(first.port, context)
    session, resumed = session_of(second.port, context, session)
    assert resumed == is_shared
    assert session_of(second.port, context, session)[1]


@every_version
def test_a_session_outlives_a_reload(start_secure, authority, version):
    server = start_secure()
    context = context_for(authority.path, version)
    session, _ = session_of(server.port, context)
    with SecureClient(server.port, context) as client:
        assert client.upgrade("/reload").ask() == b"done"
    assert session_of(server.port, context, session)[1]


@every_version
def test_the_clients_certificate_is_known_of_a_resumed_session(start_secure, authority, tmp_path, version):
    own = Authority(tmp_path, "Authority of clients")
    alice = own.certify("alice.example", subject="alice")
    server = start_secure("--clients", "must", "--client-ca", own.path)
    context = context_for(authority.path, version, alice.write(tmp_path, "alice"))
    session, known = None, []
    for _ in range(3):
        with SecureClient(server.port, context, session=session) as client:
            told = told_of(client)[1]
            session = client.tls.session
            known.append((told.get("resumed"), told["client.subject"], told["client.fingerprint"], told["client.san"]))
    same = (["CN=alice"], [alice.fingerprint], ["DNS:alice.example"])
    assert known == [(None, *same), (["true"], *same), (["true"], *same)]


@every_version
def test_a_session_without_a_certificate_opens_no_server_that_wants_one(start_secure, authority, tmp_path, version):
    own = Authority(tmp_path, "Authority of clients")
    open_to_all = start_secure("--ticket-secret", SECRET)
    closed = start_secure("--ticket-secret", SECRET, "--clients", "must", "--client-ca", own.path)
    context = context_for(authority.path, version)
    session, _ = session_of(open_to_all.port, context)
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
        session_of(closed.port, context, session)


def asking_with(ticket, binder=bytes(32)):
    """The extensions of a hello that offers a ticket, RFC 8446 §4.2.11; they are the last."""
    identity, binders = tls.vector(ticket, 2) + bytes(4), tls.vector(binder, 1)
    return tls.extension(tls.PRE_SHARED_KEY, tls.vector(identity, 2) + tls.vector(binders, 2))


def ticket_of(port, version):
    further = {"more": tls.extension(tls.SESSION_TICKET)} if version == tls.TLS12 else {}
    with open_by_hand(port, version=version, **further) as client:
        client.send_frame(1, b"?")
        client.read_frame()
        return client.tls.tickets[0]


def is_served(client):
    connection = open_within(client)
    connection.send_frame(1, b"hello")
    return connection.read_frame().payload == b"hello"


def damaged(ticket):
    yield from (b"\0", b"x" * 16, b"x" * 1000, bytes(len(ticket)), ticket[:-1], ticket[:20], ticket + b"x")
    for place in (0, 15, 16, 31, 32, 60, len(ticket) // 2, len(ticket) - 32, len(ticket) - 1):
        yield ticket[:place] + bytes([ticket[place] ^ 1]) + ticket[place + 1 :]


def test_a_ticket_that_is_damaged_or_made_up_leads_to_a_full_handshake(start_secure):
    server = start_secure()
    ticket = ticket_of(server.port, tls.TLS13)
    with besieged(server):
        for other in damaged(ticket):
            with TLSByHand(server.port, last=asking_with(other)) as client:
                client.shake_hands()
                assert tls.PRE_SHARED_KEY not in client.server_hello.extensions
                assert is_served(client)


def test_a_ticket_that_is_damaged_or_made_up_leads_to_a_full_handshake_of_1_2(start_secure):
    server = start_secure()
    ticket = ticket_of(server.port, tls.TLS12)
    with besieged(server):
        for other in damaged(ticket):
            with TLSByHand(server.port, version=tls.TLS12, more=tls.extension(tls.SESSION_TICKET, other)) as client:
                assert is_served(client.shake_hands())


def test_who_has_a_ticket_and_not_its_secret_is_refused(start_secure):
    server = start_secure()
    ticket = ticket_of(server.port, tls.TLS13)
    with besieged(server), TLSByHand(server.port, last=asking_with(ticket)) as client:
        client.begin()
        assert end_of(client) in (tls.DECRYPT_ERROR, tls.ILLEGAL_PARAMETER)


def test_many_tickets_in_one_hello_are_no_attack(start_secure):
    """Of each the server would have to find out whether it is one of its own."""
    server = start_secure()
    identities = b"".join(tls.vector(bytes([number % 256]) * 60, 2) + bytes(4) for number in range(200))
    binders = tls.vector(bytes(32), 1) * 200
    psk = tls.extension(tls.PRE_SHARED_KEY, tls.vector(identities, 2) + tls.vector(binders, 2))
    with besieged(server), TLSByHand(server.port, last=psk) as client:
        assert is_served(client.shake_hands())
