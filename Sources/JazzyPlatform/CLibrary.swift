// The system's C library, for the modules of this package: nothing else in Swift knows that systems differ.
#if canImport(Darwin)
    @_exported import Darwin

    /// The type of a stream socket.
    public let streamSocket = SOCK_STREAM
    /// The flag of `send` by which a peer that has gone ends no process; there, a socket has an option for it instead.
    public let noSignal: Int32 = 0
    /// What `pthread_create` fills in.
    public typealias StartedThread = pthread_t?
#elseif canImport(Musl)
    @_exported import Musl

    /// The type of a stream socket.
    public let streamSocket = SOCK_STREAM
    /// The flag of `send` by which a peer that has gone ends no process.
    public let noSignal = Int32(MSG_NOSIGNAL)
    /// What `pthread_create` fills in.
    public typealias StartedThread = pthread_t?
#else
    @_exported import Glibc

    /// The type of a stream socket.
    public let streamSocket = Int32(SOCK_STREAM.rawValue)
    /// The flag of `send` by which a peer that has gone ends no process.
    public let noSignal = Int32(MSG_NOSIGNAL)
    /// What `pthread_create` fills in.
    public typealias StartedThread = pthread_t
#endif

/// Sending on the socket raises no signal, where that is an option of sockets instead of a flag.
public func raiseNoSignal(_ descriptor: Int32) {
    #if canImport(Darwin)
        var isSilent: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &isSilent, socklen_t(MemoryLayout<Int32>.size))
    #endif
}
