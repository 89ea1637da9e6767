"""Redis in tests: its processes, faults between it and servers, and the comparison of what came with what was sent."""
