#if JazzyTracing
    import InMemoryTracing
    import Tracing

    /// A tracer that keeps its spans in memory, and reads W3C Trace Context: `traceparent` has the versions, trace, parent
    /// and flags.
    struct W3CTracer: Tracer {
        private let memory = InMemoryTracer()

        var finishedSpans: [FinishedInMemorySpan] { memory.finishedSpans }

        func extract<Carrier, Extract: Extractor>(
            _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
        ) where Extract.Carrier == Carrier {
            let parts = extractor.extract(key: "traceparent", from: carrier)?.split(separator: "-") ?? []
            guard parts.count == 4 else { return }
            context.inMemorySpanContext = InMemorySpanContext(
                traceID: String(parts[1]), spanID: String(parts[2]), parentSpanID: nil)
            context.traceState = extractor.extract(key: "tracestate", from: carrier)
        }

        func inject<Carrier, Inject: Injector>(
            _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
        ) where Inject.Carrier == Carrier {}

        func forceFlush() {}

        func startSpan<Instant: TracerInstant>(
            _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
            at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
        ) -> InMemorySpan {
            memory.startSpan(
                operationName, context: context(), ofKind: kind, at: instant(), function: function, file: fileID,
                line: line)
        }
    }

    extension ServiceContext {
        private enum TraceStateKey: ServiceContextKey {
            typealias Value = String
        }

        /// The header `tracestate`.
        var traceState: String? {
            get { self[TraceStateKey.self] }
            set { self[TraceStateKey.self] = newValue }
        }
    }

    extension FinishedInMemorySpan {
        /// An attribute as a text.
        subscript(_ name: String) -> String? {
            switch attributes.get(name) {
            case .string(let text): text
            case .int64(let number): String(number)
            case .int32(let number): String(number)
            default: nil
            }
        }
    }
#endif
