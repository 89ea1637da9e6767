import CJazzyPoll

/// A client that waits for the decision whether it is let in.
struct Handshake: Sendable {
    let core: jz_handshake

    /// The handle of the future connection, which cannot be used yet.
    var webSocket: JazzyWebSocket { JazzyWebSocket(jz_ws(value: core.value)) }

    /// Whether the client still waits for an answer.
    var isWaiting: Bool { jz_handshake_is_waiting(core) }

    /// Passes the state to the core: if the answer is taken, the core owns and releases it; else it is released here.
    func accept(
        subprotocol: String?, headers: JazzyHeaders, state: AnyObject?, compression: Bool
    ) -> jz_answer_status {
        guard subprotocol?.utf8.contains(0) != true else { return JZ_ANSWER_INVALID }
        return withResponseHeaders(headers) { start, count in
            withOptionalCString(subprotocol) { subprotocol in
                let kept = state.map { Unmanaged.passRetained($0) }
                var acceptance = jz_acceptance(
                    subprotocol: subprotocol, headers: start, header_count: count, state: kept?.toOpaque(),
                    declines_compression: !compression)
                let status = jz_handshake_accept(core, &acceptance)
                if status != JZ_ANSWER_TAKEN { kept?.release() }
                return status
            }
        }
    }

    func reject(status: Int, headers: JazzyHeaders = [:], body: JazzyContent? = nil) -> jz_answer_status {
        guard let status = Int32(exactly: status), body?.file == nil, body?.contentType.utf8.contains(0) != true
        else { return JZ_ANSWER_INVALID }
        return withResponseHeaders(headers) { start, count in
            withOptionalCString(body?.contentType) { contentType in
                (body?.body ?? []).withUnsafeBytes { bytes in
                    var rejection = jz_rejection(
                        status: status, headers: start, header_count: count, content_type: contentType,
                        body: bytes.baseAddress, length: bytes.count)
                    return jz_handshake_reject(core, &rejection)
                }
            }
        }
    }
}

/// Calls `body` with headers for the core; `JZ_ANSWER_INVALID` if one has a NUL.
func withResponseHeaders(
    _ headers: JazzyHeaders, _ body: (UnsafePointer<jz_response_header>?, Int) -> jz_answer_status
) -> jz_answer_status {
    let texts = headers.flatMap { [$0.name, $0.value] }
    guard !texts.contains(where: { $0.utf8.contains(0) }) else { return JZ_ANSWER_INVALID }
    return withCStrings(of: texts) { starts, count in
        let coreHeaders = stride(from: 0, to: count, by: 2).map {
            jz_response_header(name: starts?[$0], value: starts?[$0 + 1])
        }
        return coreHeaders.withUnsafeBufferPointer { body($0.baseAddress, $0.count) }
    }
}

func withOptionalCString<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard let text else { return body(nil) }
    return text.withCString(body)
}
