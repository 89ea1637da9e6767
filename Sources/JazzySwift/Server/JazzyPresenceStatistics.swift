/// What a server knows of members of topics (``JazzyConnection/subscribe(_:as:)-(_,JazzyMember)``), its own and those of
/// the servers that a ``JazzyOptions/broker`` joins it with.
///
/// All numbers are 0 if there are none.
public struct JazzyPresenceStatistics: Equatable, Sendable {
    /// The topics that have members.
    public internal(set) var topics = 0
    /// The members of all of them, wherever they are; of topics that are of no interest here only those here.
    public internal(set) var members = 0
    /// The bytes that all this takes, of ``JazzyOptions/presenceLimit``.
    public internal(set) var bytes = 0

    // MARK: With a broker

    /// The other servers that were heard of lately, and that have, or had, members of topics of interest here.
    public internal(set) var servers = 0
    /// The members that these have, once for each server and topic.
    public internal(set) var membersElsewhere = 0
    /// How often one of these, or a message about them, found no room (``JazzyOptions/presenceLimit``,
    /// ``JazzyOptions/maxMembers``) or no memory.
    public internal(set) var notKept = 0
    /// The messages about members that no server of this library has sent.
    public internal(set) var malformed = 0

    /// Creates the statistics of a server that does not listen.
    public init() {}
}
