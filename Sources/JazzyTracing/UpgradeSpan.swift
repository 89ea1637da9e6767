#if JazzyTracing
    import JazzySwift
    import Tracing

    /// Starts the span of a request, as a child of what the request's headers say.
    func startUpgradeSpan(_ request: JazzyRequest, by chosen: (any Tracer)?) -> any Span {
        var context = ServiceContext.topLevel
        let instrument: any Instrument = chosen ?? InstrumentationSystem.instrument
        instrument.extract(request.headers, into: &context, using: HeaderExtractor())
        let tracer = chosen ?? InstrumentationSystem.tracer
        let span: any Span = tracer.startSpan("GET \(request.route)", context: context, ofKind: .server)
        span.updateAttributes { attributes in
            attributes["http.request.method"] = "GET"
            attributes["http.route"] = request.route
            attributes["url.path"] = request.path
            attributes["network.protocol.name"] = "websocket"
            set("client", Endpoint(request.remoteAddress), in: &attributes)
            set("server", request.header("Host").map(Endpoint.init), in: &attributes)
            if let agent = request.header("User-Agent") { attributes["user_agent.original"] = agent }
        }
        return span
    }

    private func set(_ name: String, _ endpoint: Endpoint?, in attributes: inout SpanAttributes) {
        guard let endpoint else { return }
        attributes["\(name).address"] = endpoint.address
        if let port = endpoint.port { attributes["\(name).port"] = port }
    }

    extension Span {
        /// Runs the work with the span's context, and records what it throws.
        func cover<Result>(_ work: () async throws -> Result) async throws -> Result {
            do {
                return try await ServiceContext.withValue(context) { try await work() }
            } catch {
                recordError(error)
                note(status: 500, error: "\(type(of: error))")
                throw error
            }
        }

        /// Notes the status of the answer, if somebody waits for it.
        func note(status: Int, error: String? = nil) {
            if Task.isCancelled {
                attributes["error.type"] = "cancelled"
                setStatus(SpanStatus(code: .error, message: "nobody waits for the answer any more"))
                return
            }
            attributes["http.response.status_code"] = status
            guard status >= 500 else { return }
            attributes["error.type"] = error ?? String(status)
            setStatus(SpanStatus(code: .error))
        }
    }

    /// Finds what a tracer asks for in the headers of a request.
    struct HeaderExtractor: Extractor {
        /// The values of all headers of that name, as RFC 9110 §5.3 combines them.
        func extract(key: String, from headers: JazzyHeaders) -> String? {
            let values = headers.filter { $0.name.lowercased() == key.lowercased() }.map(\.value)
            return values.isEmpty ? nil : values.joined(separator: ",")
        }
    }

    /// An address and its port, as `192.0.2.7:80`, `[2001:db8::1]:80` or `example.com`.
    struct Endpoint {
        let address: String
        let port: Int?

        init(_ text: String) {
            let isIPv6 = text.hasPrefix("[")
            let end = isIPv6 ? text.firstIndex(of: "]") : text.lastIndex(of: ":")
            guard let end else {
                (address, port) = (text, nil)
                return
            }
            let rest = text[end...].drop { $0 == "]" || $0 == ":" }
            address = String(isIPv6 ? text[text.index(after: text.startIndex)..<end] : text[..<end])
            // A proxy that names no port makes it 0.
            port = Int(rest).flatMap { $0 == 0 ? nil : $0 }
        }
    }
#endif
