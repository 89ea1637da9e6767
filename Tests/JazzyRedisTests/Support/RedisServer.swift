import Foundation
import JazzyPlatform

/// A Redis of a test's own, on a free port, without data on disk.
final class RedisServer {
    static let isInstalled = find("redis-server") != nil && find("redis-cli") != nil

    let port: Int
    private let password: String?
    private let folder = FileManager.default.temporaryDirectory.appending(component: "jazzy-redis-\(UUID().uuidString)")
    private var process: Process?

    /// Starts it, and waits until it answers.
    init(password: String? = nil) async throws {
        self.password = password
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var port = 0
        // Another process may take the port in between.
        for _ in 0..<10 {
            port = try Self.freePort()
            let process = try Self.run(port, password, folder)
            if try await Self.answers(port, password, process) {
                self.process = process
                break
            }
        }
        self.port = port
        guard process != nil else { throw TestFailure("redis-server does not start") }
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(at: folder)
    }

    var url: String { "redis://\(password.map { ":\($0)@" } ?? "")127.0.0.1:\(port)" }

    /// Ends it at once, as a crash does.
    func kill() {
        guard let process else { return }
        if process.isRunning { JazzyPlatform.kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        self.process = nil
    }

    /// Starts it again on its port.
    func restart() async throws {
        let process = try Self.run(port, password, folder)
        self.process = process
        guard try await Self.answers(port, password, process) else { throw TestFailure("redis-server does not start") }
    }

    @discardableResult
    func command(_ words: String...) throws -> String {
        try Self.command(port, password, words)
    }

    // MARK: Processes

    private static func find(_ program: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") + ["/usr/bin"]
        return folders.map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    private static func process(_ program: String, _ arguments: [String]) throws -> Process {
        guard let path = find(program) else { throw TestFailure("there is no \(program)") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        return process
    }

    private static func run(_ port: Int, _ password: String?, _ folder: URL) throws -> Process {
        var arguments = ["--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        arguments += ["--dir", folder.path] + (password.map { ["--requirepass", $0] } ?? [])
        let process = try process("redis-server", arguments)
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        return process
    }

    private static func answers(_ port: Int, _ password: String?, _ process: Process) async throws -> Bool {
        try await eventually("Redis answers, or has ended") {
            try !process.isRunning || command(port, password, ["PING"]) == "PONG"
        }
        return process.isRunning
    }

    private static func command(_ port: Int, _ password: String?, _ words: [String]) throws -> String {
        let authentication = password.map { ["--no-auth-warning", "-a", $0] } ?? []
        let process = try process("redis-cli", ["-p", "\(port)"] + authentication + words)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let answer = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: answer, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A port that nobody listens on.
    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, streamSocket, 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let hasPort = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard hasPort else { throw TestFailure("there is no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Polls until the condition holds, and fails when it does not within twenty seconds.
func eventually(_ what: String, _ condition: () throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(20)
    while try !condition() {
        guard ContinuousClock.now < end else { throw TestFailure("never happened: \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}
