"""
A package that depends on ours has nothing of ours but the libraries: its targets may have any names, and it depends on
no package of others, unless it names the traits of products that need them.
"""

import json
import shutil
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
    dependencies: [.package(url: %s, branch: "main")],
    targets: [
        .systemLibrary(name: "CZlib"),
        .executableTarget(
            name: "chat", dependencies: [.product(name: "JazzySwift", package: "jazzy"), "CZlib", "JazzySwiftSupport"]),
        .executableTarget(name: "bench-echo-c", dependencies: [.product(name: "CJazzyPoll", package: "jazzy")]),
        .executableTarget(name: "bench-echo-swift"),
        .executableTarget(
            name: "secure",
            dependencies: [.product(name: "JazzySwift", package: "jazzy"), .product(name: "JazzyTLS", package: "jazzy")]),
        .executableTarget(
            name: "joined",
            dependencies: [.product(name: "JazzySwift", package: "jazzy"), .product(name: "JazzyRedis", package: "jazzy")]),
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
    "Sources/secure/main.swift": """\
import JazzySwift
import JazzyTLS

let server = JazzyServer()
server.ws("/") { ws, event, message in
    if event == .open { ws.send("\\(ws.request?.tls?.version ?? "no TLS")") }
}
do {
    try server.start(on: [.tls(port: 0, certificate: "missing.pem")])
} catch {
    print(error.message.contains("missing.pem"))
}
try server.start(on: [.tls(port: 0, certificate: "chain.pem", key: "key.pem")])
print(server.port > 0)
server.stop(grace: .zero)
""",
    "Sources/joined/main.swift": """\
import JazzyRedis
import JazzySwift

var options = JazzyOptions()
options.broker = .redis("unix:///nowhere/redis.sock")
do {
    try JazzyServer(options: options).start(port: 0)
} catch {
    print(error.message.contains("/nowhere/redis.sock"))
}
""",
    "Sources/bench-echo-swift/main.swift": 'print("another bench of the app")\n',
}


def run(command, directory, timeout=50):
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=timeout)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def write(package, files):
    """Files that are the same already keep their times, so that nothing is built anew for them."""
    for name, text in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


@pytest.fixture(scope="module")
def repository():
    """Our package as others get it: from a repository, with all that is in this one now, committed or not."""
    copy = ROOT / "build" / "users-repository" / "jazzy"
    copy.mkdir(parents=True, exist_ok=True)
    git = ["git", "-c", "user.name=Tests", "-c", "user.email=tests@localhost", "-c", "commit.gpgsign=false"]
    if not (copy / ".git").exists():
        run([*git, "init", "--quiet", "--initial-branch=main"], copy)
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], ROOT).split("\0")
    ours = {name for name in listed if name and (ROOT / name).is_file()}
    for name in ours:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    for name in set(run(["git", "ls-files", "-z"], copy).split("\0")) - ours - {""}:
        (copy / name).unlink(missing_ok=True)
    run([*git, "add", "--all", "--force"], copy)
    if run(["git", "status", "--porcelain"], copy):
        run([*git, "commit", "--quiet", "--message=As it is now"], copy)
    return copy.as_uri()


def pins(package):
    """The packages in the lock file, each with its dependencies' places; it is there, for ours is in it."""
    lock = json.loads((package / "Package.resolved").read_text())
    return {pin["identity"] for pin in lock["pins"]}


@pytest.fixture(scope="module")
def users_package(repository):
    """Where the user's package is, whose programs without other libraries are built; that is kept for the next run."""
    package = ROOT / "build" / "users-package"
    write(package, {**FILES, "Package.swift": MANIFEST % json.dumps(repository)})
    forget_other_libraries(package)
    run(["swift", "package", "update"], package, BUILD_DEADLINE)
    for product in ["chat", "bench-echo-c", "bench-echo-swift"]:
        run(["swift", "build", "--product", product], package, BUILD_DEADLINE)
    return package


def forget_other_libraries(package):
    """What an earlier run has built for the programs with TLS and with Redis."""
    built = package / ".build" / "debug"
    names = ["*TLS.build", "*Redis.build", "secure*", "joined*"]
    modules = ["JazzyTLS", "JazzyRedis", "secure", "joined"]
    for pattern in [*names, *(f"Modules/{module}.*" for module in modules)]:
        for path in built.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.fixture(scope="module")
def programs(users_package):
    return users_package / ".build" / "debug"


@pytest.mark.skipif(IS_SANITIZED, reason="whichever builds are tested, users build for themselves")
def test_who_takes_our_libraries_alone_depends_on_nobody_else(users_package):
    assert pins(users_package) == {"jazzy"}
    assert {path.name for path in (users_package / ".build" / "checkouts").iterdir()} == {"jazzy"}
    modules = {path.stem for path in (users_package / ".build" / "debug" / "Modules").glob("*.swiftmodule")}
    assert modules == {"JazzySwift", "JazzyPlatform", "JazzySwiftSupport", "chat", "bench_echo_swift"}


