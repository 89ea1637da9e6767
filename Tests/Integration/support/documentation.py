"""The code in our documentation: fenced blocks of Markdown and of DocC comments, indented ones of C headers."""

import dataclasses
import re
import textwrap

from support.programs import ROOT


@dataclasses.dataclass(frozen=True)
class Example:
    place: str
    code: str

    def __str__(self):
        return self.place


def _fenced(path, language, text):
    for block in re.finditer(rf"^( *)```{language}\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, block.start()) + 1
        yield Example(f"{path.relative_to(ROOT)}:{line}", textwrap.dedent(block[2]))


FOLDERS = ("", "Examples/**/", "Benchmarks/", "Sources/JazzySwift/*.docc/")


def markdown_examples(language, folders=FOLDERS):
    paths = [path for folder in folders for path in ROOT.glob(f"{folder}*.md")]
    return [example for path in sorted(paths) for example in _fenced(path, language, path.read_text())]


def example_programs():
    paths = [*ROOT.glob("Examples/*/*.swift"), *ROOT.glob("Examples/*.c")]
    return [Example(str(path.relative_to(ROOT)), path.read_text()) for path in sorted(paths)]


def docc_examples(folder=ROOT / "Sources/JazzySwift"):
    """The comments with three slashes; other lines become empty, so that lines keep their numbers."""
    examples = []
    for path in sorted(folder.glob("**/*.swift")):
        comments = [re.match(r" *///(?: (.*)|)$", line) for line in path.read_text().splitlines()]
        text = "".join((match[1] or "" if match else "") + "\n" for match in comments)
        examples += _fenced(path, "swift", text)
    return examples


def header_examples():
    """The indented blocks of comments that are C: they begin or end as C does, which tables and lists do not."""
    examples = []
    for path in sorted(ROOT.glob("Sources/CJazzy*/include/**/*.h")):
        text = path.read_text()
        for block in re.finditer(r"(?:^ \* {5}.*\n(?: \*\n(?= \* {5}))?)+", text, re.MULTILINE):
            code = textwrap.dedent(re.sub(r"^ \* ?", "", block[0], flags=re.MULTILINE))
            lines = [re.sub(r"//.*", "", line).rstrip() for line in code.splitlines()]
            if lines[0].endswith((")", "{", ";")) and lines[-1].endswith(("}", ";")):
                line = text.count("\n", 0, block.start()) + 1
                examples.append(Example(f"{path.relative_to(ROOT)}:{line}", code))
    return examples
