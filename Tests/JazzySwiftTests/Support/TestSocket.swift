import JazzyPlatform

struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A blocking socket to a port of this machine, with a deadline for every call.
final class TestSocket {
    private var descriptor: Int32

    /// Whether every sent and received bit is inverted, as by ``FlippingTransport``.
    var isFlipped = false

    convenience init(port: Int) throws {
        try self.init(AF_INET)
        var address = Self.loopback(port: port)
        let status = withSocketAddress(&address) { connect(descriptor, $0, $1.pointee) }
        guard status == 0 else { throw TestFailure("cannot connect to port \(port): error \(errno)") }
    }

    /// Connects to a Unix domain socket.
    convenience init(path: String) throws {
        try self.init(AF_UNIX)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let status = withSocketAddress(&address) { connect(descriptor, $0, $1.pointee) }
        guard status == 0 else { throw TestFailure("cannot connect to \(path): error \(errno)") }
    }

    private init(_ family: Int32) throws {
        descriptor = socket(family, streamSocket, 0)
        var deadline = timeval(tv_sec: 10, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &deadline, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// A descriptor that listens on a free port; the caller owns it.
    static func listen() throws -> (descriptor: Int32, port: Int) {
        let listener = try TestSocket(AF_INET)
        var address = loopback(port: 0)
        guard listener.withSocketAddress(&address, { bind(listener.descriptor, $0, $1.pointee) }) == 0,
            JazzyPlatform.listen(listener.descriptor, 16) == 0,
            listener.withSocketAddress(&address, { getsockname(listener.descriptor, $0, $1) }) == 0
        else { throw TestFailure("cannot listen: error \(errno)") }
        defer { listener.descriptor = -1 }
        return (listener.descriptor, Int(in_port_t(bigEndian: address.sin_port)))
    }

    private static func loopback(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return address
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Ends the connection with a reset, even if output is unsent.
    func reset() {
        var lingersForNothing = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &lingersForNothing, socklen_t(MemoryLayout<linger>.size))
        close(descriptor)
        descriptor = -1
    }

    /// The address and port of this side.
    var localAddress: String {
        var address = sockaddr_in()
        _ = withSocketAddress(&address) { getsockname(descriptor, $0, $1) }
        return "127.0.0.1:\(in_port_t(bigEndian: address.sin_port))"
    }

    func send(_ bytes: [UInt8]) throws {
        var unsent = (isFlipped ? bytes.map { ~$0 } : bytes)[...]
        while !unsent.isEmpty {
            let count = unsent.withUnsafeBytes {
                JazzyPlatform.send(descriptor, $0.baseAddress, $0.count, noSignal)
            }
            guard count > 0 else { throw TestFailure("cannot send: error \(errno)") }
            unsent = unsent.dropFirst(count)
        }
    }

    func receive(_ count: Int) throws -> [UInt8] {
        var received: [UInt8] = []
        while received.count < count {
            let more = try [UInt8](unsafeUninitializedCapacity: count - received.count) { buffer, initializedCount in
                initializedCount = max(0, recv(descriptor, buffer.baseAddress, buffer.count, 0))
                guard initializedCount > 0 else { throw TestFailure("the stream ended, or nothing came in time") }
            }
            received += more
        }
        return isFlipped ? received.map { ~$0 } : received
    }

    /// Receives what is there, and waits if there is nothing.
    func receive() throws -> [UInt8] {
        let received = try [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, initializedCount in
            initializedCount = max(0, recv(descriptor, buffer.baseAddress, buffer.count, 0))
            guard initializedCount > 0 else { throw TestFailure("the stream ended, or nothing came in time") }
        }
        return isFlipped ? received.map { ~$0 } : received
    }

    /// Waits until the other side ends the connection, and discards its output. False: it does not end.
    func awaitEnd() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        var count = 0
        repeat { count = recv(descriptor, &buffer, buffer.count, 0) } while count > 0
        return count == 0 || errno == ECONNRESET
    }

    /// Receives an HTTP head, its empty line included, and not a byte more.
    func receiveHead() throws -> String {
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            head += try receive(1)
        }
        return String(decoding: head, as: UTF8.self)
    }

    private func withSocketAddress<Address, Result>(
        _ address: inout Address,
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result
    ) -> Result {
        var length = socklen_t(MemoryLayout<Address>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
        }
    }
}
