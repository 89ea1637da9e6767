import CJazzyPoll
import Synchronization

/// The context of the core's callbacks for a page that is made for each request, which leads to its handler.
final class PageContext: Sendable {
    private let handler: JazzyPageHandler
    private let errors: HandlerErrors
    /// The requests that are not over. Guarded, because all loops of a server share its routes.
    private let requests = Mutex<[Request: Stage]>([:])

    private enum Stage {
        case beginning
        case running(Task<Void, Never>)
        /// The request has ended, and the handler is about to be called: on a worker, the core's thread may be faster.
        case over
    }

    private struct Request: Hashable {
        let connection: UInt64
        let number: UInt32

        init(_ page: jz_page_request) {
            connection = page.value
            number = page.number
        }
    }

    init(path: String, tellsTexts: Bool, handler: @escaping JazzyPageHandler) {
        errors = HandlerErrors(path: path, tellsTexts: tellsTexts)
        self.handler = handler
    }

    /// The core owns no reference to the context: `CoreServer` keeps contexts alive for as long as the core may call
    /// this.
    static let callback: jz_page_handler = { context, page, request in
        guard let context, let request else { return }
        let ws = JazzyWebSocket(jz_ws(value: page.value))
        Unmanaged<PageContext>.fromOpaque(context).takeUnretainedValue()
            .make(page, JazzyRequest(request).sent(by: ws))
    }

    /// Called once for each call of `callback`, on the loop's thread, when the request is over.
    static let endCallback: jz_page_end = { context, page in
        guard let context else { return }
        Unmanaged<PageContext>.fromOpaque(context).takeUnretainedValue().end(page)
    }

    /// The task begins on this thread (SE-0472): a handler that does not suspend has answered when this returns, without
    /// switching threads. It retains the context, because it may outlive the server, and is detached, because the
    /// loop's thread may be in a task that runs the server.
    private func make(_ page: jz_page_request, _ request: JazzyRequest) {
        guard begin(page) else { return }
        let task = Task.immediateDetached { [self] in
            do {
                respond(page, try await handler(request))
            } catch {
                // After cancellation nobody waits for the answer, and an error is expected.
                let ws = JazzyWebSocket(jz_ws(value: page.value))
                errors.tell(ws, isWaiting(page) ? .error : .debug, "page", threw: error)
                _ = page.respond(JazzyResponse(status: 500))
            }
        }
        // Unless it is over already.
        let isOver = requests.withLock { requests in
            guard requests[Request(page)] != nil else { return true }
            requests[Request(page)] = .running(task)
            return false
        }
        if isOver { task.cancel() }
    }

    /// Whether anybody waits for the answer.
    private func begin(_ page: jz_page_request) -> Bool {
        requests.withLock { requests in
            guard requests.removeValue(forKey: Request(page)) == nil else { return false }
            requests[Request(page)] = .beginning
            return true
        }
    }

    private func isWaiting(_ page: jz_page_request) -> Bool {
        requests.withLock { $0[Request(page)] != nil }
    }

    /// Cancels outside of the lock, because that calls the cancellation handlers of the page's handler.
    private func end(_ page: jz_page_request) {
        let stage = requests.withLock { requests in
            let stage = requests.removeValue(forKey: Request(page))
            if stage == nil { requests[Request(page)] = .over }
            return stage
        }
        if case .running(let task) = stage { task.cancel() }
    }

    private func respond(_ page: jz_page_request, _ response: JazzyResponse) {
        switch page.respond(response) {
        case JZ_ANSWER_INVALID: refuse(page, "gave a response that may not be sent: \(response)")
        case JZ_ANSWER_OUT_OF_MEMORY: refuse(page, "gave a response that there is no memory for")
        default: break
        }
    }

    private func refuse(_ page: jz_page_request, _ reason: String) {
        JazzyWebSocket(jz_ws(value: page.value)).log(.error, "the page of \(errors.path) \(reason)")
        _ = page.respond(JazzyResponse(status: 500))
    }
}

extension jz_page_request {
    fileprivate func respond(_ response: JazzyResponse) -> jz_answer_status {
        let content = response.content
        guard let status = Int32(exactly: response.status), status != 0, content?.file == nil,
            content?.contentType.utf8.contains(0) != true
        else { return JZ_ANSWER_INVALID }
        return withResponseHeaders(response.headers) { headers, count in
            withOptionalCString(content?.contentType) { contentType in
                (content?.body ?? []).withUnsafeBytes { bytes in
                    var response = jz_page_response(
                        status: status, content_type: contentType, body: bytes.baseAddress, length: bytes.count,
                        headers: headers, header_count: count)
                    return jz_page_respond(self, &response)
                }
            }
        }
    }
}

extension MadePageRoute {
    func register(on core: OpaquePointer, of server: JazzyOptions) throws(JazzyError) -> (any AnyObject & Sendable)? {
        try requireNoNUL(path, "a route's path", .invalidRoute)
        let context = PageContext(path: path, tellsTexts: server.logLevel == .debug, handler: handler)
        var coreOptions = jz_page_options()
        coreOptions.execution = options.execution == .loop ? JZ_EXECUTION_LOOP : JZ_EXECUTION_WORKERS
        if let timeout = options.timeout {
            coreOptions.answer_timeout_ms = try milliseconds(
                "timeout of the page \(path)", timeout, from: .milliseconds(100), to: .seconds(3_600))
        }
        coreOptions.ended = PageContext.endCallback
        try check {
            jz_server_route_page(
                core, path, &coreOptions, PageContext.callback, Unmanaged.passUnretained(context).toOpaque(), $0)
        }
        return context
    }
}
