import InMemoryTracing
import JazzySwift
import Logging
import Metrics
import Tracing

private let registry = MetricsRegistry()
private let tracer = InMemoryTracer()

/// What an application does before all else: it says where its logs, metrics and spans go.
public func bootstrap() {
    LoggingSystem.bootstrap(StreamLogHandler.standardError)
    MetricsSystem.bootstrap(registry)
    InstrumentationSystem.bootstrap(tracer)
}

/// Serves what was recorded so far: the metrics, and the names of the spans.
public func showRecords(on server: JazzyServer) {
    server.ws("/records") { ws, event, _ in
        let spans = tracer.finishedSpans.map { "span \($0.operationName)\n" }
        if event == .open { ws.send(registry.text + spans.joined()) }
    }
}
