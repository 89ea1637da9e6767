import CJazzyPoll
import Synchronization

/// The context of the core's callbacks, which leads to a route's closures.
final class HandlerContext: Sendable {
    let closures: RouteClosures
    /// Of the route's connections and messages.
    let coders: JazzyCoders
    private let errors: HandlerErrors
    /// Keyed by the value of the handshake. Guarded, because all loops of a server share its routes.
    let suspendedHooks = Mutex<[UInt64: Task<Void, Never>]>([:])

    init(path: String, closures: RouteClosures, coders: JazzyCoders, tellsTexts: Bool) {
        errors = HandlerErrors(path: path, tellsTexts: tellsTexts)
        self.closures = closures.startingTasks(coders, errors)
        self.coders = coders
    }

    /// The route's path, or its beginning.
    var path: String { errors.path }

    func tell(_ ws: JazzyWebSocket, _ level: JazzyLogLevel, _ closure: String, threw error: any Error) {
        errors.tell(ws, level, closure, threw: error)
    }

    /// The callback of all routes. The core owns no reference to the context: `CoreServer` keeps contexts alive for as
    /// long as the core may call this.
    static let callback: jz_handler = handleEvent

    static let drainCallback: jz_output_callback = { context, ws in
        guard let context else { return }
        Unmanaged<HandlerContext>.fromOpaque(context)._withUnsafeGuaranteedRef { context in
            context.closingIfThrown(JazzyWebSocket(ws)) { try context.closures.onDrain?($0) }
        }
    }

    static let dropCallback: jz_output_callback = { context, ws in
        guard let context else { return }
        Unmanaged<HandlerContext>.fromOpaque(context)._withUnsafeGuaranteedRef { context in
            context.closingIfThrown(JazzyWebSocket(ws)) { try context.closures.onDrop?($0) }
        }
    }

    @inline(__always)
    fileprivate func handleMessage(_ ws: JazzyWebSocket, _ message: UnsafePointer<jz_message>) {
        // The core never gives NULL, not even for no bytes.
        let bytes = UnsafeRawBufferPointer(
            start: message.pointee.bytes.unsafelyUnwrapped, count: message.pointee.length)
        do {
            // This event owns nothing, so it needs no reference counting.
            try closures.handler(
                ws, .message, WsMessage(kind: WsMessageKind(message.pointee.kind), bytes: bytes.bytes))
        } catch {
            close(ws, handlerThrew: error)
        }
    }

    /// Any other event than a message. Like all that is rare it is a function of its own: what it needs would be kept, and
    /// saved, for every message.
    @inline(never)
    fileprivate func handle(_ ws: JazzyWebSocket, _ event: UnsafePointer<jz_event>) {
        closingIfThrown(ws) { ws in
            try closures.handler(ws, WsEvent(event), WsMessage(kind: .text, bytes: RawSpan()))
        }
    }

    private func closingIfThrown(_ ws: JazzyWebSocket, _ body: (JazzyWebSocket) throws -> Void) {
        do {
            try body(ws)
        } catch {
            close(ws, handlerThrew: error)
        }
    }

    @inline(never)
    private func close(_ ws: JazzyWebSocket, handlerThrew error: any Error) {
        tell(ws, .error, "handler", threw: error)
        ws.close(code: .internalError)
    }
}

/// What the core calls for every event. Not a closure, which would be called by a function that the core calls. And the
/// core gives each handler all three, which only debug builds check.
@inline(__always)
private func handleEvent(
    _ context: UnsafeMutableRawPointer?, _ ws: jz_ws, _ event: UnsafePointer<jz_event>?,
    _ message: UnsafePointer<jz_message>?
) {
    Unmanaged<HandlerContext>.fromOpaque(context.unsafelyUnwrapped)._withUnsafeGuaranteedRef {
        let event = event.unsafelyUnwrapped
        if event.pointee.type == JZ_EVENT_MESSAGE {
            $0.handleMessage(JazzyWebSocket(ws), message.unsafelyUnwrapped)
        } else {
            $0.handle(JazzyWebSocket(ws), event)
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
            wasClean: event.pointee.was_clean,
            cause: Cause(event.pointee.cause),
            failure: event.pointee.failure == JZ_FAILURE_NONE
                ? nil : WsError(WsError.Rule(event.pointee.failure)))
    }
}
