"""What the README shows compiles, each example for itself."""

import re

import pytest

from support.programs import ROOT

EXAMPLES = [
    example
    for example in re.findall(r"^```swift\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    if not example.startswith(".package")
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.splitlines()[-2].strip()[:40])
def test_an_example_compiles(compile_swift, example):
    result = compile_swift(example)
    assert result.returncode == 0, result.stderr
