import CJazzyPoll.Transport
import JazzyPlatform
import JazzySwift

/// A transport in Swift: it exchanges greetings, and then inverts every bit in both directions.
final class FlippingTransport: Sendable {
    /// The greeting, which a client sends first, and receives.
    static let greeting = UInt8(ascii: "?")

    private let end: @Sendable () -> Void

    /// The calls of channels: "open" and "close", in order.
    let events = Recorder<String>()

    /// `end` is called when the last reference goes.
    init(end: @escaping @Sendable () -> Void = {}) {
        self.end = end
    }

    deinit { end() }

    var transport: JazzyTransport {
        JazzyTransport(Self.functions, context: Unmanaged.passUnretained(self).toOpaque(), owner: self)
    }

    /// The same, with channels that are secure and say so, and know two names.
    var secureTransport: JazzyTransport {
        var functions = Self.functions
        functions.is_secure = true
        functions.property = { _, index, name, value, length in
            guard index < 3, let name, let value, let length else { return false }
            name.pointee = cString(index < 2 ? "flip.name" : "flip.version")
            value.pointee = cString("ab1") + index
            length.pointee = 1
            return true
        }
        return JazzyTransport(functions, context: Unmanaged.passUnretained(self).toOpaque(), owner: self)
    }

    /// Connects a socket through it.
    static func connected(_ socket: TestSocket) throws -> TestSocket {
        try socket.send([greeting])
        guard try socket.receive(1) == [greeting] else { throw TestFailure("not greeted") }
        socket.isFlipped = true
        return socket
    }

    /// C functions, which cannot capture any context.
    static let functions = jz_transport(
        open: { context, descriptor, early, earlyLength in
            guard let context, earlyLength == 0 else { return nil }
            let owner = Unmanaged<FlippingTransport>.fromOpaque(context).takeUnretainedValue()
            return Unmanaged.passRetained(Channel(owner, descriptor)).toOpaque()
        },
        interest: { channel, wanted in Channel.of(channel)?.interest(wanted) ?? 0 },
        ready: { channel, what in Channel.of(channel)?.ready(what) ?? UInt32(JZ_LOST) },
        receive: { channel, bytes, capacity, received, hasMore in
            guard let channel = Channel.of(channel), let bytes, let received else { return JZ_IO_BROKEN }
            return channel.receive(
                UnsafeMutableBufferPointer(start: bytes, count: capacity), &received.pointee)
        },
        send: { channel, pieces, count, isLast, sent in
            guard let channel = Channel.of(channel), let sent else { return JZ_IO_BROKEN }
            return channel.send(pieces, count, &sent.pointee)
        },
        protocol: nil,
        failure: { channel in Channel.of(channel)?.failure },
        close: { channel in
            Channel.of(channel)?.end()
            if let channel { Unmanaged<Channel>.fromOpaque(channel).release() }
        })
}

/// For ever.
private func cString(_ text: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

/// Of one connection, on its event loop's thread.
private final class Channel {
    private let owner: FlippingTransport
    private let descriptor: Int32
    private var isGreeted = false
    private(set) var failure: UnsafePointer<CChar>?

    init(_ owner: FlippingTransport, _ descriptor: Int32) {
        self.owner = owner
        self.descriptor = descriptor
        owner.events.record("open")
    }

    static func of(_ channel: UnsafeMutableRawPointer?) -> Channel? {
        channel.map { Unmanaged<Channel>.fromOpaque($0).takeUnretainedValue() }
    }

    func end() {
        owner.events.record("close")
    }

    func interest(_ wanted: UInt32) -> UInt32 { isGreeted ? wanted : UInt32(JZ_READABLE) }

    func ready(_ what: UInt32) -> UInt32 {
        guard !isGreeted else { return what }
        var byte = UInt8(0)
        guard recv(descriptor, &byte, 1, 0) == 1 else { return errno == EAGAIN ? 0 : UInt32(JZ_LOST) }
        guard byte == FlippingTransport.greeting, JazzyPlatform.send(descriptor, &byte, 1, noSignal) == 1 else {
            failure = UnsafeRawPointer(Self.notGreeted.utf8Start).assumingMemoryBound(to: CChar.self)
            return UInt32(JZ_LOST)
        }
        isGreeted = true
        return what
    }

    /// A literal, which ends in a NUL, and is there for ever.
    private static let notGreeted: StaticString = "nobody has greeted"

    func receive(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ received: inout Int) -> jz_io {
        let count = recv(descriptor, bytes.baseAddress, bytes.count, 0)
        guard count > 0 else { return count == 0 ? JZ_IO_ENDED : errno == EAGAIN ? JZ_IO_WOULD_BLOCK : JZ_IO_BROKEN }
        for index in 0..<count { bytes[index] = ~bytes[index] }
        received = count
        return JZ_IO_OK
    }

    func send(_ pieces: UnsafePointer<jz_piece>?, _ count: Int, _ sent: inout Int) -> jz_io {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16_384) { bytes in
            let length = jz_pieces_join(pieces, count, 0, bytes.baseAddress, bytes.count)
            for index in 0..<length { bytes[index] = ~bytes[index] }
            guard length > 0 else { return JZ_IO_OK }
            let count = JazzyPlatform.send(descriptor, bytes.baseAddress, length, noSignal)
            guard count >= 0 else { return errno == EAGAIN ? JZ_IO_WOULD_BLOCK : JZ_IO_BROKEN }
            sent = count
            return JZ_IO_OK
        }
    }
}
