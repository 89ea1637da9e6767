internal import JazzyPlatform
import JazzySwift

/// A client in memory, and the bytes on their way between it and the server, which takes and brings them through the
/// ``MemoryTransport``. It answers pings and close frames at once, as clients do.
final class ProbeWire: Sendable {
    struct State: Sendable {
        // MARK: On the way to the server

        var toServer: [UInt8] = []
        var taken = 0
        /// The client sends nothing behind it.
        var hasEnded = false
        /// The client is gone.
        var isLost = false
        /// The texts and binary messages that were sent.
        var messagesSent = 0
        /// How many pongs there are when all pings so far are answered, by their payload.
        var duePongs: [[UInt8]: Int] = [:]
        fileprivate var bell: Bell?
        /// A channel has the other end of the bell's pipe. Before, the bell has been rung, and after it is gone.
        fileprivate var isServed = false

        // MARK: What has come

        var response: JazzyTestResponse?
        /// Known when the first mark has arrived.
        var record: ConnectionRecord?
        var sent: [WsOwnedMessage] = []
        /// How many of them were waited for, and returned.
        var seen = 0
        var pings: [[UInt8]] = []
        var pongs: [[UInt8]] = []
        var closeFrame: JazzyTestClose?
        var failure: JazzyTestError?
        /// Nothing comes any more.
        var isOver = false
        /// The client takes nothing at present.
        var isUnread = false
        /// The server has something to send meanwhile.
        var isWaited = false

        fileprivate var responseReader = ResponseReader()
        fileprivate var frames = FrameReader()
        fileprivate var sentFrames = FrameReader()
        fileprivate var messages = MessageReader()
        fileprivate var hasSentClose = false

        var isOpen: Bool { response?.isAccepted == true && !hasSentClose && !hasEnded && !isOver }
    }

    let state = Watched(State())
    private let network: ProbeNetwork

    init(_ network: ProbeNetwork) {
        self.network = network
    }

    /// Connects to the server that is given a descriptor by `adopt`, which owns it, unless it throws.
    func connect(_ adopt: (Int32) throws -> Void) throws {
        let (bell, descriptor) = try Bell.make()
        state.change { $0.bell = bell }
        network.expect(self, on: descriptor)
        do {
            try adopt(descriptor)
        } catch {
            lose()
            close(descriptor)
            throw error
        }
    }

    // MARK: The client

    /// Sends the request.
    func send(request bytes: [UInt8]) {
        state.change { $0.send(bytes) }
    }

    /// Sends bytes, which may be frames, or parts of them. False: the client may not send any more.
    func send(raw bytes: [UInt8]) -> Bool {
        state.change { state in
            guard state.isOpen else { return false }
            state.send(raw: bytes)
            return true
        }
    }

    /// What is there when the server has dealt with a frame that was sent, and with all before it.
    struct Expected: Sendable {
        let messages: Int
        /// With the frame's payload.
        let pongs: Int
    }

    /// Sends a frame; `nil`: the client may not send any more.
    func send(_ frame: JazzyTestFrame) -> Expected? {
        state.change { state in
            guard state.isOpen else { return nil }
            state.send(frame)
            return Expected(messages: state.messagesSent, pongs: state.duePongs[frame.payload] ?? 0)
        }
    }

    /// Sends no more. The server finds the end behind what was sent.
    func end() {
        state.change { $0.end() }
    }

    /// Ends the connection at once.
    func lose() {
        state.change { state in
            state.isLost = true
            // It is hung up, so that a server that does not read at present sees it, too.
            state.bell = nil
        }
        network.forget(self)
    }

    func setReading(_ isReading: Bool) {
        let record = state.change { state in
            state.isUnread = !isReading
            if isReading, state.isWaited { state.ring() }
            return state.record
        }
        record?.state.change { $0.isUnread = !isReading }
    }

    // MARK: The server, on the thread of its event loop

    /// A channel was opened for the client.
    func beginServing() {
        state.change { $0.isServed = true }
    }

