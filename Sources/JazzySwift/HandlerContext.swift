import CJazzyPoll

/// What the core's callback is given to find the way back to a route's closure.
final class HandlerContext: Sendable {
    let path: String
    let handler: JazzyHandler
    let log: JazzyLog

    init(path: String, handler: @escaping JazzyHandler, log: @escaping JazzyLog) {
        self.path = path
        self.handler = handler
        self.log = log
    }

    /// The one function that the core calls, for every route. The core owns no reference: `CoreServer` keeps contexts
    /// alive for longer than the core may call.
    static let callback: jz_handler = { context, ws, event, message in
        guard let context, let event, let message else { return }
        Unmanaged<HandlerContext>.fromOpaque(context)._withUnsafeGuaranteedRef {
            $0.handle(JazzyWebSocket(ws), event, message)
        }
    }

    private func handle(
        _ ws: JazzyWebSocket, _ event: UnsafePointer<jz_event>, _ message: UnsafePointer<jz_message>
    ) {
        let buffer = UnsafeRawBufferPointer(start: message.pointee.bytes, count: message.pointee.length)
        let message = WsMessage(kind: WsMessageKind(message.pointee.kind), bytes: buffer.bytes)
        do {
            try handler(ws, WsEvent(event), message)
        } catch {
            log(.error, "the handler of \(path) threw: \(error)")
            ws.close(code: UInt16(JZ_CLOSE_INTERNAL_ERROR))
        }
    }
}

extension WsEvent {
    fileprivate init(_ event: UnsafePointer<jz_event>) {
        switch event.pointee.type {
        case JZ_EVENT_OPEN: self = .open
        case JZ_EVENT_MESSAGE: self = .message
        case JZ_EVENT_CLOSE: self = .close(WsClose(event))
        default: self = .error(WsError(WsError.Rule(event.pointee.failure)))
        }
    }
}

extension WsClose {
    fileprivate init(_ event: UnsafePointer<jz_event>) {
        let reason = UnsafeRawBufferPointer(
            start: event.pointee.close_reason, count: event.pointee.close_reason_length)
        self.init(
            code: event.pointee.close_code,
            reason: String(decoding: reason, as: UTF8.self),
            wasClean: event.pointee.was_clean)
    }
}
