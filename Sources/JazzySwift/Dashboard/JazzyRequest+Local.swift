extension JazzyRequest {
    /// Why the client may be on another machine; `nil` if it certainly is on this one, or nothing tells that it is not.
    ///
    /// Its address alone does not suffice. Behind a proxy on this machine all have a loopback address, unless the
    /// server takes the client's from that proxy; and a browser on this machine may run a page of another site, whose
    /// name has been made to lead here (DNS rebinding), which shows in the `Host`.
    var reasonNotToBeLocal: String? {
        if !isLoopbackAddress(withoutPort(remoteAddress)) { return "you come from \(remoteAddress)" }
        if let proxy = headers.first(where: { namesOfProxies.contains($0.name.lowercased()) }) {
            return "a proxy has passed your request on (\(proxy.name))"
        }
        let hosts = headers.filter { $0.name.lowercased() == "host" }
        guard hosts.count == 1, let host = hosts.first, isLoopbackHost(withoutPort(host.value)) else {
            return "you ask for another host than localhost"
        }
        return nil
    }
}

/// What proxies add to a request, or take the place of.
private let namesOfProxies: Set<String> = [
    "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-server",
    "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "cf-connecting-ip", "fastly-client-ip",
    "fly-client-ip", "x-original-forwarded-for", "x-envoy-external-address", "via",
]

/// "[::1]:80" is "::1", "localhost:80" is "localhost".
private func withoutPort(_ address: String) -> String {
    if address.hasPrefix("[") { return String(address.dropFirst().prefix { $0 != "]" }) }
    return String(address.prefix { $0 != ":" })
}

private func isLoopbackHost(_ host: String) -> Bool {
    host.lowercased() == "localhost" || host.lowercased().hasSuffix(".localhost") || isLoopbackAddress(host)
}

/// As the server writes addresses, and as browsers do: without leading zeros.
private func isLoopbackAddress(_ address: String) -> Bool {
    if address == "::1" { return true }
    let prefix = "::ffff:"
    let four = address.lowercased().hasPrefix(prefix) ? String(address.dropFirst(prefix.count)) : address
    let parts = four.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "127" else { return false }
    return parts.allSatisfy { part in UInt8(part).map { String($0) == part } ?? false }
}
