extension World {
    /// All that can be seen, as clients get it, little-endian:
    ///
    ///     step       UInt32
    ///     players    UInt16, then for each: number UInt32, x Int16, y Int16, score UInt16
    ///     coins      UInt16, then for each: x Int16, y Int16
    var snapshot: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 + 10 * players.count + 4 * coins.count)
        bytes.append(littleEndian: step)
        bytes.append(littleEndian: UInt16(players.count))
        for (id, player) in players.sorted(by: { $0.key < $1.key }) {
            bytes.append(littleEndian: id)
            bytes.append(player.place)
            bytes.append(littleEndian: player.score)
        }
        bytes.append(littleEndian: UInt16(coins.count))
        for coin in coins { bytes.append(coin) }
        return bytes
    }
}

extension [UInt8] {
    fileprivate mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    fileprivate mutating func append(_ point: Point) {
        append(littleEndian: point.x)
        append(littleEndian: point.y)
    }
}
