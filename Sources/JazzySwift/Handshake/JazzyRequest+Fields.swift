// The core has such functions, too, but only for a borrowed request: here a request is a copy, which may be queried
// later. Names are compared by bytes, as in the core.

extension JazzyRequest {
    /// The value of the first header of that name, ignoring case; `nil` if there is none.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.isSameHeaderName(as: name) }?.value
    }

    /// The text behind `name=` in the query, decoded, with `+` as a space; `nil` if the query has no such name.
    ///
    /// If there are several, the first counts; without a `=` the value is empty. A text with a malformed escape is not
    /// decoded.
    public func queryValue(_ name: String) -> String? {
        values(of: name).first
    }

    /// The texts behind each `name=` in the query, in their order, decoded as ``queryValue(_:)`` does it.
    public func queryValues(_ name: String) -> [String] {
        Array(values(of: name))
    }

    private func values(of name: String) -> some Collection<String> {
        query.utf8.split(separator: UInt8(ascii: "&")).lazy.compactMap { pair in
            let (found, value) = pair.divided(at: UInt8(ascii: "="))
            guard percentDecoded(String(found), plusIsSpace: true).hasSameBytes(as: name) else { return nil }
            return percentDecoded(String(value ?? ""), plusIsSpace: true)
        }
    }

    /// The position that a client has brought along for one of several topics: the first `since=EPOCH:OFFSET:TOPIC` of
    /// that topic in the query; `nil` if there is none.
    ///
    /// A client of one topic has no topic in it: `queryValue("since").flatMap(JazzyPosition.init)`.
    public func position(of topic: String) -> JazzyPosition? {
        for value in values(of: "since") {
            let parts = value.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, parts[2].elementsEqual(topic.utf8) else { continue }
            if let position = JazzyPosition(String(Substring(parts[0])) + ":" + String(Substring(parts[1]))) {
                return position
            }
        }
        return nil
    }

    /// The value of a cookie, without quotes around it; `nil` if there is none of that name.
    ///
    /// If there are several, the first counts.
    public func cookie(_ name: String) -> String? {
        for header in headers where header.name.isSameHeaderName(as: "Cookie") {
            for pair in header.value.utf8.split(separator: UInt8(ascii: ";")) {
                let (found, value) = pair.divided(at: UInt8(ascii: "="))
                if let value, String(found.trimmed).hasSameBytes(as: name) { return String(value.trimmed.unquoted) }
            }
        }
        return nil
    }
}

extension String {
    /// Not `==`, for which canonically equivalent Unicode texts are equal.
    fileprivate func hasSameBytes(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }

    fileprivate func isSameHeaderName(as other: String) -> Bool {
        utf8.elementsEqual(other.utf8) { $0.asSmallLetter == $1.asSmallLetter }
    }
}

extension UInt8 {
    fileprivate var asSmallLetter: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }
}

extension Substring.UTF8View {
    /// The parts before and behind the first such byte; the second is `nil` if there is none.
    fileprivate func divided(at byte: UInt8) -> (Substring, Substring?) {
        guard let place = firstIndex(of: byte) else { return (Substring(self), nil) }
        return (Substring(self[..<place]), Substring(self[index(after: place)...]))
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var text = utf8.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return Substring(text)
    }

    fileprivate var unquoted: Substring {
        guard utf8.count >= 2, utf8.first == UInt8(ascii: "\""), utf8.last == UInt8(ascii: "\"") else { return self }
        return Substring(utf8.dropFirst().dropLast())
    }
}
