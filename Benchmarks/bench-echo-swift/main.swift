// The measured server, on the Swift API: /echo returns each message unchanged, /fan sends each message to every
// connection of the route. It sends no greeting, and prints nothing per message.
import Glibc
import JazzySwift

func fail(_ message: String, exitCode: Int32) -> Never {
    _ = "bench-echo-swift: \(message)\n".utf8.withContiguousStorageIfAvailable {
        write(STDERR_FILENO, $0.baseAddress, $0.count)
    }
    exit(exitCode)
}

func serve(_ arguments: Arguments) throws {
    var options = JazzyOptions()
    options.maxMessageSize = arguments.maxMessageSize
    options.threads = arguments.threads
    // So high that nothing is dropped, because the delivery of every message is measured.
    options.backpressureLimit = 256 << 20
    let server = JazzyServer(options: options)
    let routeOptions = JazzyRouteOptions(deflate: arguments.deflate)

    switch arguments.handling {
    case .bytes:
        server.ws("/echo", options: routeOptions) { ws, event, message in
            guard event == .message, message.kind == .text || message.kind == .binary else { return }
            ws.send(message.bytes, kind: message.kind)
        }
    case .text:
        server.ws("/echo", options: routeOptions) { ws, event, message in
            guard event == .message, message.kind == .text else { return }
            ws.send(message.text)
        }
    case .task:
        server.ws("/echo", options: routeOptions) { ws, messages in
            for try await message in messages where message.kind == .text { ws.send(message.text) }
        }
    }

    let topic = "fan"
    server.ws("/fan", options: routeOptions) { [unowned server] ws, event, message in
        if event == .open {
            ws.subscribe(topic)
        } else if event == .message, message.kind == .text || message.kind == .binary {
            server.publish(topic, message.bytes, kind: message.kind)
        }
    }

    try server.listen(port: arguments.port)
    print("listening on port \(server.port)")
    fflush(nil)
    try server.runUntilSignal()
}

do {
    try serve(Arguments(CommandLine.arguments.dropFirst()))
} catch let error as UsageError {
    fail("\(error)\n\(Arguments.usage)", exitCode: 2)
} catch {
    fail("\(error)", exitCode: 1)
}
