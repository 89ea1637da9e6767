"""The core compiles against musl, and its threads have as much room there as elsewhere."""

import shutil
import subprocess
from pathlib import Path

import pytest

from support.programs import IS_SANITIZED, ROOT

pytestmark = [
    pytest.mark.skipif(shutil.which("musl-gcc") is None, reason="there is no musl-gcc: apt-get install musl-tools"),
    pytest.mark.skipif(IS_SANITIZED, reason="the sources are the same"),
]
CORE = ROOT / "Sources/CJazzyPoll"
COMPILER = ["musl-gcc", "-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
COMPILER += ["-I", CORE / "include", "-I", CORE]
FLOORS = sorted({source.parent.name for source in CORE.glob("*/*.c")})

STACK_SIZES = """
#define _GNU_SOURCE
#include "loop/thread.h"
#include <stdio.h>

static void *print_stack_size(void *context)
{
    pthread_attr_t attributes;
    size_t size = 0;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstacksize(&attributes, &size);
    printf("%zu\\n", size);
    return context;
}

int main(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, print_stack_size, NULL) != 0)
        return 1;
    pthread_join(thread, NULL);
    const jz_thread_plan plan = {.run = print_stack_size, .purpose = "a test", .stack_size = 8388608};
    if (jz_thread_start(&thread, &plan, NULL, NULL) != JZ_OK)
        return 1;
    pthread_join(thread, NULL);
    return 0;
}
"""


@pytest.fixture
def zlib_headers(tmp_path):
    """Debian has no zlib for musl, but its headers serve for both."""
    for name in ("zlib.h", "zconf.h"):
        found = [*Path("/usr/include").glob(name), *Path("/usr/include").glob(f"*-linux-gnu/{name}")]
        (tmp_path / name).symlink_to(found[0])
    return tmp_path


@pytest.mark.parametrize("floor", FLOORS)
def test_the_core_compiles(zlib_headers, floor):
    command = [*COMPILER, "-fsyntax-only", "-isystem", zlib_headers, *sorted((CORE / floor).glob("*.c"))]
    result = subprocess.run(command, capture_output=True, text=True, timeout=55)
    assert result.returncode == 0, result.stderr


def test_a_thread_has_the_stack_that_it_is_to_have(tmp_path):
    source, program = tmp_path / "stack-sizes.c", tmp_path / "stack-sizes"
    source.write_text(STACK_SIZES)
    needed = [source, CORE / "loop/thread.c", CORE / "loop/report.c"]
    subprocess.run([*COMPILER, "-static", *needed, "-o", program], check=True, timeout=55)
    output = subprocess.run([program], check=True, capture_output=True, text=True, timeout=55).stdout
    default, ours = map(int, output.split())
    assert default < 1024 * 1024, "which is why"
    assert ours >= 8 * 1024 * 1024
