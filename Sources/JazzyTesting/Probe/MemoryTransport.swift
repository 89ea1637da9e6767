import CJazzyPoll.Transport
import JazzySwift

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The transport of a server that is probed: messages stay in memory. A socket only wakes the event loop (``Bell``).
extension ProbeNetwork {
    var transport: JazzyTransport {
        JazzyTransport(Self.functions, context: Unmanaged.passUnretained(self).toOpaque(), owner: self)
    }

    /// C functions, which cannot capture any context.
    private static let functions = jz_transport(
        open: { context, descriptor, _, _ in
            guard let context else { return nil }
            let network = Unmanaged<ProbeNetwork>.fromOpaque(context).takeUnretainedValue()
            return Unmanaged.passRetained(Channel(network, descriptor)).toOpaque()
        },
        interest: { channel, wanted in Channel.of(channel)?.interest(wanted) ?? 0 },
        ready: { channel, _ in Channel.of(channel)?.ready() ?? lost },
        receive: { channel, bytes, capacity, received, hasMore in
            guard let channel = Channel.of(channel), let received, let hasMore else { return JZ_IO_BROKEN }
            let buffer = UnsafeMutableBufferPointer(start: bytes, count: capacity)
            return channel.receive(buffer, &received.pointee, &hasMore.pointee)
        },
        send: { channel, pieces, count, isLast, sent in
            guard let channel = Channel.of(channel), let sent else { return JZ_IO_BROKEN }
            return channel.send(UnsafeBufferPointer(start: pieces, count: count), isLast, &sent.pointee)
        },
        protocol: nil,
        failure: nil,
        close: { channel in
            guard let channel else { return }
            Unmanaged<Channel>.fromOpaque(channel).takeRetainedValue().close()
        })
}

private let readable = UInt32(JZ_READABLE)
private let writable = UInt32(JZ_WRITABLE)
private let lost = UInt32(JZ_LOST)

/// The server's end of a ``ProbeWire``, on its event loop's thread.
private final class Channel {
    private let network: ProbeNetwork
    private let descriptor: Int32
    private var token: [UInt8] = []
    private var wire: ProbeWire?

    init(_ network: ProbeNetwork, _ descriptor: Int32) {
        self.network = network
        self.descriptor = descriptor
    }

    static func of(_ channel: UnsafeMutableRawPointer?) -> Channel? {
        channel.map { Unmanaged<Channel>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Whatever the server wants, the bell notifies of it.
    func interest(_ wanted: UInt32) -> UInt32 { wanted != 0 || wire == nil ? readable : 0 }

    func ready() -> UInt32 {
        if wire == nil {
            guard readToken() else { return lost }
            guard token.count == 16 else { return 0 }
            wire = network.arrived(token)
            if wire == nil { return lost }
        }
        return isSilenced ? readable | writable : lost
    }

    /// False: what has connected is no probe of this network, or it has gone.
    private func readToken() -> Bool {
        while token.count < 16 {
            var bytes = [UInt8](repeating: 0, count: 16 - token.count)
            let count = recv(descriptor, &bytes, bytes.count, 0)
            if count < 0 { return errno == EAGAIN || errno == EINTR }
            if count == 0 { return false }
            token += bytes.prefix(count)
        }
        return true
    }

    /// Consumes the notifications. False: the client has gone.
    private var isSilenced: Bool {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { rings in
            var count = 0
            repeat { count = recv(descriptor, rings.baseAddress, rings.count, 0) } while count > 0
            return count < 0 && (errno == EAGAIN || errno == EINTR)
        }
    }

    func receive(_ buffer: UnsafeMutableBufferPointer<UInt8>, _ received: inout Int, _ hasMore: inout Bool) -> jz_io {
        guard let (count, isAll, hasEnded) = wire?.receive(buffer) else { return JZ_IO_BROKEN }
        guard count > 0 else { return hasEnded ? JZ_IO_ENDED : JZ_IO_WOULD_BLOCK }
        received = count
        hasMore = !isAll || hasEnded
        return JZ_IO_OK
    }

    func send(_ pieces: UnsafeBufferPointer<jz_piece>, _ isLast: Bool, _ sent: inout Int) -> jz_io {
        var bytes: [UInt8] = []
        for piece in pieces { bytes += UnsafeBufferPointer(start: piece.bytes, count: piece.length) }
        guard let isTaken = wire?.deliver(bytes, isLast: isLast) else { return JZ_IO_BROKEN }
        guard isTaken else { return JZ_IO_WOULD_BLOCK }
        sent = bytes.count
        return JZ_IO_OK
    }

    func close() {
        wire?.over()
    }
}
