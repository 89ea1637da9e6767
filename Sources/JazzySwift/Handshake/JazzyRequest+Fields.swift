// The core finds these too, but only while it lends a request, and only by a name that is known then: here a request is
// a copy, of which anything may be asked later. Both go by bytes, as the core does.

extension JazzyRequest {
    /// The value of the first header of that name, in capitals or in small letters; `nil` where there is none.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.isSameHeaderName(as: name) }?.value
    }

    /// What follows `name=` in the query, decoded, `+` being a space; `nil` where the name is not there.
    ///
    /// Where it is there several times, the first counts; without a `=` its value is empty. What is no percent-encoding
    /// stays as it came.
    public func queryValue(_ name: String) -> String? {
        for pair in query.utf8.split(separator: UInt8(ascii: "&")) {
            let (found, value) = pair.divided(at: UInt8(ascii: "="))
            if percentDecoded(String(found), plusIsSpace: true).hasSameBytes(as: name) {
                return percentDecoded(String(value ?? ""), plusIsSpace: true)
            }
        }
        return nil
    }

    /// The value of a cookie, without the quotes around it, if it has some; `nil` where there is none of that name.
    ///
    /// Where it is there several times, the first counts.
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
    /// Not `==`, for which texts are the same that are spelled differently in Unicode.
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
    /// What comes before and after the first such byte; `nil` after it where there is none.
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
