"""The events that the probe server's /events route prints."""

import json

from support.deadline import DEADLINE


def of_connection(server, number=0):
    """The events of the connection that opened as number so many, once it has closed."""

    def closed(lines):
        events = parse(lines)
        handles = [event["ws"] for event in events if event["event"] == "open"]
        if len(handles) <= number:
            return None
        own = [event for event in events if event["ws"] == handles[number]]
        return own if any(event["event"] == "close" for event in own) else None

    events = server.output.wait_for(closed, DEADLINE)
    assert events, f"connection {number} never closed: {server.output.text()}"
    return events


def parse(lines):
    events = [json.loads(line) for line in lines if line.startswith("{")]
    for event in events:
        for field in ("bytes", "reason"):
            if field in event:
                event[field] = bytes.fromhex(event[field])
    return events


def names(events):
    return [event["event"] for event in events]
