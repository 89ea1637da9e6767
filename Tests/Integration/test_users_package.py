"""A package that depends on ours has nothing of ours but the libraries: its targets may have any names."""

import json
import subprocess

import pytest

from support.programs import IS_SANITIZED, ROOT

# Seconds for the first build of the library.
BUILD_DEADLINE = 600

# Names that are, or were, names of our examples, benchmarks and test modules.
MANIFEST = """\
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "App",
    products: [.executable(name: "chat", targets: ["chat"]), .executable(name: "bench-echo-c", targets: ["bench-echo-c"])],
    dependencies: [.package(name: "jazzy", path: %s)],
    targets: [
        .systemLibrary(name: "CZlib"),
        .executableTarget(
            name: "chat", dependencies: [.product(name: "JazzySwift", package: "jazzy"), "CZlib", "JazzySwiftSupport"]),
        .executableTarget(name: "bench-echo-c", dependencies: [.product(name: "CJazzyPoll", package: "jazzy")]),
        .executableTarget(name: "bench-echo-swift"),
        .target(name: "JazzySwiftSupport"),
    ]
)
"""

FILES = {
    "Sources/CZlib/module.modulemap": 'module CZlib [system] { header "zlib-of-app.h" link "z" export * }',
    "Sources/CZlib/zlib-of-app.h": "#include <zlib.h>\n",
    "Sources/chat/main.swift": """\
import CZlib
import JazzySwift
import JazzySwiftSupport

let server = JazzyServer()
server.ws("/") { ws, event, message in
    if event == .message, message.kind == .text { ws.send(message.text) }
}
try server.start(port: 0)
print(supported, server.port > 0, crc32(0, nil, 0))
server.stop(grace: .zero)
""",
    "Sources/JazzySwiftSupport/Supported.swift": 'public let supported = "chat of the app"\n',
    "Sources/bench-echo-c/main.c": """\
#include <jazzy.h>
#include <stdio.h>

int main(void)
{
    jz_server *server = jz_server_create(NULL, NULL);
    puts(server != NULL ? "bench of the app" : "");
    jz_server_destroy(server);
    return 0;
}
""",
    "Sources/bench-echo-swift/main.swift": 'print("another bench of the app")\n',
}


@pytest.fixture(scope="module")
def programs():
    """Where the programs of the user's package are; its build is kept for the next run."""
    package = ROOT / "build" / "users-package"
    for name, text in {**FILES, "Package.swift": MANIFEST % json.dumps(str(ROOT))}.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    # It plans anew, for SwiftPM would not see a file that is new in a package that this one depends on.
    command = ["swift", "build", "--package-path", package, "--disable-build-manifest-caching"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_DEADLINE)
    assert result.returncode == 0, result.stdout + result.stderr
    return package / ".build" / "debug"


@pytest.mark.skipif(IS_SANITIZED, reason="whichever builds are tested, users build for themselves")
def test_a_package_with_targets_of_these_names_builds_and_runs(programs):
    outputs = {
        "chat": "chat of the app true 0\n",
        "bench-echo-c": "bench of the app\n",
        "bench-echo-swift": "another bench of the app\n",
    }
    for name, output in outputs.items():
        result = subprocess.run([programs / name], check=True, capture_output=True, text=True, timeout=30)
        assert result.stdout == output


def test_the_package_has_libraries_and_tests_alone():
    command = ["swift", "package", "dump-package", "--package-path", ROOT]
    package = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=50).stdout)
    assert {product["name"] for product in package["products"]} == {"JazzySwift", "JazzyTesting", "CJazzyPoll"}
    assert all("library" in product["type"] for product in package["products"])
    assert {target["type"] for target in package["targets"]} == {"regular", "system", "test"}
    assert all("Jazzy" in target["name"] for target in package["targets"]), "a name that is ours alone"
