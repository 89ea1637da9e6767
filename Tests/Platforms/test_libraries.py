"""The shared libraries that `make install-redis` makes for other systems are what their linkers and loaders expect."""

import os
import pathlib
import re
import struct
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
INSTALLED = BUILD / "platforms" / "installed"
MACS = ["aarch64-macos", "x86_64-macos"]
FREEBSD = "x86_64-freebsd"

# Of a Mach-O file: what begins a 64-bit one, its kind, and load commands.
MAGIC, DYLIB, PROGRAM, LOADS, NAMED = 0xFEEDFACF, 6, 2, 0xC, 0xD


def assigned(name: str, file: str = "core") -> str:
    text = (ROOT / f"Scripts/{file}.mk").read_text(encoding="utf-8")
    return re.search(rf"^{name} := (\S+)$", text, re.MULTILINE)[1]


VERSION = assigned("VERSION")
ABI = {"cjazzypoll": assigned("ABI_VERSION"), "cjazzyredis": assigned("REDIS_ABI_VERSION", "redis")}


class MachO:
    """What a file says of itself: its kind, its own name and version, and the libraries that it loads."""

    def __init__(self, path: pathlib.Path):
        content = path.read_bytes()
        magic, _, _, self.kind, count, _, _, _ = struct.unpack_from("<8I", content)
        assert magic == MAGIC, path
        self.name, self.version, self.loads = None, None, []
        at = 32
        for _ in range(count):
            command, size = struct.unpack_from("<2I", content, at)
            if command in (LOADS, NAMED):
                start, _, version = struct.unpack_from("<3I", content, at + 8)
                name = content[at + start : at + size].split(b"\0")[0].decode()
                if command == LOADS:
                    self.loads.append(name)
                else:
                    self.name, self.version = name, f"{version >> 16}.{version >> 8 & 255}.{version & 255}"
            at += size


def dynamic(path: pathlib.Path) -> str:
    return subprocess.run(["readelf", "-dW", path], capture_output=True, text=True, check=True, timeout=60).stdout


def link_program(platform: str, prefix: pathlib.Path, program: pathlib.Path) -> None:
    """A program of a user, with the libraries that are installed there."""
    libz = BUILD / "platforms" / platform
    command = [BUILD / "zig" / "zig", "cc", "-target", platform, ROOT / "Examples/echo-server.c"]
    command += ["-I", prefix / "include", "-L", prefix / "lib", "-L", libz, "-lcjazzypoll", "-lz", "-o", program]
    caches = {name: str(BUILD / "zig" / "cache") for name in ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR")}
    subprocess.run(command, check=True, timeout=300, env=os.environ | caches)


class Libraries(unittest.TestCase):
    def expect_links(self, folder: pathlib.Path, file: str, for_programs: str, for_compilers: str):
        self.assertTrue((folder / file).is_file() and not (folder / file).is_symlink(), file)
        self.assertEqual(os.readlink(folder / for_programs), file)
        self.assertEqual(os.readlink(folder / for_compilers), for_programs)

    def expect_mac(self, platform: str, prefix: str):
        folder = INSTALLED / platform / prefix.strip("/") / "lib"
        for name, abi in ABI.items():
            self.expect_links(folder, f"lib{name}.{VERSION}.dylib", f"lib{name}.{abi}.dylib", f"lib{name}.dylib")
            library = MachO(folder / f"lib{name}.dylib")
            self.assertEqual(library.kind, DYLIB)
            self.assertEqual((library.name, library.version), (f"{prefix}/lib/lib{name}.{abi}.dylib", VERSION))
        self.assertIn(f"{prefix}/lib/libcjazzypoll.{ABI['cjazzypoll']}.dylib", library.loads)

    def test_on_macos_they_are_named_by_the_path_at_which_programs_find_them(self):
        for platform in MACS:
            with self.subTest(platform):
                self.expect_mac(platform, "/usr/local")

    def test_on_macos_those_for_another_folder_are_linked_anew(self):
        command = ["make", "-s", f"BUILD={BUILD}", "PREFIX=/opt/elsewhere", f"libraries-{MACS[0]}"]
        subprocess.run(command, cwd=ROOT, check=True, timeout=600)
        self.expect_mac(MACS[0], "/opt/elsewhere")

    def test_on_freebsd_they_are_as_on_linux(self):
        folder = INSTALLED / FREEBSD / "usr/local/lib"
        for name, abi in ABI.items():
            self.expect_links(folder, f"lib{name}.so.{VERSION}", f"lib{name}.so.{abi}", f"lib{name}.so")
            self.assertIn(f"soname: [lib{name}.so.{abi}]", dynamic(folder / f"lib{name}.so"))
        self.assertIn(f"[libcjazzypoll.so.{ABI['cjazzypoll']}]", dynamic(folder / "libcjazzyredis.so"))

    def test_a_program_is_linked_with_them(self):
        for platform in [*MACS, FREEBSD]:
            with self.subTest(platform), tempfile.TemporaryDirectory() as folder:
                program = pathlib.Path(folder) / "echo-server"
                link_program(platform, INSTALLED / platform / "usr/local", program)
                if platform == FREEBSD:
                    needed = re.findall(r"NEEDED.*\[(.*)\]", dynamic(program))
                    self.assertIn(f"libcjazzypoll.so.{ABI['cjazzypoll']}", needed)
                else:
                    file = MachO(program)
                    self.assertEqual(file.kind, PROGRAM)
                    self.assertIn(f"/usr/local/lib/libcjazzypoll.{ABI['cjazzypoll']}.dylib", file.loads)


class Make(unittest.TestCase):
    def test_one_that_is_too_old_says_which_is_needed(self):
        run = subprocess.run(
            ["make", "-C", ROOT, "MAKE_VERSION=3.81", "help"], capture_output=True, text=True, check=False, timeout=60
        )
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("GNU make 4 or later is needed", run.stderr)
        self.assertIn("brew install make", run.stderr)


if __name__ == "__main__":
    unittest.main()
