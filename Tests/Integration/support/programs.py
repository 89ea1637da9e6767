"""Where the programs under test are."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
C_BUILD = ROOT / os.environ.get("JAZZY_C_BUILD", "build/sanitized")
SWIFT_BUILD = ROOT / os.environ.get("JAZZY_SWIFT_BUILD", ".build/debug")

# Sanitizers make everything slower, and keep memory for a while after it was freed.
IS_SANITIZED = C_BUILD.name != "release"

# What only users' builds are tried with, in the release builds, is not tried again in others: but for those whose
# servers wait in another way (Scripts/kqueue.mk).
IS_REPEATED = IS_SANITIZED and C_BUILD.name != "kqueue"

# What programs are linked with besides, in such builds.
C_LINKED = os.environ.get("JAZZY_C_LINKED", "").split()
SWIFT_LINKED = os.environ.get("JAZZY_SWIFT_LINKED", "").split()

# Where a Swift compiler finds our modules.
SWIFT_MODULES = ["-I", SWIFT_BUILD / "Modules", "-I", ROOT / "Sources/CJazzyPoll/include"]

BENCH = {"c": C_BUILD / "bench-echo-c", "swift": SWIFT_BUILD / "bench-echo-swift"}
ECHO = C_BUILD / "echo-server"
PROBE = C_BUILD / "probe-server"
REDIS_PROBE = C_BUILD / "redis-probe"
CONFORMANCE = C_BUILD / "conformance"
EXAMPLES = {
    name: SWIFT_BUILD / name
    for name in ("echo", "status", "feed", "broadcast", "home", "chat", "rooms", "dashboard", "game", "monitoring")
}
CHAT = EXAMPLES["chat"]
DEPLOYED = SWIFT_BUILD / "deployed"
SECURE = SWIFT_BUILD / "secure"
CLUSTER = SWIFT_BUILD / "cluster"
TOP = SWIFT_BUILD / "jazzy-top"


def swift_objects():
    """What a program of a test is linked with, beside zlib: the objects of JazzySwift and of what it needs."""
    names = ("JazzySwift", "JazzyPlatform", "CJazzyPoll")
    return [path for name in names for path in SWIFT_BUILD.glob(f"{name}.build/**/*.o")] + SWIFT_LINKED
