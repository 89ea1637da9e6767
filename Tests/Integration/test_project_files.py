"""What CHANGELOG.md, SECURITY.md, .spi.yml and the README say of versions, of targets and of other files is so."""

import json
import re
import subprocess

import pytest

from support.programs import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("Examples/*.md"), *ROOT.glob("Benchmarks/*.md")])


def text_of(name):
    return (ROOT / name).read_text()


def built_version(name):
    return re.search(rf"^{name} := (\S+)$", text_of("Scripts/core.mk"), re.MULTILINE)[1]


def as_numbers(version):
    return tuple(map(int, version.split(".")))


def sections():
    """The changelog's versions, newest first, without what is not released."""
    return re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$", text_of("CHANGELOG.md"), re.MULTILINE)


def test_the_changelog_says_what_the_next_version_is():
    assert f"the first will be {built_version('VERSION')}" in text_of("CHANGELOG.md") or sections()
    assert all(as_numbers(built_version("VERSION")) >= as_numbers(version) for version in sections())


def test_the_library_knows_its_version():
    header = text_of("Sources/CJazzyPoll/include/jazzy/version.h")
    assert f'#define JZ_VERSION "{built_version("VERSION")}"' in header


def test_the_changelog_names_the_shared_library_as_it_is_built():
    assert f"libcjazzypoll.so.{built_version('ABI_VERSION')}" in text_of("CHANGELOG.md")


def test_versions_in_the_changelog_are_in_order_and_every_tag_has_one():
    versions = sections()
    assert versions == sorted(versions, key=as_numbers, reverse=True)
    listed = subprocess.run(["git", "-C", ROOT, "tag", "--list"], capture_output=True, text=True, timeout=50)
    tags = [tag for tag in listed.stdout.split() if re.fullmatch(r"\d+\.\d+\.\d+", tag)]
    assert set(tags) <= set(versions)


def test_the_package_index_documents_targets_that_there_are():
    listed = re.search(r"documentation_targets: \[(.*)\]$", text_of(".spi.yml"), re.MULTILINE)[1].split(", ")
    command = ["swift", "package", "dump-package", "--package-path", ROOT]
    package = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=50).stdout)
    names = {name for product in package["products"] for name in product["targets"]}
    assert "JazzySwift" in listed and set(listed) <= names
    assert len(listed) == len(set(listed))


def test_the_package_index_builds_for_the_systems_of_the_readme():
    platforms = re.findall(r"^    - platform: (\S+)$", text_of(".spi.yml"), re.MULTILINE)
    assert sorted(platforms) == ["linux", "macos-spm"]
    table = text_of("README.md").partition("## Platforms")[2]
    assert "| Linux" in table and "| macOS" in table


def test_security_names_no_address_that_somebody_would_have_to_keep():
    text = text_of("SECURITY.md")
    assert "@" not in text.replace("`@unchecked Sendable`", "")
    assert "http" not in re.sub(r"HTTP\S*", "", text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(document):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("name", ["CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md", "CONFORMANCE.md"])
def test_the_readme_leads_to_each(name):
    assert f"]({name})" in text_of("README.md")
