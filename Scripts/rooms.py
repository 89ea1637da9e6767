#!/usr/bin/env python3
"""The rooms of the C libraries and their order: a room uses only itself and rooms below it.

    Scripts/rooms.py                     checks includes, types, and each room's sentence in Sources/CJazzyPoll,
                                         Sources/CJazzyTLS and Sources/CJazzyRedis, of which the others use only what
                                         is public of the first
    Scripts/rooms.py --objects FOLDER    checks the symbols that object files use; FOLDER is a build (build/gcc)

`--sources FOLDER` names one folder of rooms. `--assign FILE` is for planning rooms: each line has a file, with or
without its extension, and its room ("server/output output"); the spelling of includes is not checked then. Exit status
1: something in a room uses something above it, or a room does not say what it is for; each fault is printed.
"""

import argparse
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator

# From the ground up. CONTRIBUTING.md says what each is for.
ROOMS = [
    "include",
    "platform",
    "codec",
    "session",
    "loop",
    "transport",
    "config",
    "connection",
    "output",
    "pubsub",
    "workers",
    "shard",
    "http",
    "lifecycle",
    "handles",
    "server",
]
PUBLIC = ROOMS[0]
# Other folders of rooms, which use what is public of the core, and nothing else of it.
ROOMS_OF = {
    "CJazzyTLS": ["include", "records", "contexts", "channel"],
    "CJazzyRedis": ["include", "tables", "settings", "envelope", "topics", "history", "link"],
}
CORE = pathlib.Path("Sources/CJazzyPoll")
# A connection has pointers to data that higher rooms keep for it. Rooms below those do not use the data.
KEPT_FOR_ROOMS_ABOVE = {"connection/connection.h": {"jz_unsent", "jz_subscriptions", "jz_work", "jz_question", "jz_exchange"}}
# zlib, ISA-L, OpenSSL and hiredis, which are no rooms: modules of their own, beside the libraries.
OUTSIDE = {"../../CJazzyZlib/CJazzyZlib.h", "../../CJazzyISAL/CJazzyISAL.h"}
OUTSIDE_OF = {
    "CJazzyTLS": {"../../CJazzyOpenSSL/CJazzyOpenSSL.h"},
    "CJazzyRedis": {"../../CJazzyHiredis/CJazzyHiredis.h"},
}
WAY_OUT = "let it return that, be handed it (a value, a table of functions), or move what it needs down"

INCLUDE = re.compile(r"^[ \t]*#[ \t]*include\b[ \t]*(.*)$", re.MULTILINE)
INCLUDED = re.compile(r'(["<])([^">]+)[">]')
# Comments, strings and characters: whichever begins first.
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
DEFINED = re.compile(r"\b(?:struct|union|enum)\s+(\w+)\s*\{")
MENTIONED = re.compile(r"\b(?:struct|union|enum)\s+(\w+)\b(?!\s*\{)")
# Of the comment at the beginning of a header. (The public interface has one for its users, in jazzy.h.)
FIRST_PARAGRAPH = re.compile(r"/\*\n \* (.*?)\n \*(?:\n|/)", re.DOTALL)


class Core:
    """The files of a library, by their paths below its folder, and the rooms they are in."""

    def __init__(self, folder: pathlib.Path, assigned: dict[str, str] | None = None):
        self.folder = folder
        self.rooms = ROOMS_OF.get(folder.name, ROOMS)
        self.outside = OUTSIDE_OF.get(folder.name, OUTSIDE)
        # What is public of the core, which others than the core include, too.
        self.core = folder.parent / CORE.name / PUBLIC if folder.name in ROOMS_OF else None
        self.assigned = assigned or {}
        self.is_plan = assigned is not None
        self.files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.[ch]"))

    def read(self, file: str) -> str:
        return (self.folder / file).read_text(encoding="utf-8")

    def room_of(self, file: str) -> str:
        """The first folder of the path, or the room in the plan."""
        stem = file.rsplit(".", 1)[0]
        return self.assigned.get(file) or self.assigned.get(stem) or (file.split("/")[0] if "/" in file else "")

    def floor_of(self, file: str) -> int:
        room = self.room_of(file)
        return self.rooms.index(room) if room in self.rooms else len(self.rooms)

    def is_up(self, user: str, used: str) -> bool:
        return self.floor_of(used) > self.floor_of(user)

    def resolve(self, user: str, included: str) -> str | None:
        """The file of the core that an include means; None where it means none."""
        beside = (self.folder / user).parent / included
        for candidate in (beside, self.folder / included, self.folder / PUBLIC / included):
            if candidate.is_file() and candidate.resolve().is_relative_to(self.folder.resolve()):
                return candidate.resolve().relative_to(self.folder.resolve()).as_posix()
        return None

    def is_of_the_core(self, included: str) -> bool:
        return self.core is not None and is_public(included) and (self.core / included).is_file()


