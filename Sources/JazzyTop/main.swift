// Shows in a terminal what the page of a server's dashboard does: jazzy-top [PORT] [PATH] [--once]
import Foundation
import JazzyPlatform
import JazzySwift
import JazzyTesting

let usage = """
    usage: jazzy-top [PORT] [PATH] [--once]

    Shows once a second what the server on this port of this machine does (8080, unless another is given). It has to
    have a dashboard at this path: Route.dashboard("/jazzy"). With --once, or if the output is no terminal, it shows
    one second and ends. Ctrl-C ends it. Of another machine, a tunnel brings the port here: ssh -L 8080:localhost:8080.

    """

/// Whoever read it may be gone.
func put(_ text: String) {
    guard (try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))) != nil else { exit(1) }
}

func end(_ text: String, _ status: Int32) -> Never {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    exit(status)
}

let arguments = CommandLine.arguments.dropFirst().filter { $0 != "--once" }
let isTerminal = isatty(STDOUT_FILENO) != 0 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
let isOnce = CommandLine.arguments.contains("--once") || !isTerminal
let port = arguments.first.map { Int($0) ?? 0 } ?? 8_080
let path = arguments.count > 1 ? arguments[1] : "/jazzy"
guard (1...65_535).contains(port), path.hasPrefix("/"), arguments.count <= 2 else { end(usage, 2) }

func show(_ lines: [String]) {
    var size = winsize()
    let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 && size.ws_row > 0
    let shown = isKnown && !isOnce ? lines.prefix(max(1, Int(size.ws_row) - 1)) : lines[...]
    let texts = shown.map { isKnown ? cut(harmless($0), to: Int(size.ws_col)) : harmless($0) }
    let (begin, end, finish) = isOnce ? ("", "\n", "") : ("\u{1b}[H", "\u{1b}[K\n", "\u{1b}[J")
    put(begin + texts.map { $0 + end }.joined() + finish)
}

/// Another screen, without a cursor, on which no line becomes two.
func enter() { if !isOnce { put("\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l") } }
func leave() { if !isOnce { put("\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l") } }

struct Unknown: Error, CustomStringConvertible {
    let description = "no dashboard's figures come, or those of another version: is there Route.dashboard at this path?"
}

/// The samples of one connection, until it ends.
@MainActor func follow() async throws {
    let client = try await JazzyTestClient(
        port: port, path, headers: ["Host": "localhost:\(port)"], timeLimit: .seconds(5), mostUnread: 4 << 20)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    var before: Sample?
    while true {
        let text = try await client.message().text.utf8
        guard let now = try? decoder.decode(Sample.self, from: Data(text)), now.format == 1 else { throw Unknown() }
        if let before, now.number > before.number {
            show(Screen(now: now, before: before, address: "localhost:\(port)\(path)").lines)
            if isOnce { exit(0) }
        }
        before = now
    }
}

// On the thread that also writes to the screen, so that nothing is written behind the end.
let sources = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT].map { number in
    if number != SIGCONT { signal(number, SIG_IGN) }
    let source = DispatchSource.makeSignalSource(signal: number, queue: .main)
    source.setEventHandler {
        if number == SIGCONT { return enter() }
        leave()
        if number == SIGTSTP { kill(getpid(), SIGSTOP) } else { exit(0) }
    }
    source.activate()
    return source
}
enter()
if isOnce { DispatchQueue.main.asyncAfter(deadline: .now() + 10) { end("jazzy-top: no figures within 10 s\n", 1) } }
while true {
    do {
        try await follow()
    } catch {
        let lines = "\(error)".prefix(4_000).split(whereSeparator: \.isNewline).map(harmless)
        if isOnce { end("jazzy-top: " + lines.joined(separator: "\n") + "\n", 1) }
        show(["jazzy-top  localhost:\(port)\(path)", "", "no connection, trying again each second:"] + lines)
        try? await Task.sleep(for: .seconds(1))
    }
}
