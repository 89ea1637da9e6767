import JazzySwift
import Testing

@Suite("Pages", .ownThreads)
struct PageTests {
    @Test(
        "A page is answered with its bytes and their type",
        arguments: [
            (JazzyContent.text("Grüße"), "text/plain; charset=utf-8", Array("Grüße".utf8)),
            (.html("<p>é"), "text/html; charset=utf-8", Array("<p>é".utf8)),
            (.bytes([0, 255, 0], contentType: "image/x-three"), "image/x-three", [0, 255, 0]),
            (.bytes([], contentType: "application/octet-stream"), "application/octet-stream", []),
        ])
    func content(content: JazzyContent, contentType: String, body: [UInt8]) throws {
        try withServer {
            $0.get("/page", content)
        } body: { server in
            let page = try TestPage(port: server.port, path: "/page")
            #expect(page.head.hasPrefix("HTTP/1.1 200 "))
            #expect(page.contentType == contentType)
            #expect(page.body == body)
        }
    }
}
