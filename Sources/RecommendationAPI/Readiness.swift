import Bytes

/// What one word says of a part, for programs and for callers without a key.
public enum PartState: String, Sendable, CaseIterable {
    /// It does its work.
    case ok
    /// There is nothing to work with yet, and nothing is wrong.
    case none
    /// It is being read or built.
    case loading
    /// It answered with an error, or cannot be reached.
    case away
    /// It was asked and has not answered.
    case silent
    /// What it has to work with cannot be used.
    case refused
    /// It is another one than was expected.
    case other
    /// Nobody has looked for longer than somebody should.
    case unwatched
    /// It was not asked yet.
    case unknown
}

/// Whether one part of the service can do its work.
public struct PartStatus: Sendable, Equatable {
    /// `database`, `catalogue`, `model`, `broker`, …
    public var name: String
    /// Whether it can do its work.
    public var isReady: Bool
    /// Whether the service can answer without it: it is ready where all that are required are.
    public var isRequired: Bool
    /// How it is.
    public var state: PartState
    /// A sentence for a person, without what the part itself said.
    public var detail: String
    /// The words of the part: they may name hosts, statements and errors.
    public var reason: String?

    /// Makes a status.
    public init(
        name: String, isReady: Bool, detail: String, state: PartState? = nil, isRequired: Bool = true, reason: String? = nil
    ) {
        self.name = name
        self.isReady = isReady
        self.isRequired = isRequired
        self.state = state ?? (isReady ? .ok : .away)
        self.detail = detail
        self.reason = reason
    }

    /// - Parameter withDetail: false for callers that have no key where there are keys.
    func write(to writer: inout JSONWriter, withDetail: Bool = true) {
        writer.object { writer in
            writer.field("name", name)
            writer.key("ready")
            writer.bool(isReady)
            writer.key("required")
            writer.bool(isRequired)
            writer.field("state", state.rawValue)
            guard withDetail else { return }
            writer.field("detail", detail)
            writer.field("reason", reason.map { ShownText.cut($0, toBytes: ShownText.maxReasonBytes) })
        }
    }
}

extension Sequence<PartStatus> {
    /// Whether the service can answer.
    public var canAnswer: Bool { allSatisfy { $0.isReady || !$0.isRequired } }
}

/// How the last questions to one part went.
public struct PartLook: Sendable, Equatable {
    /// When the question under way was asked; nil where none is.
    public private(set) var askedAt: ContinuousClock.Instant?
    /// When the last one ended, either way.
    public private(set) var endedAt: ContinuousClock.Instant?
    /// What was wrong; nil where the last one was answered.
    public private(set) var problem: String?

    /// A part that was never asked.
    public init() {}

    /// A question begins.
    public mutating func ask(at now: ContinuousClock.Instant) {
        askedAt = askedAt ?? now
    }

    /// The question under way was answered, or failed.
    public mutating func end(problem: String? = nil, at now: ContinuousClock.Instant) {
        askedAt = nil
        endedAt = now
        self.problem = problem
    }

    /// What that means. A question under way says nothing until it takes longer than `silence`, and an answer is believed until
    /// nobody has asked for `watch`; nil: somebody asks whenever it matters.
    func state(at now: ContinuousClock.Instant, silence: Duration, watch: Duration? = nil) -> (PartState, seconds: Int) {
        if let askedAt, askedAt.duration(to: now) >= silence { return (.silent, Self.seconds(askedAt, now)) }
        guard let endedAt else { return (.unknown, 0) }
        if problem != nil { return (.away, Self.seconds(endedAt, now)) }
        if let watch, askedAt == nil, endedAt.duration(to: now) >= watch { return (.unwatched, Self.seconds(endedAt, now)) }
        return (.ok, Self.seconds(endedAt, now))
    }

    static func seconds(_ from: ContinuousClock.Instant, _ to: ContinuousClock.Instant) -> Int {
        Int(clamping: from.duration(to: to).components.seconds)
    }
}
