/// Whether Kafka takes records, by what became of the last ones: once it does not, nobody waits to find that out again.
///
/// ```
/// well --a record was not taken in time--> away --the broker answers a question--> trying (one request at a time) --taken--> well
///                                            ^--------------------not taken--------------------|
/// ```
public struct BrokerOutage: Sendable, Equatable {
    private enum State: Equatable {
        case well
        case away(since: ContinuousClock.Instant)
        /// The broker answers again; one request at a time shows whether it takes records, too.
        case trying(since: ContinuousClock.Instant, isUnderWay: Bool)
    }

    private var state = State.well

    /// Nothing wrong.
    public init() {}

    /// Since when records are refused; nil while they are taken.
    public var since: ContinuousClock.Instant? {
        switch state {
        case .well: nil
        case .away(let since), .trying(let since, _): since
        }
    }

    /// Whether the broker should be asked whether it is back.
    public var wantsQuestion: Bool { if case .away = state { true } else { false } }

    /// Whether a request may go to the broker now. One that may must end in ``delivered()`` or ``failed(at:)``.
    public mutating func admits() -> Bool {
        switch state {
        case .well: return true
        case .away, .trying(_, isUnderWay: true): return false
        case .trying(let since, isUnderWay: false):
            state = .trying(since: since, isUnderWay: true)
            return true
        }
    }

    /// The broker took records, or refused them for what they are.
    public mutating func delivered() { state = .well }

    /// The broker did not take records in time.
    ///
    /// - Returns: whether this is news.
    public mutating func failed(at now: ContinuousClock.Instant) -> Bool {
        defer { state = .away(since: since ?? now) }
        return since == nil
    }

    /// The broker answered a question.
    public mutating func answered() {
        if case .away(let since) = state { state = .trying(since: since, isUnderWay: false) }
    }
}
