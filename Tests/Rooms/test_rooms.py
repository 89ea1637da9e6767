"""Scripts/rooms.py finds what goes up, wherever it is planted, and names it; what stays or goes down it lets pass."""

import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]
SCRIPT = ROOT / "Scripts/rooms.py"
# Nothing in these goes up.
SOUND = {
    "include/jazzy.h": '#include "jazzy/error.h"\n',
    "include/jazzy/error.h": "typedef struct jz_server jz_server;\n",
    "codec/mask.h": "void jz_mask(void);\n",
    "codec/mask.c": '#include "codec/mask.h"\n\nvoid jz_mask(void)\n{\n}\n',
    "session/buffer.h": "",
    "loop/loop.h": "struct jz_loop {\n    int poll;\n};\n",
    "shard/shard.h": '#include "loop/loop.h"\n\nstruct jz_shard {\n    struct jz_loop loop;\n};\n',
    "shard/server.h": "struct jz_server {\n    int shards;\n};\n",
}


def saying(room, text=""):
    """A header that begins with what its room is for."""
    return f"/*\n * {room}/: what is in it. Not\n * here: what is not.\n *\n * A header.\n */\n{text}"


MAIN_HEADERS = ("codec/mask.h", "session/buffer.h", "loop/loop.h", "shard/shard.h")
SOUND |= {file: saying(file.split("/")[0], SOUND[file]) for file in MAIN_HEADERS}


class InATemporaryTree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def write(self, files):
        for file, text in files.items():
            path = self.root / "core" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def check(self, *arguments, sources="core"):
        """The exit status, and standard error."""
        command = [sys.executable, SCRIPT, "--sources", sources, *arguments]
        run = subprocess.run(command, cwd=self.root, check=False, capture_output=True, text=True, timeout=60)
        return run.returncode, run.stderr

    def passes(self, *arguments):
        self.assertEqual(self.check(*arguments), (0, ""))

    def fails(self, *named, arguments=()):
        status, errors = self.check(*arguments)
        self.assertEqual(status, 1, errors)
        self.assertNotIn("Traceback", errors)
        for name in named:
            self.assertIn(name, errors)


class Includes(InATemporaryTree):
    def test_what_goes_down_or_stays_passes(self):
        self.write(SOUND)
        self.passes()

    def test_lines_that_pass(self):
        for file, line in [
            ("loop/wheel.c", '#include "codec/mask.h"'),
            ("loop/wheel.c", '#include "loop/loop.h"'),
            ("loop/wheel.c", '#include "jazzy/error.h"'),
            ("loop/wheel.c", "#include <jazzy.h>"),
            ("loop/wheel.c", "#include <sys/epoll.h>"),
            ("loop/wheel.c", '// #include "shard/shard.h"'),
            ("loop/wheel.c", '/*\n#include "shard/shard.h"\n*/'),
            ("session/inflation.c", '#include "../../CJazzyZlib/CJazzyZlib.h"'),
            ("include/jazzy/server.h", '#include "error.h"'),
        ]:
            with self.subTest(line=line):
                self.write(SOUND | {file: line + "\n"})
                self.passes()

    def test_lines_that_fail(self):
        for file, line, *named in [
            ("loop/wheel.c", '#include "shard/shard.h"', "loop/", "shard/shard.h of shard/, which is above"),
            ("loop/wheel.c", '  #  include "shard/shard.h"', "shard/shard.h of shard/, which is above"),
            ("loop/wheel.c", '/* as */ #include "../shard/shard.h"', "goes up in folders", "which is above"),
            ("loop/wheel.c", "#include <shard/shard.h>", "shard/shard.h of shard/, which is above"),
            ("loop/wheel.c", "#include <codec/mask.h>", "looked for in the system"),
            ("loop/wheel.c", '#include "../codec/mask.h"', '"../codec/mask.h" goes up in folders'),
            ("loop/wheel.c", '#include "loop.h"', '"loop.h" is no file of a room'),
            ("loop/wheel.c", '#include "codec/gone.h"', '"codec/gone.h" is no file of a room'),
            ("loop/wheel.c", '#include "jazzy/gone.h"', '"jazzy/gone.h" is not there'),
            ("loop/wheel.c", "#include HEADER", "#include HEADER cannot be followed"),
            ("include/jazzy/server.h", '#include "codec/mask.h"', "codec/mask.h of codec/, which is above"),
        ]:
            with self.subTest(line=line):
                self.write(SOUND | {file: f"\n{line}\n"})
                self.fails(f"core/{file}:2: ", *named)
                (self.root / "core" / file).unlink()

    def test_a_folder_that_is_no_room_fails(self):
        self.write(SOUND | {"attic/box.c": ""})
        self.fails("core/attic/box.c: attic/ is no room")

    def test_a_file_in_no_folder_fails(self):
        self.write(SOUND | {"box.c": ""})
        self.fails("core/box.c: it is in no room")

    def test_everything_is_named(self):
        self.write(SOUND | {"loop/a.c": '#include "shard/shard.h"\n', "codec/b.c": '#include "loop/loop.h"\n'})
        self.fails("core/loop/a.c:1", "core/codec/b.c:1")


