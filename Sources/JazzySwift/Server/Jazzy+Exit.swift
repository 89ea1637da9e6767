internal import JazzyPlatform

// For the top level of a program, where an error that is thrown ends it with a crash report.
extension Jazzy {
    /// Serves the default application, as ``run(host:port:options:grace:)`` does. If that fails, the error's sentence is
    /// written to standard error, and the program ends with exit code 1.
    ///
    /// ```swift
    /// Route.ws("/echo") { ws, event, message in
    ///     if event == .message, message.kind == .text { ws.send(message.text) }
    /// }
    /// await Jazzy.runOrExit(port: 80)    // "app: cannot listen on any address, port 80: …"
    /// ```
    ///
    /// - Parameters:
    ///   - host: An IPv4 or IPv6 address or a name; `nil` means every address of this machine, IPv4 and IPv6.
    ///   - port: 0 to 65,535; with 0 the kernel chooses a free one.
    ///   - options: The options of the server.
    ///   - grace: After a cancellation, as for ``JazzyServer/run(on:grace:untilSignal:)``.
    public static func runOrExit(
        host: String? = nil, port: Int, options: JazzyOptions = JazzyOptions(), grace: Duration? = nil
    ) async {
        await exitOnError { try await run(host: host, port: port, options: options, grace: grace) }
    }

    /// Serves the default application, as ``run(on:options:grace:)`` does. If that fails, the error's sentence is
    /// written to standard error, and the program ends with exit code 1.
    ///
    /// - Parameters:
    ///   - addresses: The addresses to listen on, for instance `[.port(80), .unix("/run/app.sock")]`.
    ///   - options: The options of the server.
    ///   - grace: After a cancellation, as for ``JazzyServer/run(on:grace:untilSignal:)``.
    public static func runOrExit(
        on addresses: [JazzyAddress], options: JazzyOptions = JazzyOptions(), grace: Duration? = nil
    ) async {
        await exitOnError { try await run(on: addresses, options: options, grace: grace) }
    }

    /// Runs what may fail; if it throws, writes the error to standard error, and ends the program with exit code 1.
    ///
    /// An error that is thrown at the top level of `main.swift`, or by the `main()` of a type with `@main`, would end
    /// the program with a crash report. Any error is written as it describes itself, after the program's name:
    ///
    /// ```swift
    /// let server = JazzyServer()
    /// await Jazzy.exitOnError {
    ///     try server.listen(on: [.port(8080), .unix("/run/app.sock")])
    ///     print("listening on port \(server.port)")
    ///     try await server.runUntilCancelled(untilSignal: true)
    /// }
    /// ```
    ///
    /// The end is that of `exit(3)`: what was printed is flushed; connections of other servers are cut off.
    ///
    /// - Parameter work: What may fail. It runs where the caller does, for instance on the main actor.
    /// - Returns: What `work` returns.
    public nonisolated(nonsending) static func exitOnError<Value>(
        _ work: nonisolated(nonsending) () async throws -> Value
    ) async -> Value {
        do { return try await work() } catch { exit(telling: error) }
    }

    /// Runs what may fail; if it throws, writes the error to standard error, and ends the program with exit code 1, as
    /// the function of this name for asynchronous work does.
    ///
    /// ```swift
    /// Route.ws("/echo") { ws, event, message in
    ///     if event == .message, message.kind == .text { ws.send(message.text) }
    /// }
    /// Jazzy.exitOnError { try Jazzy.serve(port: 8080) }
    /// ```
    ///
    /// - Parameter work: What may fail.
    /// - Returns: What `work` returns.
    public static func exitOnError<Value>(_ work: () throws -> Value) -> Value {
        do { return try work() } catch { exit(telling: error) }
    }

    private static func exit(telling error: any Error) -> Never {
        let program = CommandLine.arguments.first?.split(separator: "/").last ?? "jazzy"
        writeToStandardError("\(program): \(error)\n")
        JazzyPlatform.exit(1)
    }
}

/// In one write, so that lines of several threads do not mix.
func writeToStandardError(_ text: String) {
    _ = text.utf8.withContiguousStorageIfAvailable { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
