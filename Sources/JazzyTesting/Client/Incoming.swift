import JazzySwift

/// What a client has received.
struct Incoming: Sendable {
    let answersControlFrames: Bool
    /// In bytes: what is received and not read, and what is answered and not taken. With more, the server has failed.
    let mostUnread: Int
    var hasSentClose = false
    private(set) var response: JazzyTestResponse?
    /// The first close frame.
    private(set) var close: JazzyTestClose?
    private(set) var hasEnded = false

    private var responses = ResponseReader()
    private var reader = FrameReader()
    private var messages: MessageReader
    private(set) var failure: JazzyTestError?
    /// Not returned yet.
    private var frames: ArraySlice<JazzyTestFrame> = []
    /// What those frames take, and those of the message that is being joined.
    private var (kept, joining) = (0, 0)

    init(answersControlFrames: Bool, mostUnread: Int) {
        self.answersControlFrames = answersControlFrames
        self.mostUnread = mostUnread
        messages = MessageReader(longest: mostUnread)
    }

    /// Takes what has come; `nil`: the end. Returns what is to be answered.
    mutating func take(_ bytes: [UInt8]?) -> [UInt8] {
        guard failure == nil else { return [] }
        hasEnded = hasEnded || bytes == nil
        do {
            if response != nil {
                reader.append(bytes ?? [])
            } else {
                responses.append(bytes ?? [])
                try limit(responses.unread)
                guard let (response, rest) = try responses.take(hasEnded: hasEnded) else { return [] }
                self.response = response
                guard response.isAccepted else { return [] }
                reader.append(rest)
            }
            var answers: [UInt8] = []
            while let frame = reader.next() {
                frames.append(frame)
                kept += frame.size
                if frame.opcode == .close { close = close ?? frame.close }
                if let answer = answer(to: frame) { answers += answer.bytes }
            }
            try limit(reader.unread + kept)
            return answers
        } catch {
            fail(error)
            return []
        }
    }

    /// So many bytes of answers and others wait for the server to take them.
    mutating func limitUnsent(_ count: Int) {
        guard count > mostUnread else { return }
        fail(JazzyTestError(.malformed, "the server has not read more than \(mostUnread) bytes, and asks for answers"))
    }

    private mutating func fail(_ error: any Error) {
        failure = error as? JazzyTestError
        hasEnded = true
    }

    private func limit(_ unread: Int) throws {
        guard unread <= mostUnread else {
            throw JazzyTestError(.malformed, "the server sends more than \(mostUnread) bytes that nobody has read yet")
        }
    }

    private mutating func answer(to frame: JazzyTestFrame) -> JazzyTestFrame? {
        guard answersControlFrames, !hasSentClose else { return nil }
        switch frame.opcode {
        case .ping: return JazzyTestFrame(.pong, frame.payload, mask: randomBytes(4))
        case .close:
            hasSentClose = true
            return JazzyTestFrame(.close, frame.payload, mask: randomBytes(4))
        default: return nil
        }
    }

    mutating func takeFrame() -> Result<JazzyTestFrame, JazzyTestError>? {
        guard let frame = frames.popFirst() else { return end() }
        kept -= frame.size
        return .success(frame)
    }

    mutating func takeMessage() -> Result<WsOwnedMessage, JazzyTestError>? {
        while let frame = frames.first {
            if frame.opcode == .close { return .failure(endError) }
            _ = frames.popFirst()
            guard frame.opcode.rawValue < 8 else {
                kept -= frame.size
                continue
            }
            joining += frame.size
            do {
                guard let message = try messages.take(frame) else { continue }
                kept -= joining
                joining = 0
                return .success(message)
            } catch {
                return .failure(error as? JazzyTestError ?? endError)
            }
        }
        return end()
    }

    /// The error of a connection that has ended; `nil` if it has not.
    func end<Value>() -> Result<Value, JazzyTestError>? {
        hasEnded ? .failure(endError) : nil
    }

    private var endError: JazzyTestError {
        if let failure { return failure }
        guard let close else { return JazzyTestError(.ended, "the server ended the connection without a close frame") }
        let code = close.code.map { "code \($0)" } ?? "no code"
        return JazzyTestError(.ended, "the server closed the connection: \(code), \"\(close.reason)\"")
    }
}

extension JazzyTestFrame {
    /// What it takes in memory: any number of frames may have no payload.
    fileprivate var size: Int { MemoryLayout<Self>.stride + payload.count }
}
