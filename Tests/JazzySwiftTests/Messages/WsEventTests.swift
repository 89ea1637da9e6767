import JazzySwift
import Testing

@Suite("Events")
struct WsEventTests {
    static let distinct: [WsEvent] = [
        .open,
        .message,
        .close(WsClose(code: 1000)),
        .close(WsClose(code: 1001)),
        .close(WsClose(code: 1000, reason: "bye")),
        .close(WsClose(code: 1000, wasClean: false)),
        .close(WsClose(code: 1000, cause: .application)),
        .close(WsClose(code: 1000, failure: WsError(.notMasked))),
        .error(WsError(.notMasked)),
        .error(WsError(.invalidUTF8)),
    ]

    @Test("An event equals itself and no other", arguments: distinct.indices)
    func equality(index: Int) {
        #expect(Self.distinct.indices.filter { Self.distinct[$0] == Self.distinct[index] } == [index])
    }

    @Test("A pattern without payload matches whatever the payload")
    func patterns() {
        func name(_ event: WsEvent) -> String {
            switch event {
            case .open: "open"
            case .message: "message"
            case .close: "close"
            case .error: "error"
            }
        }
        #expect(
            Self.distinct.map(name) == ["open", "message"] + Array(repeating: "close", count: 6) + ["error", "error"])
    }
}