@pytest.mark.skipif(IS_SANITIZED, reason="whichever builds are tested, users build for themselves")
def test_who_takes_our_libraries_without_others_neither_builds_nor_links_any(users_package, programs):
    for library in ["TLS", "Redis"]:
        assert list((users_package / ".build" / "debug").glob(f"*{library}.build/**/*.o")) == []
    for program in ["chat", "bench-echo-c"]:
        linked = run(["ldd", programs / program], users_package)
        assert "libz" in linked
        assert not [name for name in ["libssl", "libcrypto", "libhiredis"] if name in linked]


@pytest.mark.skipif(IS_SANITIZED, reason="whichever builds are tested, users build for themselves")
def test_who_takes_the_product_of_tls_has_it(users_package, programs):
    run(["swift", "build", "--product", "secure"], users_package, BUILD_DEADLINE)
    run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-keyout", "key.pem", "-out", "chain.pem", "-subj", "/CN=localhost"],
        users_package,
    )
    assert run([programs / "secure"], users_package) == "true\ntrue\n"
    assert "libssl" in run(["ldd", programs / "secure"], users_package)
    assert pins(users_package) == {"jazzy"}


@pytest.mark.skipif(IS_SANITIZED, reason="whichever builds are tested, users build for themselves")
def test_who_takes_the_product_of_redis_has_it(users_package, programs):
    run(["swift", "build", "--product", "joined"], users_package, BUILD_DEADLINE)
    assert run([programs / "joined"], users_package) == "true\n"
    assert "libhiredis" in run(["ldd", programs / "joined"], users_package)
    assert pins(users_package) == {"jazzy"}


# What each product of the server ecosystem needs of others, and no more.
ECOSYSTEM = {
    "JazzyLogging": {"swift-log"},
    "JazzyMetrics": {"swift-metrics"},
    "JazzyTracing": {"swift-distributed-tracing"},
    "JazzyServiceLifecycle": {
        "swift-service-lifecycle", "swift-log", "swift-async-algorithms", "swift-collections",
    },
}

TAKING_ONE = """\
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "App",
    dependencies: [.package(url: %s, branch: "main", traits: [%s])],
    targets: [.executableTarget(name: "App", dependencies: [.product(name: %s, package: "jazzy")])]
)
"""


@pytest.mark.skipif(IS_SANITIZED, reason="whichever builds are tested, users resolve for themselves")
@pytest.mark.parametrize(("product", "needed"), ECOSYSTEM.items(), ids=ECOSYSTEM)
def test_who_takes_a_product_of_the_ecosystem_gets_what_it_needs_alone(repository, tmp_path, product, needed):
    name = json.dumps(product)
    write(tmp_path, {"Package.swift": TAKING_ONE % (json.dumps(repository), name, name), "Sources/App/main.swift": ""})
    run(["swift", "package", "resolve"], tmp_path, BUILD_DEADLINE)
    assert pins(tmp_path) == {"jazzy"} | needed


# What whoever forgets the trait of a product sees, by what was to be used of it.
FORGETFUL = {
    "JazzyLogging": "var options = JazzyOptions()\noptions.log(to: 7)",
    "JazzyMetrics": "_ = JazzyServerMetrics(JazzyServer())",
    "JazzyTracing": "_ = traced { _ in .accept() }",
    "JazzyServiceLifecycle": "_ = JazzyService(JazzyServer())",
}


@pytest.mark.skipif(IS_SANITIZED, reason="whichever builds are tested, users build for themselves")
@pytest.mark.parametrize(("product", "code"), FORGETFUL.items(), ids=FORGETFUL)
def test_who_forgets_the_trait_is_told_to_name_it(users_package, tmp_path, product, code):
    modules = ["-I", users_package / ".build/debug/Modules"]
    modules += ["-I", users_package / ".build/checkouts/jazzy/Sources/CJazzyPoll/include", "-I", tmp_path]
    source = tmp_path / "main.swift"
    without = ROOT / "Sources" / product / "WithoutTrait.swift"
    command = ["swiftc", "-swift-version", "6", "-parse-as-library", *modules, "-emit-module", "-module-name", product]
    run([*command, without, "-emit-module-path", tmp_path / f"{product}.swiftmodule"], tmp_path)
    source.write_text(f"import JazzySwift\nimport {product}\n{code}\n")
    command = ["swiftc", "-swift-version", "6", "-typecheck", *modules, source]
    result = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert result.returncode != 0
    assert f'name the trait where you depend on the package: .package(…, traits: ["{product}"])' in result.stderr


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


def test_the_package_has_libraries_tests_and_one_program():
    command = ["swift", "package", "dump-package", "--package-path", ROOT]
    package = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=50).stdout)
    ours = {"JazzySwift", "JazzyTesting", "JazzyTLS", "JazzyRedis", "CJazzyPoll", "CJazzyTLS", "CJazzyRedis"}
    kinds = {product["name"]: next(iter(product["type"])) for product in package["products"]}
    assert kinds == {**dict.fromkeys([*ours, *ECOSYSTEM], "library"), "jazzy-top": "executable"}
    assert {target["type"] for target in package["targets"]} == {"regular", "system", "test", "executable"}
    assert all("jazzy" in target["name"].lower() for target in package["targets"]), "a name that is ours alone"
