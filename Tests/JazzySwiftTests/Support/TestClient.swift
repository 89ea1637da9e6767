import Glibc
import JazzySwift

/// A minimal WebSocket client on a blocking socket.
final class TestClient {
    struct Frame: Equatable {
        var opcode: Opcode
        /// RSV1: the message is compressed, and the payload is as it was sent (RFC 7692 §6).
        var isCompressed = false
        var payload: [UInt8]

        var text: String { String(decoding: payload, as: UTF8.self) }
    }

    enum Opcode: UInt8 {
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10
    }

    private let socket: TestSocket

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

    func send(_ opcode: Opcode, _ payload: [UInt8], isCompressed: Bool = false) throws {
        precondition(payload.count < 126, "longer payloads are not needed here")
        let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        let masked = payload.enumerated().map { $0.element ^ mask[$0.offset % 4] }
        let firstByte = 0x80 | (isCompressed ? 0x40 : 0) | opcode.rawValue
        try socket.send([firstByte, 0x80 | UInt8(payload.count)] + mask + masked)
    }

    func sendClose(code: UInt16, reason: String = "") throws {
        try send(.close, [UInt8(code >> 8), UInt8(truncatingIfNeeded: code)] + Array(reason.utf8))
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
        let head = try socket.receive(2)
        guard head[0] & 0xB0 == 0x80 else { throw TestFailure("a whole message was expected, not \(head)") }
        guard let opcode = Opcode(rawValue: head[0] & 0x0F) else { throw TestFailure("opcode of \(head)") }
        let extendedLength = head[1] == 126 ? 2 : head[1] == 127 ? 8 : 0
        let length = try socket.receive(extendedLength).reduce(0) { $0 << 8 | Int($1) }
        return Frame(
            opcode: opcode, isCompressed: head[0] & 0x40 != 0,
            payload: try socket.receive(extendedLength == 0 ? Int(head[1]) : length))
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
        guard frame.opcode == .close, frame.payload.count >= 2 else {
            throw TestFailure("a close frame was expected, not \(frame)")
        }
        let code = UInt16(frame.payload[0]) << 8 | UInt16(frame.payload[1])
        try sendClose(code: code)
        return code
    }
}