class OtherLibraries(InATemporaryTree):
    """They have rooms of their own, and use what is public of the core."""

    def lines(self, *lines):
        files = {
            "CJazzyPoll/include/jazzy/transport.h": "",
            "CJazzyPoll/codec/mask.h": "",
            "CJazzyTLS/contexts/contexts.h": saying("contexts"),
            "CJazzyTLS/channel/channel.h": saying("channel", '#include "contexts/contexts.h"\n'),
            "CJazzyTLS/contexts/names.c": "".join(line + "\n" for line in lines),
        }
        for file, text in files.items():
            path = self.root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return self.check(sources="CJazzyTLS")

    def test_what_is_public_of_the_core_and_openssl_pass(self):
        openssl = '#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"'
        self.assertEqual(self.lines('#include "jazzy/transport.h"', openssl), (0, ""))

    def test_what_is_not_fails(self):
        for line, fault in [
            ('#include "codec/mask.h"', '"codec/mask.h" is no file of a room'),
            ('#include "jazzy/gone.h"', '"jazzy/gone.h" is not there'),
            ('#include "channel/channel.h"', "channel/channel.h of channel/, which is above"),
            ('#include "../../CJazzyZlib/CJazzyZlib.h"', "goes up in folders"),
        ]:
            with self.subTest(line=line):
                status, errors = self.lines(line)
                self.assertEqual(status, 1)
                self.assertIn(f"CJazzyTLS/contexts/names.c:1: ", errors)
                self.assertIn(fault, errors)

    def test_its_objects_are_looked_at(self):
        self.lines("int jz_open_channel(void);", "int jz_name(void)", "{", "    return jz_open_channel();", "}")
        (self.root / "CJazzyTLS/channel/open.c").write_text("int jz_open_channel(void)\n{\n    return 1;\n}\n")
        for file in ("contexts/names", "channel/open"):
            target = self.root / f"build/CJazzyTLS/{file}.o"
            target.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cc", "-c", f"CJazzyTLS/{file}.c", "-o", target], cwd=self.root, check=True, timeout=60)
        status, errors = self.check("--objects", "build", sources="CJazzyTLS")
        self.assertEqual(status, 1)
        self.assertIn("uses jz_open_channel (channel/open.c) of channel/, which is above", errors)


