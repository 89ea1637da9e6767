"""Leads cases through our session: the session-driver program."""

import json
import os
import struct
import subprocess

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Opcode
from websockets.protocol import CLIENT, Protocol

from outcome import CLOSED, FAILED, Outcome
from support.programs import C_BUILD
from support.server import ENVIRONMENT, SANITIZER_REPORT

DEADLINE = 60
NEVER = 0xFFFFFFFF


def encode(case):
    deflate = case.deflate
    agreement = bytes(5) if deflate is None else bytes(
        [
            1,
            deflate.client_no_context_takeover,
            deflate.server_no_context_takeover,
            deflate.client_max_window_bits,
            deflate.server_max_window_bits,
        ]
    )
    close_before = NEVER if case.close_before is None else case.close_before
    head = struct.pack("!I5sII", case.max_message_size, agreement, close_before, len(case.feeds))
    return head + b"".join(struct.pack("!I", len(feed)) + feed for feed in case.feeds)


def run(cases):
    """The outcome of each case, and the messages that it echoed."""
    driver = subprocess.run(
        [C_BUILD / "session-driver"],
        input=b"".join(encode(case) for case in cases),
        capture_output=True,
        timeout=DEADLINE,
        env={**os.environ, **ENVIRONMENT},
    )
    errors = driver.stderr.decode(errors="replace")
    assert driver.returncode == 0 and not SANITIZER_REPORT.search(errors), errors
    lines = [[] for _ in cases]
    for line in driver.stdout.splitlines():
        event = json.loads(line)
        lines[event["case"]].append(event)
    return [outcome_of(case, events) for case, events in zip(cases, lines)]


def outcome_of(case, events):
    outcome = Outcome()
    *told, output = events
    for event in told:
        match event["event"]:
            case "error":
                outcome.end, outcome.why = FAILED, event["failure"]
            case "close":
                if event["clean"]:
                    outcome.end, outcome.reason = CLOSED, bytes.fromhex(event["reason"])
                if outcome.end in (CLOSED, FAILED):
                    outcome.code = event["code"]
            case kind:
                outcome.events.append((kind, bytes.fromhex(event["bytes"])))
    outcome.answers, echoes = read_output(case, bytes.fromhex(output["bytes"]))
    return outcome, echoes


def read_output(case, output):
    """What a client gets to see: an independent one, so that this also tests what our session compresses."""
    client = Protocol(CLIENT, max_size=None)
    if case.deflate is not None:
        client.extensions = [
            PerMessageDeflate(
                remote_no_context_takeover=case.deflate.server_no_context_takeover,
                local_no_context_takeover=case.deflate.client_no_context_takeover,
                remote_max_window_bits=case.deflate.server_max_window_bits,
                local_max_window_bits=case.deflate.client_max_window_bits,
            )
        ]
    client.receive_data(output)
    assert client.parser_exc is None, client.parser_exc
    answers, echoes = [], []
    for frame in client.events_received():
        data = bytes(frame.data)
        match frame.opcode:
            case Opcode.PONG:
                answers.append(("pong", data))
            case Opcode.CLOSE:
                answers.append(("close", client.close_rcvd.code))
            case Opcode.TEXT:
                echoes.append(("text", data))
            case Opcode.BINARY:
                echoes.append(("binary", data))
    return answers, echoes
