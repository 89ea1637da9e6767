import Dispatch
import JazzyPlatform
import JazzyTesting

struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A server that does what Jazzy's own does not, for one client after the other.
final class ScriptedServer: Sendable {
    let port: Int
    private let listener: Int32
    private let queue = DispatchQueue(label: "jazzy.scripted-server")

    init() throws {
        let descriptor = socket(AF_INET, streamSocket, 0)
        // A client soon notices that nothing is read.
        var little: Int32 = 4_096
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &little, socklen_t(MemoryLayout<Int32>.size))
        limitWaiting(descriptor)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listens = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard listens else {
            close(descriptor)
            throw TestFailure("cannot listen: error \(errno)")
        }
        listener = descriptor
        port = Int(in_port_t(bigEndian: address.sin_port))
    }

    deinit {
        close(listener)
    }

    /// Lets the next client in, does what `script` says, and ends the connection.
    func serve<Result: Sendable>(_ script: @escaping @Sendable (ScriptedConnection) throws -> Result) async throws
        -> Result
    {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in
                continuation.resume(
                    with: Swift.Result {
                        let connection = try ScriptedConnection(accept(listener, nil, nil))
                        try connection.letIn()
                        return try script(connection)
                    })
            }
        }
    }
}

/// The server's end of a connection, which blocks, with a deadline for every call.
final class ScriptedConnection {
    private let descriptor: Int32
    private var reader = FrameReader()

    fileprivate init(_ descriptor: Int32) throws {
        guard descriptor >= 0 else { throw TestFailure("no client comes: error \(errno)") }
        self.descriptor = descriptor
        raiseNoSignal(descriptor)
        limitWaiting(descriptor)
    }

    deinit {
        close(descriptor)
    }

    fileprivate func letIn() throws {
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) { head += try receive(1) }
        send(Array("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n".utf8))
    }

    func send(_ frames: JazzyTestFrame...) {
        send(frames.flatMap(\.bytes))
    }

    /// Returns whether the client takes it.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var unsent = bytes[...]
        while !unsent.isEmpty {
            let count = unsent.withUnsafeBytes {
                JazzyPlatform.send(descriptor, $0.baseAddress, $0.count, noSignal)
            }
            guard count > 0 else { return false }
            unsent = unsent.dropFirst(count)
        }
        return true
    }

    /// Sends nothing more, but goes on to receive.
    func endSending() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// The next frame; `nil`: the client has ended the connection.
    func frame() throws -> JazzyTestFrame? {
        while true {
            if let frame = reader.next() { return frame }
            let bytes = try receive(65_536)
            if bytes.isEmpty { return nil }
            reader.append(bytes)
        }
    }

    /// All frames until the client ends the connection.
    func frames() throws -> [JazzyTestFrame] {
        var frames: [JazzyTestFrame] = []
        while let frame = try frame() { frames.append(frame) }
        return frames
    }

    /// Whether anything has come that was not received yet.
    var hasInput: Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, 0) > 0
    }

    /// What has come, at most so many bytes; none: the client has ended the connection.
    private func receive(_ most: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: most) { buffer, length in
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            guard count >= 0 else { throw TestFailure("nothing comes from the client: error \(errno)") }
            length = count
        }
    }
}

/// For every call.
private func limitWaiting(_ descriptor: Int32) {
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
        setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
    }
}
