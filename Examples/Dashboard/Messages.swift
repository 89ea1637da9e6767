/// What is measured. Its name is the topic that its samples are published to.
enum Topic: String, Codable, CaseIterable, Sendable {
    case connections
    case traffic
    case loops
}

/// What a viewer asks for, in JSON: `{"subscribe":{"topics":["traffic","loops"]}}`.
enum Command: Decodable, Sendable {
    case subscribe(topics: [Topic])
    case unsubscribe(topics: [Topic])
}

/// What a viewer is told, in JSON.
enum Update: Encodable, Sendable {
    /// Samples of a topic are numbered without gaps: who sees one was too slow for those in it.
    case sample(topic: Topic, number: Int, values: [String: Double])
    /// This viewer was too slow for some samples, and goes on with the current ones.
    case missed
    /// A command was not understood.
    case refused(reason: String)
}