class Types(InATemporaryTree):
    def test_types_of_rooms_above_that_are_only_named_fail(self):
        for text in [
            "typedef struct jz_shard jz_shard;",
            "struct jz_shard;",
            "typedef struct jz_shard shard_of_another_name;",
            "void jz_loop_note(const struct jz_shard *shard);",
        ]:
            with self.subTest(text=text):
                self.write(SOUND | {"loop/wheel.h": f"/* One\ntwo */\n{text}\n"})
                self.fails("core/loop/wheel.h:3: ", "names the type jz_shard (shard/shard.h) of shard/")

    def test_types_of_the_public_face_of_rooms_below_and_of_others_pass(self):
        for text in [
            "typedef struct jz_server jz_server;",
            "struct addrinfo;",
            "struct jz_loop;",
            "/* struct jz_shard; */",
            'static const char text[] = "struct jz_shard;";',
        ]:
            with self.subTest(text=text):
                self.write(SOUND | {"loop/wheel.h": text + "\n"})
                self.passes()

    def test_a_connection_has_pointers_to_what_rooms_above_keep_for_it(self):
        unsent = {"output/unsent.h": saying("output", "struct jz_unsent {\n    int pieces;\n};\n")}
        connection = {"connection/connection.h": saying("connection", "typedef struct jz_unsent jz_unsent;\n")}
        self.write(SOUND | unsent | connection)
        self.passes()
        self.write({"connection/slots.h": "typedef struct jz_unsent jz_unsent;\n"})
        self.fails("core/connection/slots.h:1", "jz_unsent (output/unsent.h)")


class Sentences(InATemporaryTree):
    def test_a_comment_of_one_line_or_paragraph_is_enough(self):
        for text in ["/*\n * loop/: waiting. Not here: anything else.\n */\n", saying("loop")]:
            with self.subTest(text=text):
                self.write(SOUND | {"loop/loop.h": text})
                self.passes()

    def test_a_room_whose_headers_do_not_say_what_it_is_for_fails(self):
        for text in [
            "struct jz_loop;\n",
            "/* The loop. */\n",
            "/*\n * The loop.\n *\n * loop/: waiting. Not here: anything else.\n */\n",
            "/*\n * loop/: waiting.\n */\n",
            "/*\n * loop/: waiting. Not here:\n */\n",
            "\n" + saying("loop"),
            saying("shard"),
        ]:
            with self.subTest(text=text):
                self.write(SOUND | {"loop/loop.h": text})
                self.fails("core/loop: exactly one header has to begin with what the room is for, and no header does")

    def test_a_room_without_headers_fails(self):
        self.write(SOUND | {"workers/work.c": ""})
        self.fails("core/workers: exactly one header", 'begin with a comment "workers/: ')

    def test_a_room_that_says_it_twice_fails(self):
        self.write(SOUND | {"loop/timer.h": saying("loop")})
        self.fails("these headers do: loop/loop.h, loop/timer.h")


class Objects(InATemporaryTree):
    LOW = "int jz_high(void);\nextern int jz_high_number;\nint jz_low(void)\n{\n    return %s;\n}\n"
    HIGH = "int jz_low(void);\nint jz_high_number;\nint jz_high(void)\n{\n    return %s;\n}\n"

    def compile(self, files):
        self.write(files)
        for file in files:
            target = (self.root / "build/core" / file).with_suffix(".o")
            target.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cc", "-c", f"core/{file}", "-o", target], cwd=self.root, check=True, timeout=60)

    def test_a_call_downwards_passes(self):
        self.compile({"codec/low.c": self.LOW % "1", "session/high.c": self.HIGH % "jz_low()"})
        self.passes("--objects", "build")

    def test_a_call_upwards_fails(self):
        self.compile({"codec/low.c": self.LOW % "jz_high()", "session/high.c": self.HIGH % "1"})
        self.fails("core/codec/low.c", "uses jz_high (session/high.c) of session/", arguments=["--objects", "build"])

    def test_an_object_of_a_room_above_fails(self):
        self.compile({"codec/low.c": self.LOW % "jz_high_number", "session/high.c": self.HIGH % "1"})
        self.fails("uses jz_high_number (session/high.c)", arguments=["--objects", "build"])

    def test_files_of_one_room_may_call_each_other_in_a_circle(self):
        self.compile({"codec/low.c": self.LOW % "jz_high()", "codec/high.c": self.HIGH % "jz_low()"})
        self.passes("--objects", "build")

    def test_what_was_compiled_from_files_that_are_gone_is_not_looked_at(self):
        self.compile({"codec/low.c": self.LOW % "1", "session/gone.c": self.LOW % "jz_high()"})
        (self.root / "core/session/gone.c").unlink()
        self.compile({"server/high.c": self.HIGH % "1"})
        self.passes("--objects", "build")

    def test_what_was_not_compiled_fails(self):
        self.write({"codec/low.c": self.LOW % "1"})
        self.fails("build/core/codec/low.o is not there: build it first", arguments=["--objects", "build"])