def plan_of(lines: Iterable[str]) -> dict[str, str]:
    fields = (line.split("#")[0].split() for line in lines)
    plan = {file: room for file, room in (field for field in fields if field)}
    for file, room in plan.items():
        if room not in ROOMS:
            sys.exit(f"rooms: {file} is assigned to {room}, which is no room: {', '.join(ROOMS)}")
    return plan


def without_comments(text: str) -> str:
    """Every line stays where it is."""
    return NOT_CODE.sub(lambda match: match[0] if match[0][0] in "\"'" else "\n" * match[0].count("\n") or " ", text)


def is_public(included: str) -> bool:
    return included == "jazzy.h" or included.startswith("jazzy/")


def goes_up(core: Core, where: str, verb: str, what: str, user: str, used: str) -> str:
    return (
        f"{where}: {user} is in {core.room_of(user)}/ and {verb} {what} of {core.room_of(used)}/, which is above: "
        f"{WAY_OUT}"
    )


def check_places(core: Core) -> Iterator[str]:
    for file in core.files:
        if core.room_of(file) not in core.rooms:
            place = f"{core.room_of(file)}/ is no room" if core.room_of(file) else "it is in no room"
            yield f"{core.folder / file}: {place}: put it into one of {', '.join(core.rooms)}"


def spelling_fault(core: Core, user: str, quote: str, included: str, used: str | None) -> str | None:
    """What is wrong with the spelling of an include; None if nothing."""
    if included in core.outside or used is None and core.is_of_the_core(included):
        return None
    if ".." in included.split("/"):
        return "goes up in folders"
    if core.room_of(user) == PUBLIC and used is not None and core.room_of(used) == PUBLIC:
        return None  # what is installed: beside each other
    if quote == "<":
        return None if used is None or is_public(included) else "is in the core, and looked for in the system"
    if is_public(included):
        return None if used is not None else "is not there"
    if included not in core.files:
        return "is no file of a room"
    return None


def check_includes(core: Core) -> Iterator[str]:
    for file in core.files:
        text = without_comments(core.read(file))
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            where = f"{core.folder / file}:{line}"
            target = INCLUDED.match(match[1])
            if target is None:
                yield f"{where}: #include {match[1]} cannot be followed: name a file"
                continue
            quote, included = target.groups()
            used = core.resolve(file, included)
            fault = None if core.is_plan else spelling_fault(core, file, quote, included, used)
            if fault is not None:
                yield f'{where}: "{included}" {fault}: say "room/file.h", or "jazzy/file.h" for what is public'
            if used is not None and core.is_up(file, used):
                yield goes_up(core, where, "includes", used, file, used)


def sentence_of(core: Core, file: str) -> str | None:
    """The sentence on the room at the beginning of a header, on one line; None if there is none."""
    begin = FIRST_PARAGRAPH.match(core.read(file))
    sentence = " ".join(begin[1].replace("\n *", "\n").split()) if begin else ""
    return sentence if re.fullmatch(rf"{core.room_of(file)}/: \S.*\S\. Not here: \S.*\S\.", sentence) else None


