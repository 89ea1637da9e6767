// The C library declares `stdout` and `stderr` as mutable variables; nothing here changes them.
#if canImport(Darwin)
    @preconcurrency import Darwin
#elseif canImport(Musl)
    @preconcurrency import Musl
#else
    @preconcurrency import Glibc
#endif

import JazzySwift

/// Serves on the port after `--port`, or on 8080, until Ctrl-C or SIGTERM, and prints the address before. A program of
/// your own has `await Jazzy.runOrExit(port: 8080)` instead.
public func serve() async {
    let server = Jazzy.server
    await Jazzy.exitOnError {
        try server.listen(port: portArgument())
        // Line-buffered even if it is not a terminal, so that the handlers' output appears at once.
        setvbuf(stdout, nil, _IOLBF, 0)
        let port = server.port
        print("listening on port \(port): open http://localhost:\(port)/ in a browser, Ctrl-C stops the server")
        try await server.runUntilCancelled(untilSignal: true)
    }
}

private let program = CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? "example"

/// Anything but a port ends the program.
private func portArgument() -> Int {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if arguments.isEmpty { return 8080 }
    if arguments.count == 2, arguments[0] == "--port", let port = UInt16(arguments[1]) { return Int(port) }
    let usage = "\(program) [--port N], where N is 0 to 65535, and 0 takes any free port"
    fputs("\(program): usage: \(usage)\n", stderr)
    exit(2)
}
