"""If zlib is missing, the compiler and SwiftPM say so in a sentence, with what to do."""

import json
import subprocess
from pathlib import Path

import pytest

from support.programs import ROOT

SENTENCE = "Jazzy needs zlib.h: apt install zlib1g-dev, dnf install zlib-devel, apk add zlib-dev, or brew install zlib"
CORE = ROOT / "Sources/CJazzyPoll"
# Headers of a system, one folder after the other.
FOLDERS = ["/usr/include", *map(str, Path("/usr/include").glob("*-linux-gnu"))]


@pytest.fixture
def headers_without_zlib(tmp_path):
    """Flags that make a compiler find the system's headers, and zlib's not among them."""
    flags = ["-nostdinc"]
    for number, folder in enumerate(map(Path, FOLDERS)):
        copy = tmp_path / str(number)
        copy.mkdir()
        for entry in folder.iterdir():
            if entry.name not in ("zlib.h", "zconf.h"):
                (copy / entry.name).symlink_to(entry)
        flags += ["-isystem", copy]
    return flags


def compile_core_file(compiler, flags, name):
    own_headers = subprocess.run(
        [compiler, "-print-file-name=include"], check=True, capture_output=True, text=True
    ).stdout.strip()
    command = [compiler, "-std=c17", "-isystem", own_headers, *flags, "-I", CORE / "include", "-I", CORE]
    return subprocess.run([*command, "-fsyntax-only", CORE / name], capture_output=True, text=True, timeout=50)


@pytest.mark.parametrize("name", ["session/compressor.c", "session/decompressor.c"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_compiler_says_it_first(headers_without_zlib, compiler, name):
    result = compile_core_file(compiler, headers_without_zlib, name)
    assert result.returncode != 0
    first = next(line for line in result.stderr.splitlines() if "error:" in line)
    assert SENTENCE in first


def test_nothing_else_is_missing(headers_without_zlib):
    result = compile_core_file("gcc", headers_without_zlib, "codec/mask.c")
    assert result.returncode == 0, result.stderr


def test_the_package_names_what_has_it():
    command = ["swift", "package", "dump-package", "--package-path", ROOT]
    package = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=50).stdout)
    [zlib] = [target for target in package["targets"] if target["name"] == "CJazzyZlib"]
    # SwiftPM names the providers if pkg-config does not know the library.
    assert zlib["pkgConfig"] == "zlib"
    assert {"apt": [["zlib1g-dev"]]} in zlib["providers"]
    assert {"brew": [["zlib"]]} in zlib["providers"]
