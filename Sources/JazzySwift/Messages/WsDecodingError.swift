#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What was wrong with a message that could not be decoded.
///
/// It names no part of the message, so that it may be logged: neither values, nor keys that the peer chose, as those of
/// a dictionary. What a type's own `init(from:)` throws is no such error, and is thrown as it is.
///
/// ```swift
/// struct Order: Decodable { var items: [Item]; struct Item: Decodable { var price: Int } }
///
/// Route.ws("/orders") { ws, event, message in
///     guard event == .message, message.kind == .text else { return }
///     do {
///         let order = try message.decode(Order.self)
///         ws.send("\(order.items.count) items")
///     } catch let error as WsDecodingError {
///         ws.send("\(error)")    // items[3].price: expected Int
///     }
/// }
/// ```
public struct WsDecodingError: Error, Equatable, Sendable {
    /// Where in the message: keys that the decoded types declare, positions in arrays, as `[3]`, and `*` for any other
    /// key. Empty: the message as a whole, or somewhere that Foundation does not name, such as a number that is too
    /// large.
    public let codingPath: [String]

    /// What should have been there, as a clause: a type, or what to do about it.
    public let expected: String

    /// Creates an error, for instance to test what catches it.
    public init(codingPath: [String] = [], expected: String) {
        self.codingPath = codingPath
        self.expected = expected
    }
}

extension WsDecodingError: CustomStringConvertible {
    /// As in `items[3].price: expected Int`.
    public var description: String {
        let path = codingPath.reduce("") { path, step in
            path.isEmpty || step.hasPrefix("[") ? path + step : path + "." + step
        }
        return path.isEmpty ? "expected \(expected)" : "\(path): expected \(expected)"
    }
}

extension WsDecodingError {
    /// Takes from an error what comes from the program, and nothing that comes from the message. `isJSON`: whether that
    /// is JSON at all.
    init(_ error: DecodingError, of type: Any.Type, isJSON: Bool) {
        switch error {
        case .typeMismatch(let type, let context):
            self.init(context.codingPath, name(of: type))
        case .valueNotFound(let type, let context):
            self.init(context.codingPath, "\(name(of: type)), not null")
        case .keyNotFound(let key, let context):
            self.init(context.codingPath + [key], "a value, and there is none")
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            self.init(context.codingPath, "a value that its type allows")
        default:
            self.init([], isJSON ? "values that \(type) allows" : "JSON")
        }
    }

    private init(_ path: [any CodingKey], _ expected: String) {
        self.init(codingPath: path.map(step), expected: expected)
    }
}

private func step(_ key: any CodingKey) -> String {
    if let index = key.intValue, key.stringValue == "Index \(index)" { return "[\(index)]" }
    let mirror = Mirror(reflecting: key)
    // A case without values is one that the program declares. Anything else may have its name from the message.
    return mirror.displayStyle == .enum && mirror.children.isEmpty ? key.stringValue : "*"
}

/// `JSONDecoder` names objects and arrays by types that the decoded one need not have.
private func name(of type: Any.Type) -> String {
    switch type {
    case is [String: Any].Type: "an object"
    case is [Any].Type: "an array"
    case is Date.Type: "a date as in ISO 8601"
    default: "\(type)"
    }
}
