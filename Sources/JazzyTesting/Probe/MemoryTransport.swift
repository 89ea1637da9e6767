import CJazzyPoll.Transport
import JazzySwift

/// The transport of a server that is probed: messages stay in memory. A pipe wakes the event loop (``Bell``).
extension ProbeNetwork {
    /// A transport, which retains the network.
    func makeTransport() -> JazzyTransport {
        JazzyTransport(Self.functions, context: Unmanaged.passUnretained(self).toOpaque(), owner: self)
    }

    /// C functions, which cannot capture any context.
    private static let functions = jz_transport(
        open: { context, descriptor, _, _ in
            guard let context else { return nil }
            let network = Unmanaged<ProbeNetwork>.fromOpaque(context).takeUnretainedValue()
            return Unmanaged.passRetained(Channel(network.arrived(descriptor), descriptor)).toOpaque()
        },
        // Whatever the server wants, the bell notifies of it; and of the client's loss, even if it wants nothing.
        interest: { _, _ in readable },
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
    /// `nil`: the client has gone already.
    private let wire: ProbeWire?
    private let descriptor: Int32

    init(_ wire: ProbeWire?, _ descriptor: Int32) {
        self.wire = wire
        self.descriptor = descriptor
    }

    static func of(_ channel: UnsafeMutableRawPointer?) -> Channel? {
        channel.map { Unmanaged<Channel>.fromOpaque($0).takeUnretainedValue() }
    }

    func ready() -> UInt32 {
        wire != nil && Bell.silence(descriptor) ? readable | writable : lost
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
