extension JazzyServer {
    /// Registers a page with the metrics of the server, for Prometheus and all that reads as it does.
    ///
    /// ```swift
    /// Route.metrics("/metrics")
    /// Route.health("/health")
    /// ```
    ///
    /// A client whose `Accept` prefers it gets OpenMetrics 1.0, any other gets the text format of Prometheus, 0.0.4. The
    /// counters are those of ``JazzyStatistics``, exact to the byte, since the server listens; times are histograms.
    /// Labels are the route, the number of the loop, and words such as a reason: never a topic, an address or a user.
    ///
    /// Whoever can reach the page can read it, unless it is for some only: ``JazzyAudience``. What there is, says
    /// <doc:MetricsAndHealth>. With such a page the server measures times, for which each connection takes 8 bytes more.
    ///
    /// - Parameters:
    ///   - path: The path of the page.
    ///   - audience: Who may read it.
    public func metrics(_ path: String = "/metrics", for audience: JazzyAudience = .everyone) {
        add(MetricsRoute(path: path, audience: audience))
    }

    /// Registers pages for those who decide whether the server gets clients, or is restarted: load balancers and
    /// orchestrators.
    ///
    /// With the path `/health` there are three, which answer with 200, or else with 503 and, as JSON, what is the
    /// matter:
    ///
    /// - `/health/live`: whether the server is alive: no event loop has been in one iteration for 10 seconds, for
    ///   instance because a handler does not return. If not, it should be started anew.
    /// - `/health/ready`: whether it should get new clients: it is alive, and neither drains nor stops.
    /// - `/health`: the same as ready.
    ///
    /// A server that drains does not listen any more: those who connect anew are refused, and those who ask over a
    /// connection that they have kept are told that it is not ready.
    ///
    /// - Parameter path: The path of the first page, with the others below it.
    public func health(_ path: String = "/health") {
        add(HealthRoute(path: path))
    }
}

extension Route {
    /// Registers a page with the metrics of the server, for Prometheus and all that reads as it does.
    ///
    /// See ``JazzyServer/metrics(_:for:)``.
    ///
    /// - Parameters:
    ///   - path: The path of the page.
    ///   - audience: Who may read it.
    public static func metrics(_ path: String = "/metrics", for audience: JazzyAudience = .everyone) {
        Jazzy.server.metrics(path, for: audience)
    }

    /// Registers pages for those who decide whether the server gets clients, or is restarted: load balancers and
    /// orchestrators.
    ///
    /// See ``JazzyServer/health(_:)``.
    ///
    /// - Parameter path: The path of the first page, with the others below it.
    public static func health(_ path: String = "/health") {
        Jazzy.server.health(path)
    }
}

/// The page with the server's metrics.
struct MetricsRoute: JazzyRoute {
    let path: String
    let audience: JazzyAudience
}

/// The pages that say whether the server is alive and ready.
struct HealthRoute: JazzyRoute {
    let path: String
}
