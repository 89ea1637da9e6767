import Foundation
import Testing

@Suite("The guide and the comments of JazzyTesting")
struct GuideTests {
    private static let tests = URL(filePath: #filePath).deletingLastPathComponent()
    private static let sources = tests.appending(path: "../../../Sources/JazzyTesting").standardized

    /// The files of this folder are compiled and run, so what is in them is, too.
    @Test("Each of their examples is in this folder, line by line")
    func examples() throws {
        let programs = try Self.files(in: Self.tests).map { try Self.lines(of: $0) }
        var count = 0
        for file in Self.files(in: Self.sources) {
            for example in Self.examples(in: try Self.lines(of: file)) {
                #expect(programs.contains { $0.contains(example) }, "\(file.lastPathComponent): \(example)")
                count += 1
            }
        }
        #expect(count > 10)
    }

    private static func files(in folder: URL) -> [URL] {
        let all = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        return (all?.compactMap { $0 as? URL } ?? []).filter { ["swift", "md"].contains($0.pathExtension) }
    }

    /// Without indentation, and without the slashes of comments.
    private static func lines(of file: URL) throws -> [String] {
        let text = try String(contentsOf: file, encoding: .utf8)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.trimmingCharacters(in: .whitespaces).replacing(/^\/\/\/ */, with: "")
        }
    }

    private static func examples(in lines: [String]) -> [[String]] {
        let blocks = lines.split(separator: "```swift", omittingEmptySubsequences: false).dropFirst()
        return blocks.map { Array($0.prefix { $0 != "```" }) }
    }
}
