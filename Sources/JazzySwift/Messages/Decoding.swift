extension WsMessage {
    /// Decodes the payload, which is JSON, with the coders of the route: ``JazzyRouteOptions/coders``.
    ///
    /// ```swift
    /// struct Command: Decodable { var name: String; var arguments: [Int] }
    ///
    /// Route.ws("/commands") { ws, event, message in
    ///     guard event == .message, message.kind == .text else { return }
    ///     let command = try message.decode(Command.self)
    ///     ws.send("\(command.name) of \(command.arguments.count)")
    /// }
    /// ```
    ///
    /// Objects and arrays may be nested in 512 levels; what is deeper is an error. A type that contains itself, such as
    /// a tree, is decoded level by level on the thread's stack: 512 levels need about 1 MiB, more if its `init(from:)`
    /// does much. A server that decodes such types should keep the default of ``JazzyOptions/threadStackSize``.
    ///
    /// - Parameter type: The type of the value.
    /// - Returns: The value.
    /// - Throws: ``WsDecodingError``, which says where and what was expected, without any part of the payload; or what
    ///   the type's own `init(from:)` throws. If the handler does not catch it, the connection is closed, as for any
    ///   other error.
    public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let coders = JazzyCoders.ofMessageBeingHandled
        return try bytes.withUnsafeBytes { try coders.decode(type, from: $0) }
    }
}

extension WsOwnedMessage {
    /// Decodes the payload, which is JSON, with the coders of the route that the message came to:
    /// ``JazzyRouteOptions/coders``. A message that did not come from a peer is decoded with ``JazzyCoders/default``.
    ///
    /// ```swift
    /// struct Command: Decodable { var name: String; var arguments: [Int] }
    ///
    /// Route.ws("/commands") { ws, messages in
    ///     for try await message in messages where message.kind == .text {
    ///         let command = try message.decode(Command.self)
    ///         ws.send("\(command.name) of \(command.arguments.count)")
    ///     }
    /// }
    /// ```
    ///
    /// How deep a message may be nested, and what that needs, is as for ``WsMessage/decode(_:)``; in a task the stack is
    /// that of the threads that run tasks.
    ///
    /// - Parameter type: The type of the value.
    /// - Returns: The value.
    /// - Throws: ``WsDecodingError``, which says where and what was expected, without any part of the payload; or what
    ///   the type's own `init(from:)` throws. If the handler does not catch it, the connection is closed, as for any
    ///   other error.
    public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try span.bytes.withUnsafeBytes { try coders.decode(type, from: $0) }
    }
}
