internal import JazzyPlatform

/// A socket that is connected to a port of this machine; connecting to a server there does not wait.
func loopbackSocket(port: Int) throws -> Int32 {
    let descriptor = socket(AF_INET, streamSocket, 0)
    guard descriptor >= 0 else { throw JazzyTestError(.system, "there is no socket for a client: \(lastError())") }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    raiseNoSignal(descriptor)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard status == 0 else {
        let reason = lastError()
        close(descriptor)
        throw JazzyTestError(.system, "cannot connect to port \(port) of this machine: \(reason)")
    }
    return descriptor
}

func makeNonBlocking(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
}

func lastError() -> String { String(cString: strerror(errno)) }

/// No small packet waits for the answer to another.
func sendAtOnce(_ descriptor: Int32) {
    var isAtOnce: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &isAtOnce, socklen_t(MemoryLayout<Int32>.size))
}

/// When the descriptor is closed, its connection is reset, and no trace of it stays in the kernel.
func endWithReset(_ descriptor: Int32) {
    var lingersForNothing = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &lingersForNothing, socklen_t(MemoryLayout<linger>.size))
}

func addressOfThisSide(_ descriptor: Int32) -> String {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    return "127.0.0.1:\(in_port_t(bigEndian: address.sin_port))"
}
