import Metrics
import Synchronization

/// Keeps the values of counters and gauges, and shows them as text, one a line.
final class MetricsRegistry: MetricsFactory {
    private let values = Mutex<[String: Double]>([:])

    var text: String {
        values.withLock { values in
            values.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }.joined()
        }
    }

    fileprivate func change(_ name: String, _ change: (inout Double) -> Void) {
        values.withLock { change(&$0[name, default: 0]) }
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        Value(registry: self, label, dimensions)
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        Value(registry: self, label, dimensions)
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        Value(registry: self, label, dimensions)
    }

    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}

private final class Value: CounterHandler, RecorderHandler, TimerHandler {
    private let registry: MetricsRegistry
    private let name: String

    init(registry: MetricsRegistry, _ label: String, _ dimensions: [(String, String)]) {
        self.registry = registry
        let labels = dimensions.map { "\($0.0)=\"\($0.1)\"" }.joined(separator: ",")
        name = labels.isEmpty ? label : "\(label){\(labels)}"
        registry.change(name) { _ in }
    }

    func increment(by amount: Int64) { registry.change(name) { $0 += Double(amount) } }
    func reset() { registry.change(name) { $0 = 0 } }
    func record(_ value: Int64) { registry.change(name) { $0 = Double(value) } }
    func record(_ value: Double) { registry.change(name) { $0 = value } }
    func recordNanoseconds(_ duration: Int64) { registry.change(name) { $0 = Double(duration) } }
}
