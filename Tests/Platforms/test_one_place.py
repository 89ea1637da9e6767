"""What systems do differently is known in one place: in C a folder, in Swift a file."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SYSTEM = re.compile(r"\b(__linux__|__APPLE__|__FreeBSD__|MSG_NOSIGNAL|SO_NOSIGPIPE|SO_REUSEPORT\w*|accept4|SOCK_CLOEXEC)\b")
C_LIBRARY = re.compile(r"\bimport (Glibc|Musl|Darwin)\b|canImport\((Glibc|Musl|Darwin)\)")
# What systems call, or do, differently, and the one file of the core that knows it.
DIFFERENCES = {
    r"accept4|SOCK_NONBLOCK|SOCK_CLOEXEC|SO_NOSIGPIPE": "platform/descriptors.c",
    r"MSG_NOSIGNAL": "platform/sending.h",
    r"TCP_KEEP\w+": "platform/keep_alive.c",
    r"SO_NWRITE|FIONWRITE|TIOCOUTQ|TCP_INFO": "platform/acknowledged.c",
    r"pthread_set_?name_np": "platform/thread_name.c",
    r"sched_getaffinity|cpuset\w*|_SC_NPROCESSORS_ONLN": "platform/cores.c",
    r"getentropy|getrandom|arc4random\w*": "platform/random.c",
    r"CLOCK_MONOTONIC\w*|CLOCK_UPTIME_RAW": "platform/clock.h",
    r"SO_REUSEPORT\w*": "platform/shared_port.c",
    r"madvise|mremap": "platform/pages.c",
    r"st_mtim|st_mtimespec": "platform/file_times.c",
    r"epoll_wait|epoll_ctl": "loop/epoll.c",
}
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

    def test_each_difference_is_known_in_one_file(self):
        core = ROOT / "Sources/CJazzyPoll"
        files = {path.relative_to(core).as_posix(): code(path) for path in core.rglob("*.[ch]")}
        for names, place in DIFFERENCES.items():
            with self.subTest(names):
                known = {file for file, text in files.items() if re.search(rf"\b({names})\b", text)}
                self.assertEqual(known, {place})

    def test_another_library_knows_a_difference_in_one_file_of_its_own(self):
        for library in ["CJazzyTLS", "CJazzyRedis"]:
            texts = [code(path) for path in (ROOT / "Sources" / library).rglob("*.[ch]")]
            # A monotonic clock there is everywhere.
            for names in [names for names in DIFFERENCES if "CLOCK_MONOTONIC" not in names]:
                with self.subTest(library=library, names=names):
                    self.assertLessEqual(sum(re.search(rf"\b({names})\b", text) is not None for text in texts), 1)

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