    /// How many bytes, at most `buffer.count`, the server takes; `nil`: the client is gone. `isAll`: nothing is left.
    func receive(_ buffer: UnsafeMutableBufferPointer<UInt8>) -> (count: Int, isAll: Bool, hasEnded: Bool)? {
        state.change { state in
            if state.isLost { return nil }
            let waiting = state.toServer[state.taken...].prefix(buffer.count)
            _ = buffer.update(fromContentsOf: waiting)
            state.taken += waiting.count
            let isAll = state.taken == state.toServer.count
            if isAll {
                state.toServer.removeAll(keepingCapacity: state.taken <= 65_536)
                state.taken = 0
            }
            return (waiting.count, isAll, state.hasEnded)
        }
    }

    /// Whether the client takes what the server sends; `nil`: it is gone.
    func deliver(_ bytes: [UInt8], isLast: Bool) -> Bool? {
        state.change { state in
            if state.isLost { return nil }
            if state.isUnread {
                state.isWaited = true
                return false
            }
            state.isWaited = false
            state.take(bytes, network)
            if isLast { state.endBehindServer() }
            return true
        }
    }

    /// The server has closed the connection.
    func over() {
        state.change { state in
            state.take([], network, hasEnded: true)
            state.isOver = true
            state.bell = nil
        }
    }
}

extension ProbeWire.State {
    /// What a client masks its frames with: any key will do where nobody listens.
    private static let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]

    mutating func send(_ bytes: [UInt8]) {
        toServer += bytes
        ring()
    }

    mutating func send(_ frame: JazzyTestFrame) {
        var frame = frame
        frame.mask = Self.mask
        if frame.opcode == .close { hasSentClose = true }
        guard sentFrames.unread == 0 else { return send(raw: frame.bytes) }
        note(frame)
        send(frame.bytes)
    }

    mutating func send(raw bytes: [UInt8]) {
        sentFrames.append(bytes)
        while let frame = sentFrames.next() { note(frame) }
        send(bytes)
    }

    /// It is sent.
    private mutating func note(_ frame: JazzyTestFrame) {
        if frame.isFinal, frame.opcode.rawValue < 8 { messagesSent += 1 }
        guard frame.opcode == .ping else { return }
        let answered = pongs.count { $0 == frame.payload }
        duePongs[frame.payload] = max(duePongs[frame.payload] ?? 0, answered) + 1
    }

    mutating func end() {
        hasEnded = true
        ring()
    }

    fileprivate func ring() {
        if isServed { bell?.ring() }
    }

    fileprivate mutating func endBehindServer() {
        if response?.isAccepted != true { take([], nil, hasEnded: true) }
        end()
    }

    fileprivate mutating func take(_ bytes: [UInt8], _ network: ProbeNetwork?, hasEnded: Bool = false) {
        do {
            guard response == nil else { return try takeFrames(bytes, network) }
            responseReader.append(bytes)
            guard let (response, rest) = try responseReader.take(hasEnded: hasEnded) else { return }
            self.response = response
            // Who is refused asks nothing else.
            if response.isAccepted { try takeFrames(rest, network) } else { end() }
        } catch {
            failure = error as? JazzyTestError
            end()
        }
    }

    private mutating func takeFrames(_ bytes: [UInt8], _ network: ProbeNetwork?) throws {
        frames.append(bytes)
        while let frame = frames.next() { try take(frame, network) }
    }

    private mutating func take(_ frame: JazzyTestFrame, _ network: ProbeNetwork?) throws {
        switch frame.opcode {
        case .ping: takePing(frame.payload, network)
        case .pong: pongs.append(frame.payload)
        case .close:
            closeFrame = JazzyTestClose(payload: frame.payload)
            if !hasSentClose { send(JazzyTestFrame(.close, frame.payload)) }
            end()
        default: if let message = try messages.take(frame) { sent.append(message) }
        }
    }

    private mutating func takePing(_ payload: [UInt8], _ network: ProbeNetwork?) {
        if let mark = Mark(payload) {
            if record == nil { record = network?.newcomer(mark.connection) }
            record?.state.change { $0.mark = max($0.mark, mark.number) }
            return
        }
        pings.append(payload)
        if isOpen { send(JazzyTestFrame(.pong, payload)) }
    }
}
