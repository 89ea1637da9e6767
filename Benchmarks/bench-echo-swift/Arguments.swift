import JazzySwift

/// How the handler of /echo uses a message.
enum Handling {
    /// `message.bytes`, which are borrowed.
    case bytes
    /// `message.text`, a string, which is a copy.
    case text
    /// `message.text`, in a task for each connection.
    case task
}

/// The flags: those of bench-echo-c, and how messages are handled.
struct Arguments {
    var port = 8080
    var maxMessageSize = 16 << 20
    var deflate = JazzyDeflate.off
    var threads = 1
    var handling = Handling.bytes

    static let usage = """
        usage: bench-echo-swift [--port N] [--max-message BYTES] [--deflate off|shared|dedicated] [--threads N]
                                [--handler bytes|text|task]
        """

    init(_ words: some Sequence<String>) throws(UsageError) {
        var words = words.makeIterator()
        while let flag = words.next() {
            switch flag {
            case "--port": port = try Self.number(after: flag, words.next(), 0...65_535)
            case "--max-message": maxMessageSize = try Self.number(after: flag, words.next(), 1...(1 << 30))
            case "--threads": threads = try Self.number(after: flag, words.next(), 1...255)
            case "--deflate": deflate = try Self.deflate(words.next())
            case "--handler": handling = try Self.handling(words.next())
            default: throw UsageError(description: "unknown flag \(flag)")
            }
        }
    }

    private static func number(
        after flag: String, _ word: String?, _ range: ClosedRange<Int>
    ) throws(UsageError) -> Int {
        guard let word, let number = Int(word), range.contains(number) else {
            let wanted = "a number, \(range.lowerBound) to \(range.upperBound)"
            throw UsageError(description: "\(flag) wants \(wanted), not \(word ?? "nothing")")
        }
        return number
    }

    private static func handling(_ word: String?) throws(UsageError) -> Handling {
        switch word {
        case "bytes": return .bytes
        case "text": return .text
        case "task": return .task
        default: throw UsageError(description: "--handler wants bytes, text or task, not \(word ?? "nothing")")
        }
    }

    private static func deflate(_ word: String?) throws(UsageError) -> JazzyDeflate {
        switch word {
        case "off": return .off
        case "shared": return .shared
        case "dedicated": return .dedicated
        default: throw UsageError(description: "--deflate wants off, shared or dedicated, not \(word ?? "nothing")")
        }
    }
}

struct UsageError: Error, CustomStringConvertible {
    let description: String
}
