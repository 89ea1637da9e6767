import JazzySwift

/// What a client has received.
struct Incoming: Sendable {
    let answersControlFrames: Bool
    var hasSentClose = false
    private(set) var response: JazzyTestResponse?
    /// The first close frame.
    private(set) var close: JazzyTestClose?
    private(set) var hasEnded = false

    private var responses = ResponseReader()
    private var reader = FrameReader()
    private var messages = MessageReader()
    private var failure: JazzyTestError?
    /// Not returned yet.
    private var frames: [JazzyTestFrame] = []

    init(answersControlFrames: Bool) {
        self.answersControlFrames = answersControlFrames
    }

    /// Takes what has come; `nil`: the end. Returns what is to be answered.
    mutating func take(_ bytes: [UInt8]?) -> [[UInt8]] {
        hasEnded = hasEnded || bytes == nil
        do {
            if response != nil {
                reader.append(bytes ?? [])
            } else {
                responses.append(bytes ?? [])
                guard let (response, rest) = try responses.take(hasEnded: hasEnded) else { return [] }
                self.response = response
                guard response.isAccepted else { return [] }
                reader.append(rest)
            }
        } catch {
            failure = error as? JazzyTestError
            hasEnded = true
        }
        var answers: [[UInt8]] = []
        while let frame = reader.next() {
            frames.append(frame)
            if frame.opcode == .close { close = close ?? frame.close }
            if let answer = answer(to: frame) { answers.append(answer.bytes) }
        }
        return answers
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
        frames.isEmpty ? end() : .success(frames.removeFirst())
    }

    mutating func takeMessage() -> Result<WsOwnedMessage, JazzyTestError>? {
        while let frame = frames.first {
            if frame.opcode == .close { return .failure(endError) }
            frames.removeFirst()
            do {
                if let message = try messages.take(frame) { return .success(message) }
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
