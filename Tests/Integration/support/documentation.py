"""The code in our documentation: fenced and indented blocks of Markdown and of comments, and the steps of tutorials."""

import dataclasses
import functools
import re
import textwrap

from support.programs import ROOT

FENCED = re.compile(r"^( *)```(\S*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)

# After an empty line: what is indented in a list goes on with an item.
INDENTED = re.compile(r"(?:\A|(?<=\n\n))(?: {4}.*\n(?:\n(?= {4}))?)+")

DOC_COMMENT = re.compile(r" *///(?: (.*)|)$")
LINE_COMMENT = re.compile(r"//(?: (.*)|)$")
C_COMMENT = re.compile(r" \*(?: (.*)|)$")


@dataclasses.dataclass(frozen=True)
class Example:
    place: str
    language: str  # as its fence says, or "" where it has none; "c" if it stands in a header, and looks like it
    code: str

    def __str__(self):
        return self.place

    @property
    def file(self):
        return self.place.rpartition(":")[0]

    @property
    def module(self):
        """The target whose sources it stands in, or whose catalogue; None: it stands beside all of them."""
        folder, _, rest = self.place.partition("/")
        return rest.partition("/")[0] if folder == "Sources" else None

    @property
    def is_manifest(self):
        """Of a package, or some lines of one."""
        return self.language == "swift" and self.code.startswith(("// swift-tools-version:", ".package("))


def paths(*patterns):
    """Files by patterns, but none of a build, whose folders have names that begin with a dot."""
    found = {path for pattern in patterns for path in ROOT.glob(pattern)}
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(ROOT).parts))


def _comments(path, line):
    """The text of the comments whose lines have this form; other lines are empty, so that lines keep their numbers."""
    matches = map(line.match, path.read_text().splitlines())
    return "".join((match[1] or "" if match else "") + "\n" for match in matches)


def _blocks(path, text):
    def example(block, language, code):
        line = block.string.count("\n", 0, block.start()) + 1
        return Example(f"{path.relative_to(ROOT)}:{line}", language, textwrap.dedent(code))

    for block in FENCED.finditer(text):
        yield example(block, block[2], block[3])
    for block in INDENTED.finditer(FENCED.sub(lambda block: "\n" * block[0].count("\n"), text)):
        yield example(block, "", block[0])


def markdown_examples():
    """Those of the README, of guides, and of all other documents."""
    documents = paths("*.md", "Examples/**/*.md", "Benchmarks/**/*.md", "Sources/**/*.md")
    return [example for path in documents for example in _blocks(path, path.read_text())]


def docc_examples():
    """Those of the comments with three slashes."""
    sources = paths("Sources/**/*.swift")
    return [example for path in sources for example in _blocks(path, _comments(path, DOC_COMMENT))]


def header_examples():
    """Those of the headers, which begin or end as C does if they are C; tables and pictures do not."""
    headers = paths("Sources/**/*.h")
    blocks = [example for path in headers for example in _blocks(path, _comments(path, C_COMMENT))]
    return [dataclasses.replace(example, language="c") if _looks_like_c(example.code) else example for example in blocks]


def _looks_like_c(code):
    lines = [re.sub(r"//.*", "", line).rstrip() for line in code.splitlines()]
    return lines[0].endswith((")", "{", ";")) and lines[-1].endswith(("}", ";"))


def program_comments():
    """Those at the beginning of example programs, which say how they are used."""
    programs = paths("Examples/**/*.swift")
    return [example for path in programs for example in _blocks(path, _comments(path, LINE_COMMENT))]


def tutorial_steps():
    """The files that a tutorial shows."""
    steps = []
    for tutorial in paths("Sources/**/*.tutorial"):
        resources = tutorial.parents[1] / "Resources"
        for name in re.findall(r'@Code\(name: "[^"]*", file: "([^"]+)"', tutorial.read_text()):
            path = resources / name
            steps.append(Example(f"{path.relative_to(ROOT)}:1", path.suffix[1:], path.read_text()))
    return steps


@functools.cache
def every_example():
    return [*markdown_examples(), *docc_examples(), *header_examples(), *program_comments(), *tutorial_steps()]


def example_programs():
    programs = paths("Examples/*/*.swift", "Examples/*.c")
    return [Example(str(path.relative_to(ROOT)), path.suffix[1:], path.read_text()) for path in programs]
