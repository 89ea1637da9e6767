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

func end(_ text: String, _ status: Int32) -> Never {
    FileHandle.standardError.write(Data(text.utf8))
    exit(status)
}

var arguments = Array(CommandLine.arguments.dropFirst())
let isTerminal = isatty(STDOUT_FILENO) != 0
let isOnce = arguments.contains("--once") || !isTerminal
arguments.removeAll { $0 == "--once" }
let port = arguments.first.map { Int($0) ?? 0 } ?? 8_080
let path = arguments.count > 1 ? arguments[1] : "/jazzy"
guard (1...65_535).contains(port), path.hasPrefix("/"), arguments.count <= 2 else {
    end(usage, 2)
}

/// Names come from clients: none may move the cursor.
func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
    default: true
    }
}

func show(_ lines: [String]) {
    var size = winsize()
    let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    let shown = isKnown && !isOnce ? lines.prefix(max(1, Int(size.ws_row) - 1)) : lines[...]
    let texts = shown.map { line in
        let text = String(String.UnicodeScalarView(line.unicodeScalars.map { isHarmless($0) ? $0 : "?" }))
        return isKnown ? String(text.prefix(Int(size.ws_col))) : text
    }
    let (begin, end, finish) = isOnce ? ("", "\n", "") : ("\u{1b}[H", "\u{1b}[K\n", "\u{1b}[J")
    FileHandle.standardOutput.write(Data((begin + texts.map { $0 + end }.joined() + finish).utf8))
}

func clean() {
    if !isOnce { FileHandle.standardOutput.write(Data("\u{1b}[?25h\u{1b}[?1049l".utf8)) }
}

/// The samples of one connection, until it ends.
func follow() async throws {
    let client = try await JazzyTestClient(
        port: port, path, headers: ["Host": "localhost:\(port)"], timeLimit: .seconds(5))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    var before: Sample?
    while true {
        let now = try decoder.decode(Sample.self, from: Data(try await client.message().text.utf8))
        if let before, now.number > before.number {
            show(Screen(now: now, before: before, address: "localhost:\(port)\(path)").lines)
            if isOnce { exit(0) }
        }
        before = now
    }
}

var sources: [any DispatchSourceSignal] = []
for number in [SIGINT, SIGTERM] {
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler {
        clean()
        exit(0)
    }
    source.activate()
    sources.append(source)
}
if !isOnce { FileHandle.standardOutput.write(Data("\u{1b}[?1049h\u{1b}[?25l".utf8)) }
while true {
    do {
        try await follow()
    } catch {
        if isOnce {
            end("jazzy-top: \(error)\n", 1)
        }
        show([
            "jazzy-top  localhost:\(port)\(path)", "", "no connection: \(error)",
            "trying again each second; Ctrl-C ends",
        ])
        try? await Task.sleep(for: .seconds(1))
    }
}
