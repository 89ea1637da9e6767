extension WsMessage {
    /// The payload as bytes, not copied. Like the message, it cannot leave the handler's call.
    public var span: Span<UInt8> {
        @_lifetime(copy self)
        get { bytes._unsafeView(as: UInt8.self) }
    }

    /// Reads an integer of a fixed width in the payload.
    ///
    /// ```swift
    /// Route.ws("/moves") { ws, event, message in
    ///     guard event == .message, message.kind == .binary else { return }
    ///     if let player = message.load(fromByteOffset: 0, as: UInt32.self, .littleEndian),
    ///         let x = message.load(fromByteOffset: 4, as: Int16.self, .littleEndian)
    ///     {
    ///         print("player \(player) is at \(x)")
    ///     } else {
    ///         ws.close(code: .invalidPayload)
    ///     }
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - offset: Where it begins, in bytes. Any number is safe, and need not be aligned.
    ///   - type: Its type, such as `UInt16.self`. For `Float` read a `UInt32`, its bit pattern.
    ///   - order: The order of its bytes.
    /// - Returns: The integer; `nil` if the payload does not have all of its bytes.
    @inlinable
    public func load<Value: FixedWidthInteger>(
        fromByteOffset offset: Int, as type: Value.Type, _ order: WsByteOrder
    ) -> Value? {
        bytes.integer(at: offset, as: type, order)
    }
}

extension WsOwnedMessage {
    /// Reads an integer of a fixed width in the payload, as ``WsMessage/load(fromByteOffset:as:_:)`` does.
    ///
    /// - Parameters:
    ///   - offset: Where it begins, in bytes. Any number is safe, and need not be aligned.
    ///   - type: Its type, such as `UInt16.self`. For `Float` read a `UInt32`, its bit pattern.
    ///   - order: The order of its bytes.
    /// - Returns: The integer; `nil` if the payload does not have all of its bytes.
    @inlinable
    public func load<Value: FixedWidthInteger>(
        fromByteOffset offset: Int, as type: Value.Type, _ order: WsByteOrder
    ) -> Value? {
        span.bytes.integer(at: offset, as: type, order)
    }
}

extension Array where Element == UInt8 {
    /// Copies the payload of a message, to keep it.
    public init(_ message: borrowing WsMessage) {
        self = message.bytes.withUnsafeBytes { Array($0) }
    }

    /// The payload of a message.
    public init(_ message: WsOwnedMessage) {
        self = message.bytes
    }
}
