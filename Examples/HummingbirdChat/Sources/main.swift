// A chat with rooms: Hummingbird serves HTTP, Jazzy serves WebSockets, in one process, with one log, one registry of
// metrics, one tracer, and one service group that SIGTERM and Ctrl-C end in order.
//
//     swift run --package-path Examples/HummingbirdChat hummingbird-chat 8080 8081
//     curl -d 'Supper is ready.' localhost:8080/rooms/kitchen

import Hummingbird
import InMemoryTracing
import JazzyLogging
import JazzyMetrics
import JazzyServiceLifecycle
import JazzySwift
import JazzyTracing
import Logging
import Metrics
import Tracing

let ports = CommandLine.arguments.dropFirst().compactMap { Int($0) }
guard ports.count == 2 else { fatalError("usage: hummingbird-chat HTTP-PORT WEBSOCKET-PORT") }

// The application decides where its logs, metrics and traces go; nothing else bootstraps anything. These keep them in
// memory, to be looked at; yours sends them somewhere.
let registry = MetricsRegistry()
let tracer = InMemoryTracer()
LoggingSystem.bootstrap(StreamLogHandler.standardError)
MetricsSystem.bootstrap(registry)
InstrumentationSystem.bootstrap(tracer)
var logger = Logger(label: "chat")
logger.logLevel = .debug

// WebSockets.
var options = JazzyOptions()
options.log(to: logger)
let server = JazzyServer(options: options)
server.ws(
    "/rooms/:room",
    upgrade: traced { request in
        request.parameters["room"] == "cellar" ? .reject(403) : .accept()
    }
) { ws, messages in
    guard let room = ws.parameters["room"] else { return }
    ws.subscribe(room)
    ws.send("Welcome to the \(room)!")
    for try await message in messages where message.kind == .text {
        withSpan("message") { _ in _ = server.publish(room, message.text) }
    }
}

// HTTP.
let router = Router()
router.get("/rooms/{room}") { _, context in
    let room = try context.parameters.require("room")
    return "\(server.subscriberCount(room)) in the \(room)\n"
}
router.post("/rooms/{room}") { request, context -> HTTPResponse.Status in
    let body = try await request.body.collect(upTo: 4_096)
    server.publish(try context.parameters.require("room"), String(buffer: body))
    return .accepted
}
router.get("/metrics") { _, _ in registry.text }
router.get("/spans") { _, _ in tracer.finishedSpans.map { "\($0.operationName) \($0.traceID)\n" }.joined() }

// Both, and the metrics. A group ends its services from the last to the first: HTTP, then the WebSockets, then the
// metrics, which record how the WebSockets ended.
try server.listen(host: "127.0.0.1", port: ports[1])
let app = Application(
    router: router,
    configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: ports[0])),
    services: [
        JazzyServerMetrics(server, every: .seconds(1)),
        JazzyService(server, code: 1012, reason: "service restart", grace: .seconds(10)),
    ],
    logger: logger)
try await app.runService()
print(registry.text)
