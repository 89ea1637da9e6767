import JazzySwift
import JazzyTesting

/// A client on a blocking socket, for tests that run on threads of their own. Frames are those of JazzyTesting.
final class TestClient {
    typealias Frame = JazzyTestFrame
    typealias Opcode = JazzyTestFrame.Opcode

    private let socket: TestSocket
    private var reader = FrameReader()

    /// The head of the server's answer.
    let head: String

    /// The extensions that the server answered with.
    var extensions: String? { headerValue("sec-websocket-extensions", of: head) }

    /// Connects and does the handshake, offering extensions if there are any.
    convenience init(port: Int, path: String, extensions: String? = nil) throws {
        let offer: JazzyHeaders = extensions.map { ["Sec-WebSocket-Extensions": $0] } ?? [:]
        try self.init(try TestHandshake(port: port, path: path, headers: offer))
    }

    /// Goes on after a request that was sent.
    init(_ handshake: TestHandshake) throws {
        socket = handshake.socket
        head = try handshake.receiveHead()
        guard head.hasPrefix("HTTP/1.1 101 ") else { throw TestFailure("no upgrade: \(head)") }
    }

    /// The address of this side, as the server should see it.
    var localAddress: String { socket.localAddress }

    func send(_ text: String) throws {
        try send(.text, Array(text.utf8))
    }

    /// Sends texts in one piece, so that no time passes between them.
    func send(together texts: [String]) throws {
        try sendRaw(texts.flatMap { Frame(.text, $0.utf8, mask: [0x37, 0xFA, 0x21, 0x3D]).bytes })
    }

    func send(_ opcode: Opcode, _ payload: [UInt8], isCompressed: Bool = false) throws {
        let frame = Frame(opcode, payload, rsv1: isCompressed, mask: [0x37, 0xFA, 0x21, 0x3D])
        try socket.send(frame.bytes)
    }

    func sendClose(code: UInt16, reason: String = "") throws {
        try send(.close, Frame.close(code: code, reason: reason).payload)
    }

    /// Ends the connection with a reset.
    func reset() {
        socket.reset()
    }

    /// Sends bytes that need not be a frame.
    func sendRaw(_ bytes: [UInt8]) throws {
        try socket.send(bytes)
    }

    func receive() throws -> Frame {
        while true {
            if let frame = reader.next() {
                guard frame.isFinal, !frame.rsv2, !frame.rsv3 else {
                    throw TestFailure("a whole message was expected, not \(frame)")
                }
                return frame
            }
            reader.append(try socket.receive())
        }
    }

    /// Receives one text message.
    func receiveText() throws -> String {
        let frame = try receive()
        guard frame.opcode == .text else { throw TestFailure("a text was expected, not \(frame)") }
        return frame.text
    }

    /// Receives a close frame, answers it, and returns its code.
    func receiveClose() throws -> UInt16 {
        let frame = try receive()
        guard let code = frame.close?.code else { throw TestFailure("a close frame was expected, not \(frame)") }
        try sendClose(code: code)
        return code
    }
}

extension JazzyTestFrame {
    /// A whole message from a server.
    init(opcode: Opcode, isCompressed: Bool = false, payload: [UInt8]) {
        self.init(opcode, payload, rsv1: isCompressed)
    }

    /// The message is compressed, and the payload is as it was sent (RFC 7692 §6).
    var isCompressed: Bool { rsv1 }
}

/// Decompresses the messages of one connection as a client does: each may refer to earlier ones.
final class TestInflater {
    private var inflation = Inflation()

    func message(_ frame: TestClient.Frame) throws -> String {
        guard frame.isCompressed else { throw TestFailure("not compressed: \(frame)") }
        return String(decoding: try inflation.inflate(frame.payload), as: UTF8.self)
    }
}
