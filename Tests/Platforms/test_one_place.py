"""What systems do differently is known in one place: in C a folder, in Swift a file."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SYSTEM = re.compile(r"\b(__linux__|__APPLE__|__FreeBSD__|MSG_NOSIGNAL|SO_NOSIGPIPE|SO_REUSEPORT\w*|accept4|SOCK_CLOEXEC)\b")
C_LIBRARY = re.compile(r"\bimport (Glibc|Musl|Darwin)\b|canImport\((Glibc|Musl|Darwin)\)")
SWIFT_PLACES = {
    "Sources/JazzyPlatform/CLibrary.swift",
    "Examples/Support/Serve.swift",  # a package of its own, which sees what is public
    "Benchmarks/bench-echo-swift/main.swift",  # measures on Linux
}


def code(path: pathlib.Path) -> str:
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


class OnePlace(unittest.TestCase):
    def test_only_the_rooms_for_it_ask_for_a_system(self):
        core = ROOT / "Sources/CJazzyPoll"
        files = [path.relative_to(core).as_posix() for path in core.rglob("*.[ch]") if SYSTEM.search(code(path))]
        own = ("platform/", "loop/poll.h", "loop/epoll.c", "loop/kqueue.c")
        self.assertTrue(any(file.startswith("platform/") for file in files))
        self.assertEqual([file for file in files if not file.startswith(own)], [])

    def test_only_one_file_names_the_c_library(self):
        files = {
            path.relative_to(ROOT).as_posix()
            for folder in ["Sources", "Tests", "Examples", "Benchmarks"]
            for path in (ROOT / folder).rglob("*.swift")
            if ".build" not in path.parts and C_LIBRARY.search(code(path))
        }
        self.assertEqual(files - SWIFT_PLACES, set())
        self.assertIn("Sources/JazzyPlatform/CLibrary.swift", files)


if __name__ == "__main__":
    unittest.main()
