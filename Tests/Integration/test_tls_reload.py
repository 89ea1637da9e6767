"""Certificates that are exchanged while a server runs: nobody notices, and what is wrong changes nothing."""

import contextlib
import shutil
import threading

import pytest

from support.certificates import Files
from support.deadline import eventually
from support.frames import TEXT
from support.siege import scaled
from support.tls_clients import SecureClient, certificate_shown, context_for, statistics_of

RELOADS = scaled(100)


class Load:
    """Clients that come, talk and go, and one that stays, until `stop`; what went wrong is in `failures`."""

    def __init__(self, port, authority, workers=3):
        self._port, self._authority = port, authority
        self._ends, self.failures = threading.Event(), []
        self.handshakes = self.messages = 0
        self._counting = threading.Lock()
        works = [self._come_and_go] * workers + [self._stay]
        self._threads = [threading.Thread(target=self._guarded, args=(work,)) for work in works]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def _guarded(self, work):
        try:
            work()
        except Exception as error:  # of whatever kind: that is what the test is about
            self.failures.append(repr(error))

    def _talk(self, connection, count):
        for number in range(count):
            text = b"message %d of %d" % (number, id(connection))
            connection.send_frame(TEXT, text)
            assert connection.read_frame().payload == text
        with self._counting:
            self.messages += count

    def _come_and_go(self):
        context, session = context_for(self._authority), None
        while not self._ends.is_set():
            with SecureClient(self._port, context, session=session) as client:
                self._talk(client.upgrade(), 3)
                # Every other handshake is a full one.
                session = None if session else client.tls.session
                client.send(b"\x88\x80\0\0\0\0")
                assert client.read_close() == (None, "")
                client.expect_end_of_stream()
            with self._counting:
                self.handshakes += 1

    def _stay(self):
        with SecureClient(self._port, context_for(self._authority)) as client:
            client.upgrade()
            while not self._ends.is_set():
                self._talk(client, 10)
        with self._counting:
            self.handshakes += 1


@pytest.fixture
def files(certified, tmp_path):
    return certified.write(tmp_path, "changing")


@pytest.fixture
def operator(authority):
    """Opens a connection over which certificates are exchanged."""
    with contextlib.ExitStack() as stack:

        def open_connection(server, path):
            return stack.enter_context(SecureClient(server.port, context_for(authority.path))).upgrade(path)

        yield open_connection


def test_certificates_are_exchanged_a_hundred_times_under_load(start_secure, authority, files, operator):
    server = start_secure("--threads", 2, files=files)
    reload = operator(server, "/reload")
    with Load(server.port, authority.path) as load:
        for _ in range(RELOADS):
            following = authority.certify("localhost")
            files.replace(following)
            assert reload.ask() == b"done"
            assert certificate_shown(server.port).serial_number == following.serial
        eventually(lambda: load.messages > 10 * RELOADS or load.failures, "there was load meanwhile")
    assert load.failures == []
    askers, told = 0, None

    def has_counted_all():
        nonlocal askers, told
        askers += 1
        told = statistics_of(server.port, context_for(authority.path))
        # Besides the load: the operator, those who looked at the certificate, and who ask now. A loop that stands still
        # has the end of a handshake before it while the other answers.
        return told["handshakes"] == load.handshakes + 1 + RELOADS + askers

    eventually(has_counted_all, "each handshake is counted, once")
    assert (told["reloads"], told["failed_reloads"], told["failed"]) == (RELOADS, 0, 0)
    assert told["resumed"] > 0


def test_certificates_are_replaced_by_others(start_secure, authority, files, tmp_path, operator):
    server = start_secure(files=files)
    replace = operator(server, "/replace")
    for number in range(3):
        following = authority.certify("localhost", key=("rsa", "ecdsa")[number % 2])
        other = following.write(tmp_path, f"other-{number}")
        assert replace.ask(f"{other.certificate} {other.key}".encode()) == b"done"
        assert certificate_shown(server.port).serial_number == following.serial


# What a new certificate can be, and what the error says besides the file's name.
WRONG = {
    "a certificate that is missing": lambda files, other: files.certificate.unlink(),
    "a key that is missing": lambda files, other: files.key.unlink(),
    "a certificate that is empty": lambda files, other: files.certificate.write_bytes(b""),
    "a certificate that is cut": lambda files, other: files.certificate.write_bytes(other.certificate_text()[:300]),
    "a key that is cut": lambda files, other: files.key.write_bytes(other.key_text()[:100]),
    "a key of another one": lambda files, other: files.key.write_bytes(other.key_text()),
    "a certificate of another key": lambda files, other: files.certificate.write_bytes(other.certificate_text()),
    "a key that is encrypted": lambda files, other: files.replace(other, "a passphrase that nobody knows"),
    "no text at all": lambda files, other: files.certificate.write_bytes(bytes(range(256)) * 10),
}


@pytest.mark.parametrize("spoil", WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_new_files_is_told_and_the_old_ones_stay(
    start_secure, authority, certified, files, operator, spoil
):
    server = start_secure(files=files)
    reload = operator(server, "/reload")
    spoil(files, authority.certify("localhost"))
    told = reload.ask().decode()
    assert str(files.certificate) in told or str(files.key) in told, told
    assert certificate_shown(server.port).serial_number == certified.serial
    statistics = statistics_of(server.port, context_for(authority.path))
    assert (statistics["reloads"], statistics["failed_reloads"]) == (0, 1)
    following = authority.certify("localhost")
    files.replace(following)
    assert reload.ask() == b"done"
    assert certificate_shown(server.port).serial_number == following.serial


def shows(server, certified):
    return certificate_shown(server.port).serial_number == certified.serial


def test_files_that_change_are_loaded_by_themselves(start_secure, authority, files):
    server = start_secure("--watch-ms", 100, files=files)
    for _ in range(3):
        following = authority.certify("localhost")
        files.replace(following)
        eventually(lambda: shows(server, following), "the new certificate is shown")
    statistics = statistics_of(server.port, context_for(authority.path))
    assert statistics["failed"] == 0


def test_watched_files_that_are_wrong_for_a_while_are_told_of_and_loaded_once_they_are_right(
    start_secure, authority, certified, files
):
    server = start_secure("--watch-ms", 100, files=files)
    files.certificate.write_bytes(b"to be continued")
    told = server.errors.wait_for(lambda lines: any(str(files.certificate) in line for line in lines))
    assert told, server.errors.text()
    assert shows(server, certified)
    following = authority.certify("localhost")
    files.replace(following)
    eventually(lambda: shows(server, following), "the new certificate is shown")


def test_a_folder_that_is_exchanged_behind_a_symbolic_link_is_seen(start_secure, authority, certified, tmp_path):
    """As secrets of Kubernetes are: the files are links into a folder that is itself a link, which is exchanged."""
    following = authority.certify("localhost")
    for name, each in {"old": certified, "new": following}.items():
        (tmp_path / name).mkdir()
        each.write(tmp_path / name, "tls")
    (tmp_path / "..data").symlink_to("old")
    for end in ("crt", "key"):
        (tmp_path / f"tls.{end}").symlink_to(f"..data/tls.{end}")
    server = start_secure("--watch-ms", 100, files=Files(tmp_path / "tls.crt", tmp_path / "tls.key"))
    assert shows(server, certified)
    (tmp_path / "..next").symlink_to("new")
    (tmp_path / "..next").rename(tmp_path / "..data")
    shutil.rmtree(tmp_path / "old")
    eventually(lambda: shows(server, following), "the new certificate is shown")
