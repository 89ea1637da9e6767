"""Ports behind which TLS is spoken, and a socket within TLS that also can end one direction, or go without a word."""

import contextlib
import socket
import ssl

# Bytes that become one record.
RECORD = 1 << 14


class SecurePort(int):
    """
    A port where TLS is spoken: connections to it begin with that, and trust the authority (a file) alone. It knows how
    many connections there are, and how many were there at most since that was reset.
    """

    def __new__(cls, port, authority):
        self = super().__new__(cls, port)
        self.authority, self.open, self.most = authority, 0, 0
        self._context = ssl.create_default_context(cafile=authority)
        return self

    def secure(self, plain):
        self.open += 1
        self.most = max(self.most, self.open)
        return SecureSocket(plain, self._context, "localhost", on_close=self._count_close)

    def _count_close(self):
        self.open -= 1

    def reset_most(self):
        self.most = self.open


class CutOff(ConnectionResetError):
    """The stream ended without a close_notify: what was to follow, or not, is unknown."""


class SecureSocket:
    """A socket within TLS. `plain` is that beneath it."""

    def __init__(self, plain, context, name, session=None, on_close=lambda: None):
        self.plain, self._on_close = plain, on_close
        self._received, self._outgoing, self._unsent = ssl.MemoryBIO(), ssl.MemoryBIO(), b""
        self.tls = context.wrap_bio(self._received, self._outgoing, server_hostname=name, session=session)
        try:
            self._persist(self.tls.do_handshake)
        except BaseException:
            self.close()
            raise

    def _persist(self, call):
        """Calls it again, with what is received meanwhile, until that is enough."""
        while True:
            try:
                result = call()
            except ssl.SSLWantReadError:
                # Who does not take the rest any more may still have said something.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self._flush()
                self._receive()
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLEOFError as error:
                raise CutOff("the stream ended without a close_notify") from error
            except ssl.SSLError:
                with contextlib.suppress(OSError):
                    self._flush()  # an alert
                raise
            else:
                self._flush()
                return result

    def _receive(self):
        data = self.plain.recv(1 << 16)
        if data:
            self._received.write(data)
        else:
            self._received.write_eof()

    def _flush(self):
        self._unsent += self._outgoing.read()
        while self._unsent:
            try:
                self._unsent = self._unsent[self.plain.send(self._unsent) :]
            except ConnectionError:
                self._unsent = b""
                raise

    def send(self, data):
        """As much as there is room for, in whole records, of which the kernel may not have the last one yet."""
        self._flush()
        data, count = memoryview(data), 0
        while count < len(data):
            count += self.tls.write(data[count : count + RECORD])
            try:
                self._flush()
            except TimeoutError:
                break
        return count

    def sendall(self, data):
        data = memoryview(data)
        for start in range(0, len(data), RECORD):
            self.tls.write(data[start : start + RECORD])
        self._flush()

    def recv(self, count):
        return self._persist(lambda: self.tls.read(count))

    def shutdown(self, how):
        """Ends the own direction with a close_notify."""
        assert how == socket.SHUT_WR
        self._say_goodbye()
        self._flush()
        self.plain.shutdown(how)

    def _say_goodbye(self):
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLSyscallError, ssl.SSLZeroReturnError):
            self.tls.unwrap()

    def close(self):
        """With a close_notify, where there is room for it."""
        if self.plain.fileno() < 0:
            return
        with contextlib.suppress(OSError, ValueError):
            self.plain.setblocking(False)
            self._say_goodbye()
            self._flush()
        self.abandon()

    def abandon(self):
        """Without."""
        if self.plain.fileno() >= 0:
            self.plain.close()
            self._on_close()

    def __getattr__(self, name):
        return getattr(self.plain, name)  # settimeout, setsockopt, fileno
