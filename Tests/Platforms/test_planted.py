"""What only Linux has is found by `make compile-platforms`, wherever it is used.

Each row is planted in a copy of the sources; whatever of the build is still valid is copied, too.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
COPIED = ["Makefile", "Scripts", "Sources", "Examples", "Tests/Platforms", "Tests/CJazzyPollTests"]
LOOP = "Sources/CJazzyPoll/loop/loop.c"
SERVER = "Examples/echo-server.c"
SECURE_SERVER = "Examples/tls-echo-server.c"
MAC = "aarch64-macos"
FREEBSD = "x86_64-freebsd"

# Linkers leave out what nobody calls.
CALLED = "{0}\n__attribute__((constructor)) static void planted(void) {{ (void){1}; }}"

# What is planted, in which file, for which system, and what the complaint has to name.
PLANTED = [
    (LOOP, MAC, "#include <sys/eventfd.h>\nint planted(void);\nint planted(void) { return eventfd(0, 0); }", "eventfd"),
    (LOOP, FREEBSD, "#include <sys/epoll.h>\nint planted(void);\nint planted(void) { return epoll_create1(0); }", "epoll"),
    (LOOP, MAC, "#include <sys/socket.h>\nint planted(void);\nint planted(void) { return SOCK_CLOEXEC; }", "SOCK_CLOEXEC"),
    (
        LOOP,
        MAC,
        "#include <sys/socket.h>\nint planted(int s);\nint planted(int s) { return accept4(s, 0, 0, 0); }",
        "accept4",
    ),
    (
        "Sources/CJazzyPoll/session/buffer.c",
        FREEBSD,
        "#include <sys/mman.h>\nvoid *planted(void *p);\nvoid *planted(void *p) { return mremap(p, 1, 2, 1); }",
        "mremap",
    ),
    # It compiles, because it is declared, and only the linker finds that no library has it.
    (SERVER, MAC, CALLED.format("int epoll_create1(int flags);", "epoll_create1(0)"), "epoll_create1"),
    (SERVER, FREEBSD, CALLED.format("int epoll_create1(int flags);", "epoll_create1(0)"), "epoll_create1"),
    (SECURE_SERVER, MAC, CALLED.format("int epoll_create1(int flags);", "epoll_create1(0)"), "epoll_create1"),
]


class Planted(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.copy = pathlib.Path(folder.name)
        for name in COPIED:
            target = self.copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            source = ROOT / name
            shutil.copytree(source, target, symlinks=True) if source.is_dir() else shutil.copy2(source, target)

    def make(self, platform: str, file: str) -> subprocess.CompletedProcess[str]:
        """Builds what the file ends up in: an object, or the program with all of them."""
        built = BUILD / "platforms" / platform
        self.assertTrue((built / "echo-server").exists(), "run `make compile-platforms` before")
        own = self.copy / "build" / "platforms" / platform
        if not own.exists():
            shutil.copytree(built, own, symlinks=True)
            shutil.copytree(BUILD / "platforms" / "headers", own.parent / "headers", dirs_exist_ok=True)
            for name in ["zig", "foreign"]:
                link = self.copy / "build" / name
                if not link.exists():
                    link.symlink_to(BUILD / name)
        is_program = file.startswith("Examples/")
        goal = f"build/platforms/{platform}/" + (pathlib.Path(file).stem if is_program else file.replace(".c", ".o"))
        (self.copy / goal).unlink(missing_ok=True)
        command = ["make", "-C", str(self.copy), "BUILD=build", goal]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)

    def test_what_is_there_compiles(self):
        for platform in [MAC, FREEBSD]:
            for file in [LOOP, SERVER, SECURE_SERVER]:
                with self.subTest(platform=platform, file=file):
                    run = self.make(platform, file)
                    self.assertEqual(run.returncode, 0, run.stderr)

    def test_what_only_linux_has_does_not(self):
        for file, platform, planted, named in PLANTED:
            with self.subTest(platform=platform, planted=named):
                path = self.copy / file
                before = path.read_text(encoding="utf-8")
                path.write_text(f"{before}\n{planted}\n", encoding="utf-8")
                try:
                    run = self.make(platform, file)
                finally:
                    path.write_text(before, encoding="utf-8")
                self.assertNotEqual(run.returncode, 0)
                self.assertIn("error", run.stderr)
                self.assertIn(named, run.stderr)


class Narrow(unittest.TestCase):
    def test_32_bit_systems_are_told_that_they_are_not_supported(self):
        zig = BUILD / "zig" / "zig"
        for target in ["x86-linux-gnu", "arm-linux-gnueabihf"]:
            with self.subTest(target=target):
                command = [str(zig), "cc", "-target", target, "-std=c17", "-fsyntax-only"]
                command += ["-ISources/CJazzyPoll/include", "-ISources/CJazzyPoll", "Sources/CJazzyPoll/loop/loop.c"]
                environment = os.environ | {name: str(BUILD / "zig" / "cache") for name in CACHES}
                run = subprocess.run(
                    command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment, timeout=300
                )
                self.assertNotEqual(run.returncode, 0)
                self.assertIn("Jazzy needs a 64-bit system", run.stderr)


CACHES = ["ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"]

if __name__ == "__main__":
    unittest.main()
