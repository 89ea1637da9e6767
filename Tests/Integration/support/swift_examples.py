"""Examples in Swift as programs: what an example may leave out is added, and what is not everybody's is replaced."""

import re

# Names that an example may use without declaring them. Each becomes a line before the example.
CONTEXT = {
    "server": "let server = JazzyServer()",
    "options": "var options = JazzyOptions()",
}
# The same of a handler, whose body an example may be.
HANDLER = {"ws", "event", "message"}

# How an example itself waits for the end of its server, or brings it about.
ENDS = re.compile(r"\b(run|runOrExit|runUntilCancelled|runUntilSignal|serve|wait|stop)\(")

# What follows where an example leaves a server that was begun so.
BEGUN = {
    r"^try server\.start\(": "await untilTerminated()\n",
    r"^try server\.listen\(": "try await server.runUntilCancelled(untilSignal: true)\n",
    r"\bRoute\.\w+\(": "try await serve(Jazzy.server)\n",
    r"\bserver\.ws\(": "try await serve(server)\n",
    r"^options\.": 'let server = JazzyServer(options: options)\nserver.ws("/") { _, _, _ in }\ntry await serve(server)\n',
}

# Ports, folders, a socket of systemd's; and times that nobody waits for.
SUBSTITUTIONS = [
    (r"\bport: \d+", "port: 0"),
    (r"\.port\(\d+", ".port(0"),
    (r'"/run/(app/)?', '"{folder}/'),
    (r'"/etc/[\w./-]+/(?=[\w-]+\.(pem|key)")', '"{folder}/'),
    (r'"/etc/[\w./-]+(?=")', '"{folder}'),
    (r'"/srv/[\w./-]+\.\w+(?=")', '"{folder}/main.swift'),
    (r'"/srv/[\w/-]+(?=")', '"{folder}'),
    (r', owner: "[^"]*"', ""),
    (r"\.activated\b", ".port(0)"),
    (r"try await Task\.sleep\(for: \.seconds\(\d+\)\)", "await untilTerminated()"),
]


def declares(code, name):
    return re.search(rf"\b(let|var|func|in|for) {name}\b|[({{, ]{name}(, \w+)* in\b|\b{name}:", code) is not None


def uses(code, name):
    return re.search(rf"(?<![.\w\"]){name}\b", code) is not None and not declares(code, name)


def standing_alone(code):
    if any(uses(code, name) for name in HANDLER):
        code = f'Route.ws("/") {{ ws, event, message in\n{code}}}\n'
    context = [line for name, line in CONTEXT.items() if uses(code, name)]
    return "\n".join([*context, code])


def on_this_machine(program, folder):
    """The program on free ports, with its files in the folder."""
    for pattern, replacement in SUBSTITUTIONS:
        program = re.sub(pattern, replacement.format(folder=folder), program)
    return program


def serving(code, folder):
    """The example as a program that serves until a signal, if it has routes, a server, or options for one."""
    program = on_this_machine(standing_alone(code), folder)
    if not ENDS.search(program):
        program += next((end for sign, end in BEGUN.items() if re.search(sign, program, re.MULTILINE)), "")
    return program


def paths_of(program):
    return re.findall(r'\bws\(\s*"([^"]+)"', program)


def pages_of(program):
    return re.findall(r'\b(?:get|client)\(\s*"([^"]+)"', program)
