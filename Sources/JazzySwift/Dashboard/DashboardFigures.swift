/// The figures of a server in a dashboard's sample. Reasons, codes and rules have the names that the page for metrics
/// gives them; durations are in nanoseconds.
struct DashboardFigures: Encodable {
    var server = Server()
    var connections = Connections()
    var messages = Messages()
    var refused: [String: Int] = [:]
    var closes = Closes()
    var failures: [String: Int] = [:]
    var iterations = Iterations()
    var loops: [Loop] = []
    var workers = Workers()
    /// `nil` where there is none.
    var broker: Broker?
    var tls: TLS?
    /// `nil` where nothing was kept yet.
    var history: History?
    var process = Process()
    /// The busiest first, and the time that their publications are from; 0: none are counted yet.
    var topics: [Topic] = []
    var topicsNs = 0
    /// Those with the most unsent bytes first.
    var receivers: [Receiver] = []
    /// The last first.
    var incidents: [Incident] = []
    var incidentsTotal: [String: Int] = [:]

    struct Server: Encodable {
        var version = ""
        /// The first TCP port; 0 if there is none.
        var port = 0
        /// `running`, `draining`, `stopping`, or `stuck`.
        var state = ""
    }

    struct Connections: Encodable {
        var now = 0
        var peak = 0
        var total = 0
        var handshakes = 0
        var websocketsNow = 0
        var websocketsTotal = 0
    }

    struct Messages: Encodable {
        var received = Kinds()
        var receivedBytes = Kinds()
        var sent = Kinds()
        var sentBytes = Kinds()
        var dropped = 0
        var bufferedBytes = 0
        var rateExceeded: [String: Int] = [:]
    }

    struct Kinds: Encodable {
        var text = 0
        var binary = 0
        var ping = 0
        var pong = 0
    }

    struct Closes: Encodable {
        var codes: [String: Int] = [:]
        var causes: [String: Int] = [:]
    }

    struct Iterations: Encodable {
        var total = 0
        var timeNs = 0
        var longestNs = 0
        var lagNs = 0
    }

    struct Loop: Encodable {
        var websockets = 0
        var topics = 0
        var subscriptions = 0
        var received = 0
        var sent = 0
        var dropped = 0
        var bufferedBytes = 0
        var iterations = 0
        var timeNs = 0
        var longestNs = 0
        var lagNs = 0
    }

    struct Workers: Encodable {
        var threads = 0
        var busy = 0
        /// Connections with events that wait for a thread.
        var queued = 0
    }

    struct Broker: Encodable {
        var isJoined = false
        var isUp = false
        var losses = 0
        var topics = 0
        var published = 0
        var refused = 0
        var delivered = 0
        var reconnects = 0
        var gaps = 0
        var received = 0
        var echoes = 0
        var duplicates = 0
        var unreadable = 0
        var dropped = 0
        var queuedBytes = 0
        var queuedMessages = 0
        var refusedTopics = 0
        var lagNs = 0
    }

    struct History: Encodable {
        var topics = 0
        var messages = 0
        var bytes = 0
        var recovered = 0
        var notRecovered = 0
    }

    struct TLS: Encodable {
        var full = 0
        var resumed = 0
        var failed = 0
        var reloads = 0
        var failedReloads = 0
        /// In seconds since 1970.
        var expires: Int?
    }

    /// `nil` where the system does not tell it.
    struct Process: Encodable {
        var cpuNs: Int?
        var residentBytes: Int?
        var virtualBytes: Int?
        var descriptors: Int?
        var maxDescriptors: Int?
    }

    struct Topic: Encodable {
        var name = ""
        /// The name is longer.
        var isCut = false
        var subscribers = 0
        /// In ``topicsNs``, like the next two.
        var publications = 0
        var deliveries = 0
        var bytes = 0
    }

    struct Receiver: Encodable {
        var address = ""
        var route: String?
        var unsentBytes = 0
        var loop = 0
    }

    /// A refusal, a failure, or an end that should have been another.
    struct Incident: Encodable {
        /// `refused`, `failed`, `closed` or `lost`.
        var kind = ""
        /// Counted by each loop for each kind: with these it names the incident.
        var number = 0
        var loop = 0
        var timeMs = 0
        /// The name of the reason, and a clause that says more.
        var reason = ""
        var text = ""
        var closeCode: Int?
        var route: String?
        var address = ""
    }
}
