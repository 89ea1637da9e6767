internal import JazzyPlatform

/// The client's end of a pipe that carries no messages: it only wakes the server's event loop.
///
/// A pipe that nobody reads any more would end the process by a signal. So a bell is rung as long as the other end is
/// known to be open: once when it is made, and then while a channel has it.
final class Bell: Sendable {
    private let descriptor: Int32

    /// Also returns the other end, which is the caller's, and already says that it was rung.
    static func make() throws -> (Bell, Int32) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw JazzyTestError(.system, "there is no pipe for a probe: \(lastError())")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let bell = Bell(ends[1])
        bell.ring()
        return (bell, ends[0])
    }

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
        makeNonBlocking(descriptor)
    }

    deinit {
        close(descriptor)
    }

    /// A full pipe has rung enough.
    func ring() {
        var byte = UInt8(ascii: "!")
        _ = write(descriptor, &byte, 1)
    }

    /// Consumes the notifications at the other end, which does not block. False: the client has gone.
    static func silence(_ descriptor: Int32) -> Bool {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { rings in
            var count = 0
            repeat { count = read(descriptor, rings.baseAddress, rings.count) } while count > 0
            return count < 0 && (errno == EAGAIN || errno == EINTR)
        }
    }
}
