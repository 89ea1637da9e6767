#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The client's end of a socket that carries no messages: it only wakes the server's event loop.
final class Bell: Sendable {
    private let descriptor: Int32

    /// Connects to a port of this machine, and says a few bytes, by which the other side knows who it is.
    init(port: Int, saying token: [UInt8]) throws {
        descriptor = try loopbackSocket(port: port)
        makeNonBlocking(descriptor)
        token.withUnsafeBytes { _ = send(descriptor, $0.baseAddress, $0.count, noSignal) }
    }

    deinit {
        endWithReset(descriptor)
        close(descriptor)
    }

    /// A full socket has rung enough.
    func ring() {
        var byte = UInt8(ascii: "!")
        _ = send(descriptor, &byte, 1, noSignal)
    }
}
