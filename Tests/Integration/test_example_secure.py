"""The example with TLS, played with a client that is not ours: the product JazzyTLS as its users have it."""

import asyncio
import re
import socket
import ssl
import subprocess

from websockets.asyncio.client import connect

from support.deadline import DEADLINE, eventually
from support.process import listening_ports
from support.programs import SECURE
from support.server import Server


def make_certificate(folder, name):
    """Puts a certificate for localhost that signs itself, and its key, in place as a whole."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-keyout", "new-key.pem", "-out", "new-chain.pem"]
    command += ["-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=DEADLINE)
    for part in ["key", "chain"]:
        (folder / f"new-{part}.pem").rename(folder / f"{part}.pem")


def trusting(folder):
    return ssl.create_default_context(cafile=folder / "chain.pem")


class Secure(Server):
    """The example, on a free port."""

    def __init__(self, folder):
        # It prints nothing: its port is what it listens on.
        self.process = subprocess.Popen(
            [SECURE, folder / "chain.pem", folder / "key.pem", "0"], stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        eventually(lambda: listening_ports(self.process.pid) or self.process.poll() is not None, "it listens")
        self.port = listening_ports(self.process.pid)[0]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            assert self.process.wait(DEADLINE) == 0, self.process.stderr.read()
        finally:
            self.process.kill()
            self.process.stderr.close()


async def served_by(port, context):
    """The name in the certificate that the server shows now."""
    async with connect(f"wss://localhost:{port}/echo", ssl=context) as client:
        subject = client.transport.get_extra_info("peercert")["subject"]
        return dict(pair for part in subject for pair in part)["commonName"]


async def test_it_answers_over_tls_and_uses_renewed_files_without_losing_anybody(tmp_path):
    make_certificate(tmp_path, "old")
    with Secure(tmp_path) as server:
        async with connect(f"wss://localhost:{server.port}/echo", ssl=trusting(tmp_path)) as client:
            assert await client.recv() == "Welcome, over TLSv1.3!"
            assert await served_by(server.port, trusting(tmp_path)) == "old"
            make_certificate(tmp_path, "new")
            async with asyncio.timeout(DEADLINE):
                while True:
                    try:
                        if await served_by(server.port, trusting(tmp_path)) == "new":
                            break
                    except ssl.SSLCertVerificationError:
                        await asyncio.sleep(0.05)
            await client.send("still there")
            assert await client.recv() == "You said: still there"


def test_who_speaks_plain_http_to_it_is_told_so(tmp_path):
    make_certificate(tmp_path, "localhost")
    with Secure(tmp_path) as server, socket.create_connection(("127.0.0.1", server.port), DEADLINE) as client:
        client.sendall(b"GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b""
        while part := client.recv(4096):
            answer += part
        assert answer.startswith(b"HTTP/1.1 400 ") and b"this port speaks TLS" in answer


def test_what_is_wrong_with_its_files_is_a_sentence(tmp_path):
    missing = tmp_path / "missing.pem"
    result = subprocess.run([SECURE, missing, missing, "0"], capture_output=True, text=True, timeout=DEADLINE)
    assert result.returncode == 1
    assert re.fullmatch(rf"secure: .*{re.escape(str(missing))}.*\n", result.stderr), result.stderr
