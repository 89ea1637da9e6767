// The C library declares `stdout` as a mutable variable; nothing here changes it.
@preconcurrency import Glibc
import JazzySwift

/// The port after `--port`, or 8080. Anything else ends the program.
func portArgument() -> Int {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if arguments.isEmpty { return 8080 }
    if arguments.count == 2, arguments[0] == "--port", let port = UInt16(arguments[1]) { return Int(port) }
    fail("usage: chat [--port N], where N is 0 to 65535, and 0 takes any free port", exitCode: 2)
}

/// `Jazzy.run(port:)` in two steps, to print the address between them.
func serveAndTell(port: Int) async {
    do {
        try Jazzy.server.listen(port: port)
        // Line-buffered even if it is not a terminal, so that the handlers' output appears at once.
        setvbuf(stdout, nil, _IOLBF, 0)
        let port = Jazzy.server.port
        print("listening on port \(port): open http://localhost:\(port)/ in a browser, Ctrl-C stops the server")
        try await Jazzy.server.runUntilCancelled(untilSignal: true)
    } catch {
        fail(error.message, exitCode: 1)
    }
}

private func fail(_ message: String, exitCode: Int32) -> Never {
    _ = "chat: \(message)\n".utf8.withContiguousStorageIfAvailable {
        write(STDERR_FILENO, $0.baseAddress, $0.count)
    }
    exit(exitCode)
}
