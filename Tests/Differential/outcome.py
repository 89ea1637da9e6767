"""The result of a stream, in the same form for every implementation."""

from dataclasses import dataclass, field

OPEN, CLOSED, FAILED = "open", "closed by the client", "failed"


@dataclass
class Outcome:
    events: list = field(default_factory=list)  # (kind, bytes) of messages, pings and pongs
    end: str = OPEN
    code: int | None = None  # of the client's close frame, or of the failure
    reason: bytes = b""  # of the client's close frame
    answers: list = field(default_factory=list)  # ("pong", payload) and ("close", code)
    why: str = ""  # what failed, in the implementation's own words
    notes: set = field(default_factory=set)  # what a difference may depend on

    def compared(self):
        return (self.events, self.end, self.code, self.reason, self.answers)

    def __str__(self):
        events = ", ".join(f"{kind} {data[:40]!r} ({len(data)})" for kind, data in self.events)
        end = f"{self.end} {self.code} {self.reason!r} because {self.why}"
        return f"{end}; events {events}; answers {self.answers}; notes {self.notes}"
