"""
The guide's Containerfile, built by buildah. The image that it begins with cannot be had everywhere: in its place there is
one of this machine's own system and toolchain, which steps can write to without changing the machine.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
from pathlib import Path

import pytest

from support.clients import CLIENTS
from support.deployment import BUILD_DEADLINE, Contained, free_port, is_superuser, reachable_folder, recipe
from support.programs import IS_SANITIZED, ROOT

pytestmark = [
    pytest.mark.skipif(IS_SANITIZED, reason="the program is built as users build it"),
    pytest.mark.skipif(not shutil.which("buildah"), reason="there is no buildah"),
    pytest.mark.skipif(not is_superuser(), reason="only the superuser can build without a container engine"),
]

BASE = "docker.io/library/swift:6.3-bookworm"

# The package of a user, with ours beside it.
MANIFEST = """\
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "app",
    dependencies: [.package(path: "jazzy")],
    targets: [.executableTarget(name: "app", dependencies: [.product(name: "JazzySwift", package: "jazzy")])],
    swiftLanguageModes: [.v6]
)
"""

# Folders of this machine for the steps to have, as an overlay each.
SYSTEM = ("usr", "etc", "var")


class Buildah:
    """With a storage of its own."""

    def __init__(self, folder):
        self._folder = folder

    def __call__(self, *words):
        place = ["--root", self._folder / "storage", "--runroot", self._folder / "run", "--storage-driver", "overlay"]
        command = ["buildah", *place, *words]
        result = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_DEADLINE)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout.strip()


def toolchain():
    """The folder that has Swift's usr/bin."""
    return Path(shutil.which("swift")).resolve().parents[2]


def make_base(buildah, folder):
    """An image with the name of the guide's, in which the places of this machine's folders are free."""
    (folder / "base").mkdir()
    with tarfile.open(folder / "base/system.tar", "w") as archive:
        for name in (*SYSTEM, "tmp", "root", "proc", "sys", "dev", "run"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            archive.addfile(entry)
        for name in ("bin", "sbin", "lib", "lib64"):
            if Path("/", name).is_symlink():
                entry = tarfile.TarInfo(name)
                entry.type, entry.linkname = tarfile.SYMTYPE, os.readlink(f"/{name}")
                archive.addfile(entry)
    path = f"{toolchain()}/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    (folder / "base/Containerfile").write_text(f"FROM scratch\nADD system.tar /\nENV PATH={path}\n")
    buildah("bud", "--isolation", "chroot", "--tag", BASE, folder / "base")


def make_package(folder):
    source = folder / "package"
    for name, text in {
        "Package.swift": MANIFEST,
        "Containerfile": recipe("Containerfile"),
        "Sources/app/main.swift": (ROOT / "Examples/Deployed/main.swift").read_text(),
    }.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    (source / "jazzy").mkdir()
    shutil.copy(ROOT / "Package.swift", source / "jazzy")
    for name in ("Sources", "Tests"):
        shutil.copytree(ROOT / name, source / "jazzy" / name)
    return source


@pytest.fixture(scope="module")
def image():
    """The image's folder and its configuration, once it is built."""
    with reachable_folder() as folder:
        buildah = Buildah(folder)
        make_base(buildah, folder)
        volumes = [f"--volume=/{name}:/{name}:O" for name in SYSTEM]
        if not toolchain().is_relative_to("/usr"):
            volumes.append(f"--volume={toolchain()}:{toolchain()}:ro")
        package = make_package(folder)
        buildah("bud", "--isolation", "chroot", "--pull-never", *volumes, "--tag", "app", package)
        container = buildah("from", "--pull-never", "localhost/app")
        configuration = json.loads(buildah("inspect", "--type", "image", "localhost/app"))["OCIv1"]["config"]
        try:
            yield Path(buildah("mount", container)), configuration
        finally:
            buildah("umount", container)
            buildah("rm", container)


def test_the_image_has_one_file_and_says_how_it_runs(image):
    root, configuration = image
    assert [path.name for path in root.iterdir() if path.is_file()] == ["app"]
    assert configuration["User"] == "65534:65534"
    assert configuration["Entrypoint"] == ["/app"]
    assert list(configuration["ExposedPorts"]) == ["8080/tcp"]


async def test_the_program_serves_as_process_1_of_a_container(image):
    root, configuration = image
    with Contained(root, {"LISTEN": str(free_port())}, configuration["User"]) as server:
        async with CLIENTS["websockets"](server.port, "/echo") as connection:
            await connection.receive()
            await connection.send("hello")
            assert await connection.receive() == "hello"
            status = Path(f"/proc/{server.program}/status").read_text()
            assert re.search(r"^NSpid:\t\d+\t1$", status, re.MULTILINE)
            assert re.search(r"^Uid:\t65534\t65534\t", status, re.MULTILINE)
            server.send_signal(signal.SIGTERM)
            assert (await connection.closed())[0] == 1001
