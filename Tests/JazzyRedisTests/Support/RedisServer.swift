import Foundation
import JazzyPlatform

/// A Redis of a test's own, without data on disk.
///
/// It is reached by a socket in its folder, which stays its own while it is away; a port could be another's meanwhile.
final class RedisServer {
    static let isInstalled = find("redis-server") != nil && find("redis-cli") != nil

    /// 0: it has none.
    let port: Int
    private let password: String?
    private let folder = FileManager.default.temporaryDirectory.appending(component: "jazzy-redis-\(UUID().uuidString)")
    private var process: Process?

    /// Starts it, and waits until it answers.
    ///
    /// - Parameter hasPort: Whether it is reached by a port, too, for tests in which it stays.
    init(password: String? = nil, hasPort: Bool = false) async throws {
        self.password = password
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var port = 0
        // Another process may take the port in between.
        for _ in 0..<10 {
            port = hasPort ? try Self.freePort() : 0
            let process = try Self.run(port, password, folder)
            if try await Self.answers(folder, password, process) {
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

    var url: String {
        let secret = password.map { ":\($0)@" } ?? ""
        return port == 0 ? "unix://\(secret)\(path)" : "redis://\(secret)127.0.0.1:\(port)"
    }

    /// Of its socket.
    var path: String { Self.path(in: folder) }

    /// Short, because the address of a socket has about 100 bytes.
    private static func path(in folder: URL) -> String { folder.appending(component: "s").path }

    /// Ends it at once, as a crash does.
    func kill() {
        guard let process else { return }
        if process.isRunning { JazzyPlatform.kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        self.process = nil
    }

    /// Starts it again, if it has no port.
    func restart() async throws {
        precondition(port == 0)
        let process = try Self.run(port, password, folder)
        self.process = process
        guard try await Self.answers(folder, password, process) else {
            throw TestFailure("redis-server does not start")
        }
    }

    @discardableResult
    func command(_ words: String...) throws -> String {
        try Self.command(folder, password, words)
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
        arguments += ["--unixsocket", path(in: folder), "--dir", folder.path]
        arguments += password.map { ["--requirepass", $0] } ?? []
        let process = try process("redis-server", arguments)
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        return process
    }

    private static func answers(_ folder: URL, _ password: String?, _ process: Process) async throws -> Bool {
        try await eventually("Redis answers, or has ended") {
            try !process.isRunning || command(folder, password, ["PING"]) == "PONG"
        }
        return process.isRunning
    }

    private static func command(_ folder: URL, _ password: String?, _ words: [String]) throws -> String {
        let authentication = password.map { ["--no-auth-warning", "-a", $0] } ?? []
        let process = try process("redis-cli", ["-s", path(in: folder)] + authentication + words)
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
