"""Waiting, never without a deadline."""

import time

# Seconds that anything on loopback may take on a busy machine with a sanitized server.
DEADLINE = 15.0


def eventually(condition, what, deadline=DEADLINE):
    """Polls until the condition holds, and returns its result; fails, naming `what`, if it never does."""
    end = time.monotonic() + deadline
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"never happened within {deadline} s: {what}"
        time.sleep(0.01)