class Plans(InATemporaryTree):
    def plan(self, text):
        (self.root / "plan").write_text(text, encoding="utf-8")
        return ["--assign", "plan"]

    def test_a_plan_puts_files_into_rooms_that_are_not_there_yet(self):
        self.write({"server/output.c": '#include "shard.h"\n#include "../codec/mask.h"\n', "server/shard.h": "", **SOUND})
        self.passes(*self.plan("# nothing\n"))
        self.fails(
            "server/output.c is in output/ and includes server/shard.h of shard/",
            arguments=self.plan("server/output.c output # first\n\nserver/shard shard\n"),
        )

    def test_a_plan_with_a_room_that_there_is_not_fails(self):
        self.write(SOUND)
        self.fails("server/output is assigned to attic, which is no room", arguments=self.plan("server/output attic\n"))


class Documents(unittest.TestCase):
    def test_contributing_has_the_rooms_in_their_order(self):
        specification = importlib.util.spec_from_file_location("rooms", SCRIPT)
        rooms = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(rooms)
        for library, its_rooms in {rooms.CORE.name: rooms.ROOMS, **rooms.ROOMS_OF}.items():
            with self.subTest(library=library):
                listed = re.findall(r"^\| `(\w+)/` \|", self.table_of(library), re.MULTILINE)
                self.assertEqual(listed, its_rooms[::-1])

    def table_of(self, library):
        text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
        return text.split(f"| folder of `Sources/{library}` |")[1].split("\n\n")[0]

    def test_what_contributing_says_of_a_room_is_what_its_header_says(self):
        rows = [
            (library, *row)
            for library in ("CJazzyPoll", "CJazzyTLS", "CJazzyRedis")
            for row in re.findall(r"^\| `(\w+)/` \| (.*) \| (.*) \|$", self.table_of(library), re.MULTILINE)
        ]
        for library, room, purpose, elsewhere in rows:
            if room == "include":
                continue
            with self.subTest(room=room):
                headers = (ROOT / "Sources" / library / room).glob("*.h")
                said = " ".join(" ".join(header.read_text(encoding="utf-8")[:400] for header in headers).split())
                self.assertIn(f"{room}/: {purpose}. Not here: {elsewhere}.".replace("`", ""), said.replace(" * ", " "))

    def test_contributing_names_what_there_is(self):
        """Its files, by the end of their paths, and the functions, types and macros of the core."""
        text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        files = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
        core = "".join((ROOT / file).read_text() for file in files if re.match(r"Sources/CJazzy(Poll|TLS|Redis)/.*\.[ch]$", file))
        named = set(re.findall(r"`([\w./+-]+)`", text))
        gone = [name for name in named if re.search(r"\.(c|h|py|md|swift|json)$", name)
                and not any(f"/{file}".endswith(f"/{name}") for file in files)]
        gone += [name for name in named if re.match(r"(jz|JZ)_\w+$", name) and not re.search(rf"\b{name}\b", core)]
        self.assertTrue(named)
        self.assertEqual(gone, [])


if __name__ == "__main__":
    unittest.main()
