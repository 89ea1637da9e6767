extension JazzyStatistics {
    /// How long something took each time: how many times fell between which bounds.
    ///
    /// ```swift
    /// let times = Jazzy.statistics.iterationTimes
    /// print("\(times.count) iterations, half of them in \(times.percentile(50)) or less")
    /// ```
    public struct Histogram: Equatable, Sendable {
        /// The times between two bounds.
        public struct Bucket: Equatable, Sendable {
            /// The longest of these times; `nil`: there is no bound, because this is the last bucket.
            public let upperBound: Duration?
            /// How many times are above the bound of the bucket before, and not above this one.
            public internal(set) var count: Int
        }

        /// All buckets, in ascending order; none for a server that does not listen.
        public internal(set) var buckets: [Bucket] = []
        /// All times together.
        public internal(set) var sum = Duration.zero

        /// Creates a histogram without any times.
        public init() {}

        /// How many times there are.
        public var count: Int { buckets.reduce(0) { $0 + $1.count } }

        /// The average; zero if there are no times.
        public var mean: Duration { count > 0 ? sum / count : .zero }

        /// The time that a part of all times does not exceed, as far as the bounds tell.
        ///
        /// Between two bounds it is interpolated. Of times above the highest bound it is that bound. Zero if there are no
        /// times.
        ///
        /// - Parameter percent: The part: 50 is the median.
        public func percentile(_ percent: Double) -> Duration { corePercentile(percent) }

        /// The times that have come since: of the last second, for instance, if these are of now, and the others of a
        /// second ago.
        ///
        /// - Parameter earlier: A histogram of the same times of the same server.
        public func since(_ earlier: Histogram) -> Histogram {
            guard earlier.buckets.count == buckets.count else { return self }
            var added = self
            for (index, bucket) in earlier.buckets.enumerated() {
                added.buckets[index].count = max(0, buckets[index].count - bucket.count)
            }
            added.sum = max(.zero, sum - earlier.sum)
            return added
        }

        /// Adds what was counted in another run.
        mutating func add(_ other: Histogram) {
            guard !buckets.isEmpty else {
                self = other
                return
            }
            for (index, bucket) in zip(buckets.indices, other.buckets) { buckets[index].count += bucket.count }
            sum += other.sum
        }
    }
}
