"""The manifests of the documentation are read by SwiftPM, and what they name is in our package."""

import re
import shutil
import subprocess

import pytest

from support.documentation import docc_examples, markdown_examples, tutorial_steps
from support.programs import IS_SANITIZED, ROOT

pytestmark = pytest.mark.skipif(IS_SANITIZED, reason="whichever builds are tested, users write the same manifests")

EXAMPLES = [example for example in [*markdown_examples(), *docc_examples(), *tutorial_steps()] if example.is_manifest]

WHOLE = """\
// swift-tools-version: 6.2
import PackageDescription
let package = Package(name: "App", dependencies: [{dependencies}
], targets: [{targets}
])
"""

# Where the package is for its readers, and with which requirement.
PLACE = re.compile(r'(?<=\.package\()(url: "https://github\.com/…/jazzy\.git", branch: "main"|path: "\.\./jazzy")')


def complete(code):
    if code.startswith("// swift-tools-version:"):
        return code
    lines = {kind: [line for line in code.splitlines() if line.startswith(f".{kind}(")] for kind in ("package", "target")}
    return WHOLE.format(dependencies="\n".join(lines["package"]), targets="\n".join(lines["target"]))


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_its_graph_of_packages_is_whole(tmp_path, example):
    here = f'name: "jazzy", path: "{ROOT}"'
    manifest, count = PLACE.subn(lambda _: here, complete(example.code))
    assert count == 1, "where the package is has another form: see PLACE"
    (tmp_path / "Package.swift").write_text(manifest)
    for target in re.findall(r'[tT]arget\(\s*name: "(\w+)"', manifest):
        source = tmp_path / "Sources" / target / "Empty.swift"
        source.parent.mkdir(parents=True)
        source.touch()
    command = [shutil.which("swift"), "package", "--package-path", tmp_path, "show-dependencies"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "error" not in result.stderr
