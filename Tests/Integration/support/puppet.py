"""
A client in its own process, which a test can suspend: it receives from PORT's /chat until a message is "end". With
the file of an AUTHORITY, it speaks TLS.
"""

import json
import sys

from support.raw import open_websocket
from support.secure import SecurePort


def main(port):
    received, is_ordered, last = 0, True, -1
    with open_websocket(port, "/chat") as connection:
        connection.send_frame(1, b"here")
        while (text := connection.read_frame().payload) != b"User: end":
            number = text.removeprefix(b"User: ").partition(b" ")[0]
            if number.isdigit():
                received += 1
                is_ordered = is_ordered and int(number) > last
                last = int(number)
    print(json.dumps({"received": received, "is_ordered": is_ordered}))


if __name__ == "__main__":
    port, *authority = sys.argv[1:]
    main(SecurePort(port, *authority) if authority else int(port))
