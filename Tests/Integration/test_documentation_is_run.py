"""
Every block of code in the README, in guides, in comments of documentation and in headers is run by a test, or it is said
here why not.
"""

import re
from collections import Counter

import pytest
import test_documentation_commands
import test_documentation_in_c
import test_documentation_in_javascript
import test_documentation_manifests
import test_documentation_of_redis
import test_documentation_of_tls
import test_documentation_runs
import test_hummingbird

from support import scraping
from support.documentation import docc_examples, every_example, markdown_examples, paths
from support.programs import ROOT

DEPLOYMENT_TESTS = "".join(path.read_text() for path in ROOT.glob("Tests/Integration/test_deployment_*.py"))


def is_recipe(example):
    """What tests of deployments take by its first line: a title, or the only command."""
    title = example.code.partition("\n")[0].removeprefix("# ")
    return example.file.endswith("/Deployment.md") and f'"{title}"' in DEPLOYMENT_TESTS


def is_of_the_guide_to_tests(example):
    """Those are in programs of a folder, line by line: Tests/JazzyTestingTests/Guide/GuideTests.swift looks for each."""
    return example.module == "JazzyTesting" and example.language == "swift"


def is_usage(example):
    """How a program is called: its test starts it by this."""
    return example.file == "Examples/HummingbirdChat/Sources/main.swift"


RUN = {
    "programs in Swift": test_documentation_runs.EXAMPLES.__contains__,
    "programs with products of the server ecosystem": test_hummingbird.EXAMPLES.__contains__,
    "programs in Swift with TLS": test_documentation_of_tls.EXAMPLES.__contains__,
    "programs in Swift with Redis": test_documentation_of_redis.EXAMPLES.__contains__,
    "what makes their certificates": test_documentation_of_tls.COMMANDS.__contains__,
    "tests in Swift": is_of_the_guide_to_tests,
    "manifests": test_documentation_manifests.EXAMPLES.__contains__,
    "programs in C": test_documentation_in_c.EXAMPLES.__contains__,
    "scripts": test_documentation_in_javascript.EXAMPLES.__contains__,
    "commands": test_documentation_commands.EXAMPLES.__contains__,
    "recipes": is_recipe,
    "configurations of Prometheus": scraping.CONFIGURATIONS.__contains__,
    "usage": is_usage,
}

def is_of_vapor(example):
    return example.file.endswith("/FromVapor.md") and example.language == "vapor"


def is_table(example):
    """In a header, what is no C and has columns."""
    return example.file.endswith(".h") and not example.language and re.match(r"[\w.]+ {2,}\S", example.code)


NOT_RUN = {
    "what users of Vapor have, for comparison: nothing here builds Vapor": is_of_vapor,
    "tables of functions, values and bits, which are no code": is_table,
}


@pytest.mark.parametrize("example", every_example(), ids=str)
def test_it_is_run(example):
    kinds = [kind for kind, contains in (RUN | NOT_RUN).items() if contains(example)]
    assert len(kinds) == 1, f"{kinds or 'of no kind that runs'}: see RUN and NOT_RUN"


def test_nothing_is_looked_for_in_vain():
    examples = every_example()
    assert [kind for kind, contains in (RUN | NOT_RUN).items() if not any(map(contains, examples))] == []


def test_no_block_is_overlooked():
    """Each fence begins or ends one of the blocks, and there are no fences of another form."""
    fenced = Counter(example.file for example in [*markdown_examples(), *docc_examples()] if example.language)
    for path in paths("*.md", "Examples/**/*.md", "Benchmarks/**/*.md", "Sources/**/*.md", "Sources/**/*.swift"):
        fences = re.findall(r"^(?: *///)? *(?:```|~~~)", path.read_text(), re.MULTILINE)
        assert len(fences) == 2 * fenced[str(path.relative_to(ROOT))], path
