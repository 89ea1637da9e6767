#if JazzyTracing
    import InMemoryTracing
    import JazzySwift
    import JazzyTesting
    import JazzyTracing
    import Synchronization
    import Testing
    import Tracing

    @Suite("Spans of upgrades")
    struct TracingTests {
        struct Mishap: Error {}

        static let traceID = "0af7651916cd43dd8448eb211c80319c"
        static let parentID = "b7ad6b7169203331"
        static let headers: JazzyHeaders = [
            "traceparent": "00-\(traceID)-\(parentID)-01", "tracestate": "vendor=1", "TraceState": "other=2",
            "User-Agent": "tests/1",
        ]

        /// Waits for so many spans.
        static func spans(_ tracer: W3CTracer, count: Int = 1) async throws -> [FinishedInMemorySpan] {
            while tracer.finishedSpans.count < count { try await Task.sleep(for: .milliseconds(2)) }
            #expect(tracer.finishedSpans.count == count)
            return tracer.finishedSpans
        }

        /// Runs a server with this hook on /rooms/:id.
        static func withServer(
            _ hook: @escaping JazzyUpgradeHook, upgradeTimeout: Duration = .seconds(3_600),
            clientAddress: JazzyClientAddress = .peer, _ body: (JazzyServer) async throws -> Void
        ) async throws {
            var options = JazzyOptions()
            options.threads = 1
            options.log = { _, _ in }
            options.upgradeTimeout = upgradeTimeout
            options.clientAddress = clientAddress
            if clientAddress != .peer { options.trustedProxies = ["127.0.0.1"] }
            let server = JazzyServer(options: options)
            server.ws("/rooms/:id", upgrade: hook) { ws, event, message in
                if event == .message, message.kind == .text { ws.send(message.text) }
            }
            try server.start(host: "127.0.0.1", port: 0)
            try await body(server)
            await server.stopAndWait(grace: .zero)
        }

        @Test("One of kind server, with the parent that the request names, and what OpenTelemetry asks for")
        func accepted() async throws {
            let tracer = W3CTracer()
            let states = Mutex<[String?]>([])
            let hook = traced(by: tracer) { _ in
                states.withLock { $0.append(ServiceContext.current?.traceState) }
                await Task.yield()
                states.withLock { $0.append(ServiceContext.current?.inMemorySpanContext?.traceID) }
                return .accept()
            }
            try await Self.withServer(hook) { server in
                let client = try await JazzyTestClient(
                    port: server.port, "/rooms/7?token=secret", headers: Self.headers)
                let span = try await Self.spans(tracer)[0]
                #expect(span.operationName == "GET /rooms/:id")
                #expect(span.kind == .server)
                #expect((span.traceID, span.parentSpanID) == (Self.traceID, Self.parentID))
                #expect(span["http.request.method"] == "GET")
                #expect(span["http.route"] == "/rooms/:id")
                #expect(span["url.path"] == "/rooms/7")
                #expect(span["network.protocol.name"] == "websocket")
                let (address, port) = ("127.0.0.1", client.localAddress.split(separator: ":").last.map(String.init))
                #expect((span["client.address"], span["client.port"]) == (address, port))
                #expect((span["server.address"], span["server.port"]) == ("localhost", nil))
                #expect(span["user_agent.original"] == "tests/1")
                #expect(span["http.response.status_code"] == "101")
                #expect(span["error.type"] == nil)
                #expect((span.status == nil, span.errors.isEmpty) == (true, true))
                #expect(span.attributes.count == 9)
            }
            #expect(states.withLock { $0 } == ["vendor=1,other=2", Self.traceID])
        }

        @Test("A request that names no trace begins one; without a hook all are let in")
        func root() async throws {
            let tracer = W3CTracer()
            try await Self.withServer(traced(by: tracer)) { server in
                let client = try await JazzyTestClient(server, "/rooms/7")
                try await client.send("still there")
                #expect(try await client.message().text == "still there")
                #expect(try await Self.spans(tracer)[0].parentSpanID == nil)
            }
        }

        @Test(
            "The client of a proxy has the address that the proxy names, and a port only if it names one",
            arguments: [
                ("2001:db8::7", "2001:db8::7", nil), ("[2001:db8::7]:4711", "2001:db8::7", "4711"),
                ("192.0.2.7", "192.0.2.7", nil),
            ])
        func proxied(named: String, address: String, port: String?) async throws {
            let tracer = W3CTracer()
            try await Self.withServer(traced(by: tracer), clientAddress: .header("X-Real-IP")) { server in
                _ = try await JazzyTestClient(server, "/rooms/7", headers: ["X-Real-IP": named])
                let span = try await Self.spans(tracer)[0]
                #expect((span["client.address"], span["client.port"]) == (address, port))
            }
        }

        @Test("A refusal has its status; only those of the server are errors", arguments: [401, 503])
        func refused(status: Int) async throws {
            let tracer = W3CTracer()
            try await Self.withServer(traced(by: tracer) { _ in .reject(status) }) { server in
                #expect(try await JazzyTestClient.response(of: server, "/rooms/7").status == status)
                let span = try await Self.spans(tracer)[0]
                #expect(span["http.response.status_code"] == String(status))
                #expect(span["error.type"] == (status == 503 ? "503" : nil))
                #expect((span.status?.code == .error) == (status == 503))
                #expect(span.errors.isEmpty)
            }
        }

        @Test("An error that the hook throws is recorded")
        func thrown() async throws {
            let tracer = W3CTracer()
            try await Self.withServer(traced(by: tracer) { _ in throw Mishap() }) { server in
                #expect(try await JazzyTestClient.response(of: server, "/rooms/7").status == 500)
                let span = try await Self.spans(tracer)[0]
                #expect((span["http.response.status_code"], span["error.type"]) == ("500", "Mishap"))
                #expect(span.status?.code == .error)
                #expect(span.errors.map { $0.error is Mishap } == [true])
            }
        }

        @Test("An answer that nobody waits for any more has no status")
        func late() async throws {
            let tracer = W3CTracer()
            let hook = traced(by: tracer) { _ in
                try? await Task.sleep(for: .seconds(3_600))
                return .accept()
            }
            try await Self.withServer(hook, upgradeTimeout: .milliseconds(100)) { server in
                #expect(try await JazzyTestClient.response(of: server, "/rooms/7").status == 503)
                let span = try await Self.spans(tracer)[0]
                #expect((span["http.response.status_code"], span["error.type"]) == (nil, "cancelled"))
                #expect(span.status?.code == .error)
            }
        }

        @Test("The task that handles the connection has the span's context")
        func handler() async throws {
            let tracer = W3CTracer()
            let server = JazzyServer()
            server.ws("/rooms/:id", upgrade: traced(by: tracer)) { ws, messages in
                for try await message in messages where message.kind == .text {
                    tracer.withSpan("message") { _ in _ = ws.send(message.text) }
                }
            }
            try server.start(host: "127.0.0.1", port: 0)
            let client = try await JazzyTestClient(server, "/rooms/7", headers: Self.headers)
            try await client.send("hello")
            #expect(try await client.message().text == "hello")
            let spans = try await Self.spans(tracer, count: 2)
            #expect(spans.map(\.operationName) == ["GET /rooms/:id", "message"])
            #expect(spans[1].parentSpanID == spans[0].spanID)
            #expect(spans[1].traceID == Self.traceID)
            await server.stopAndWait(grace: .seconds(10))
        }

        @Test(
            "Addresses are told from ports",
            arguments: [
                ("192.0.2.7:80", "192.0.2.7", 80), ("[2001:db8::1]:8080", "2001:db8::1", 8_080),
                ("[2001:db8::1]", "2001:db8::1", nil), ("example.com", "example.com", nil), ("unix", "unix", nil),
                ("example.com:", "example.com", nil), ("[2001:db8", "[2001:db8", nil), ("", "", nil),
            ] as [(String, String, Int?)])
        func endpoints(text: String, address: String, port: Int?) async throws {
            let tracer = W3CTracer()
            _ = try await traced(by: tracer)(JazzyRequest(headers: ["Host": text], remoteAddress: text))
            let span = try await Self.spans(tracer)[0]
            for name in ["client", "server"] {
                #expect((span["\(name).address"], span["\(name).port"]) == (address, port.map { String($0) }))
            }
        }
    }
#endif
