/// Copies of texts and bytes for the C library, which live as long as this object.
final class CMemory {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// With a NUL at the end.
    func text(_ text: String) -> UnsafePointer<CChar> {
        let copy = bytes(Array(text.utf8) + [0])
        return UnsafePointer(copy.assumingMemoryBound(to: CChar.self))
    }

    func texts(_ texts: [String]) -> UnsafePointer<UnsafePointer<CChar>?> {
        array(texts.map { Optional(text($0)) })
    }

    func bytes(_ bytes: [UInt8]) -> UnsafeRawPointer {
        UnsafeRawPointer(array(bytes))
    }

    /// At least one byte, so that it is not NULL where there is nothing.
    func array<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafePointer<Element> {
        let copy = UnsafeMutablePointer<Element>.allocate(capacity: max(elements.count, 1))
        copy.initialize(from: elements, count: elements.count)
        blocks.append(UnsafeMutableRawPointer(copy))
        return UnsafePointer(copy)
    }
}