def check_sentences(core: Core) -> Iterator[str]:
    for room in core.rooms:
        headers = [file for file in core.files if core.room_of(file) == room and file.endswith(".h")]
        said = [file for file in headers if sentence_of(core, file) is not None]
        if room != PUBLIC and any(core.room_of(file) == room for file in core.files) and len(said) != 1:
            places = f"these headers do: {', '.join(said)}" if said else "no header does"
            yield (
                f"{core.folder / room}: exactly one header has to begin with what the room is for, and {places}: "
                f'let its main header begin with a comment "{room}/: what it is for. Not here: what is elsewhere."'
            )


def code_of(text: str) -> str:
    """Without comments, strings and characters; every line stays where it is."""
    return NOT_CODE.sub(lambda match: "\n" * match[0].count("\n") or " ", text)


def check_types(core: Core) -> Iterator[str]:
    """A type that is only named, so that its header need not be included, is used all the same."""
    codes = {file: code_of(core.read(file)) for file in core.files}
    homes = {name: file for file in core.files for name in DEFINED.findall(codes[file])}
    public = {name for file in core.files if core.room_of(file) == PUBLIC for name in MENTIONED.findall(codes[file])}
    for file, code in codes.items():
        allowed = public | KEPT_FOR_ROOMS_ABOVE.get(file, set())
        for match in MENTIONED.finditer(code):
            home = homes.get(match[1])
            if home is not None and match[1] not in allowed and core.is_up(file, home):
                where = f"{core.folder / file}:{code.count(chr(10), 0, match.start()) + 1}"
                yield goes_up(core, where, "names the type", f"{match[1]} ({home})", file, home)


def symbols_of(object_file: pathlib.Path) -> tuple[set[str], set[str]]:
    """The symbols that a compiled file defines, and those that it uses."""
    command = ["nm", "-P", "-g", str(object_file)]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"rooms: {' '.join(command)} failed: {run.stderr.strip()}")
    offered, taken = set(), set()
    for line in run.stdout.splitlines():
        name, kind, *_ = line.split()
        (taken if kind in "Uwv" else offered).add(name)
    return offered, taken


def check_objects(core: Core, build: pathlib.Path, sources: pathlib.Path) -> Iterator[str]:
    """`sources` is the core's folder as the makefile names it, because the build has the same folders for objects."""
    compiled = [file for file in core.files if file.endswith(".c")]
    symbols = {}
    for file in compiled:
        object_file = build / sources / (file.removesuffix(".c") + ".o")
        if not object_file.exists():
            sys.exit(f"rooms: {object_file} is not there: build it first (`make test-rooms` does)")
        symbols[file] = symbols_of(object_file)
    homes: dict[str, list[str]] = {}
    for file, (offered, _) in symbols.items():
        for name in offered:
            homes.setdefault(name, []).append(file)
    for file, (_, taken) in symbols.items():
        for name in sorted(taken):
            used = min(homes.get(name, [file]), key=core.floor_of)
            if core.is_up(file, used):
                yield goes_up(core, str(core.folder / file), "uses", f"{name} ({used})", file, used)


def main() -> int:
    parser = argparse.ArgumentParser(description="Checks that no room of the C libraries uses one above it.")
    parser.add_argument("--sources", type=pathlib.Path, metavar="FOLDER", help="look at this library alone")
    parser.add_argument("--objects", type=pathlib.Path, metavar="FOLDER", help="look at the objects of this build")
    parser.add_argument("--assign", type=pathlib.Path, metavar="FILE", help="a plan: files and their rooms")
    arguments = parser.parse_args()
    plan = plan_of(arguments.assign.read_text(encoding="utf-8").splitlines()) if arguments.assign else None
    others = [] if plan is not None else [CORE.parent / name for name in ROOMS_OF]
    faults = []
    for sources in [arguments.sources] if arguments.sources else [CORE, *others]:
        core = Core(sources, plan)
        if not core.files:
            parser.error(f"there are no sources in {sources}: run this at the root of the repository")
        faults += check_places(core)
        if arguments.objects is None:
            faults += [*check_includes(core), *check_types(core)]
            faults += check_sentences(core) if plan is None else []
        else:
            faults += check_objects(core, arguments.objects, sources)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
