"""A server whose certificates or keys are wrong does not start, and says which file, what is wrong, and what to do."""

import os

import pytest

from support.certificates import Authority
from support.programs import PROBE
from support.server import run_to_end


# How to spoil the files, and words of the error.
WRONG = {
    "a certificate that is missing": (lambda files, other: files.certificate.unlink(), "certificate", ["not exist"]),
    "a key that is missing": (lambda files, other: files.key.unlink(), "key", ["not exist"]),
    "a certificate that is a folder": (
        lambda files, other: (files.certificate.unlink(), files.certificate.mkdir()),
        "certificate",
        ["folder"],
    ),
    "an empty certificate": (lambda files, other: files.certificate.write_bytes(b""), "certificate", ["empty"]),
    "an empty key": (lambda files, other: files.key.write_bytes(b""), "key", ["empty"]),
    "a certificate in DER": (lambda files, other: files.certificate.write_bytes(other.der), "certificate", ["pem"]),
    "a certificate that is cut": (
        lambda files, other: files.certificate.write_bytes(other.certificate_text()[:300]),
        "certificate",
        ["complete"],
    ),
    "a key that is cut": (lambda files, other: files.key.write_bytes(other.key_text()[:100]), "key", ["key"]),
    "a key instead of the certificate": (
        lambda files, other: files.certificate.write_bytes(other.key_text()),
        "certificate",
        ["certificate"],
    ),
    "a certificate instead of the key": (
        lambda files, other: files.key.write_bytes(other.certificate_text()),
        "key",
        ["key"],
    ),
    "a key of another certificate": (lambda files, other: files.key.write_bytes(other.key_text()), "key", ["belong"]),
    "a key that needs a passphrase": (lambda files, other: files.replace(other, "sesame"), "key", ["passphrase"]),
}


@pytest.fixture
def files(certified, tmp_path):
    return certified.write(tmp_path, "server")


def said_by(*flags):
    code, said = run_to_end([PROBE, "--port", 0, *flags])
    assert code == 1, said
    assert len(said.splitlines()) == 1, said
    return said


@pytest.mark.parametrize(("spoil", "file", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_named_with_what_is_wrong(authority, files, spoil, file, words):
    spoil(files, authority.certify("localhost"))
    said = said_by(*files.flags())
    assert str(getattr(files, file)) in said
    assert all(word in said.lower() for word in words), said


def test_a_wrong_passphrase(certified, tmp_path):
    files = certified.write(tmp_path, "server", "open, sesame")
    said = said_by(*files.flags(), "--passphrase", "open, barley")
    assert str(files.key) in said and "passphrase" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_key_that_may_not_be_read(files):
    files.key.chmod(0)
    assert "ermission" in said_by(*files.flags())


def test_the_second_of_several_certificates_is_named_where_that_is_wrong(authority, certificate, files):
    files.key.write_bytes(authority.certify("localhost").key_text())
    assert str(files.key) in said_by(*certificate.flags(), *files.flags())


CLIENTS = {
    "no authorities of clients": ((), ["client_ca"]),
    "a file that is missing": (("--client-ca", "/nowhere/ca.pem"), ["/nowhere/ca.pem", "not exist"]),
    "no file that stays": (("--client-ca", "/dev/null"), ["/dev/null", "regular"]),
    "a file without certificates": (("--client-ca", __file__), ["pem", "begin"]),
}


@pytest.mark.parametrize(("flags", "words"), CLIENTS.values(), ids=CLIENTS)
def test_clients_that_must_identify_need_an_authority(certificate, flags, words):
    said = said_by(*certificate.flags(), "--clients", "must", *flags)
    assert all(word in said.lower() for word in words), said


OPTIONS = {
    "a lifetime of tickets of 59 s": (("--ticket-lifetime-s", 59), ["ticket_lifetime_s", "59", "60", "604800"]),
    "a lifetime of tickets of more than 7 days": (("--ticket-lifetime-s", 604_801), ["ticket_lifetime_s", "604800"]),
    "a secret of 31 bytes": (("--ticket-secret", "x" * 31), ["ticket_secret", "31", "32"]),
    "an interval of 99 ms": (("--watch-ms", 99), ["watch_interval_ms", "99", "100"]),
}


@pytest.mark.parametrize(("flags", "words"), OPTIONS.values(), ids=OPTIONS)
def test_an_option_out_of_range_names_the_option_the_value_and_the_range(certificate, flags, words):
    said = said_by(*certificate.flags(), *flags)
    assert all(word in said.replace(",", "") for word in words), said


def test_a_key_that_is_too_short(tmp_path):
    weak = Authority(tmp_path, "Weak").certify("localhost", key="rsa of 1024 bits")
    files = weak.write(tmp_path, "weak")
    said = said_by(*files.flags())
    assert str(files.certificate) in said or str(files.key) in said
    assert "2,048" in said or "2048" in said
