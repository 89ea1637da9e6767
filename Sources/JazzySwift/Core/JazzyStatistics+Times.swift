import CJazzyPoll

extension JazzyStatistics {
    /// Adds the distributions of times, which the core has apart from its statistics.
    mutating func readTimes(of core: OpaquePointer) {
        iterationTimes = Histogram(of: core, JZ_TIMING_ITERATION)
        lateness = Histogram(of: core, JZ_TIMING_LATENESS)
        handlerTimes = Histogram(of: core, JZ_TIMING_HANDLER)
        webSocketTimes = Histogram(of: core, JZ_TIMING_WEBSOCKET)
        pingTimes = Histogram(of: core, JZ_TIMING_PING)
    }
}

extension JazzyStatistics.Histogram {
    fileprivate init(of core: OpaquePointer, _ timing: jz_timing) {
        var times = jz_times()
        jz_server_times(core, timing, &times)
        self.init(times)
    }

    init(_ core: jz_times) {
        let bounds = numbers(core.bounds)
        buckets = zip(bounds, numbers(core.counts)).prefix(core.bucket_count).map { bound, count in
            Bucket(upperBound: bound == .max ? nil : .nanoseconds(bound), count: Int(clamping: count))
        }
        sum = .nanoseconds(Int64(clamping: core.sum))
    }

    func corePercentile(_ percent: Double) -> Duration {
        var core = jz_times()
        core.bucket_count = buckets.count
        withUnsafeMutableBytes(of: &core.bounds) { bytes in
            let bounds = bytes.assumingMemoryBound(to: UInt64.self)
            for (index, bucket) in zip(bounds.indices, buckets) {
                bounds[index] = bucket.upperBound.map(nanoseconds(of:)) ?? .max
            }
        }
        withUnsafeMutableBytes(of: &core.counts) { bytes in
            let counts = bytes.assumingMemoryBound(to: UInt64.self)
            for (index, bucket) in zip(counts.indices, buckets) { counts[index] = UInt64(clamping: bucket.count) }
        }
        return .nanoseconds(jz_times_percentile(&core, percent))
    }
}

private func nanoseconds(of duration: Duration) -> UInt64 {
    let (seconds, attoseconds) = duration.components
    return UInt64(clamping: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
}

/// Swift imports a C array as a tuple.
private func numbers<Tuple: BitwiseCopyable>(_ tuple: Tuple) -> [UInt64] {
    withUnsafeBytes(of: tuple) { bytes in bytes.withMemoryRebound(to: UInt64.self) { Array($0) } }
}
