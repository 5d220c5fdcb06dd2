import NIOCore
import Synchronization

/// What one connection is doing, since when, and how many bytes it holds: read by the sweep of ``Connections``, written by the
/// connection's own event loop and by the task that answers.
final class Connection: Sendable {
    /// How far the next request has come in.
    enum Reading: Equatable {
        case nothing, head, body
    }

    /// Why a connection is not left alone any longer.
    enum Due: Sendable, Equatable {
        /// Nothing was asked for too long.
        case idle
        /// A request did not come in whole in time.
        case slowRequest
        /// An answer may not be read by its caller: the connection's loop looks at what waits.
        case slowReader
        /// The last answer went out, and the caller had time to close.
        case lingered
        /// The service stops, and the time for it is over.
        case overstayed
        /// Another connection needs the place.
        case evicted
        /// All connections together hold too many bytes, and this one is among the slowest.
        case holdsTooMuch
    }

    struct State {
        var reading = Reading.nothing
        var readingSince: NIODeadline
        /// Requests whose head came in and whose answer is not written yet.
        var unanswered = 0
        /// Bytes of each answer that is made and not yet taken by the system, in their order.
        var answers: [Int] = []
        var writingSince: NIODeadline?
        var bodyBytes = 0
        var lastActive: NIODeadline
        var lingeringSince: NIODeadline?
        var callerLeftAt: NIODeadline?
        var stopsSince: NIODeadline?
        var isClosed = false
        var cancel: (@Sendable () -> Void)?
        var waiter: CheckedContinuation<Void, Never>?

        var isIdle: Bool { reading == .nothing && unanswered == 0 && answers.isEmpty && lingeringSince == nil }
    }

    let channel: any Channel
    /// Where the caller is.
    let address: SocketAddress?
    /// What stands for it among those who send wrong keys.
    let origin: UInt64?
    private let connections: Connections
    private let state: Mutex<State>

    /// An answer above this must be taken before the next request of the connection is begun.
    private static let untakenBytes = 65_536

    init(channel: any Channel, connections: Connections) {
        self.channel = channel
        address = channel.remoteAddress
        origin = KeyGuesses.origin(channel.remoteAddress)
        self.connections = connections
        let now = NIODeadline.now()
        state = Mutex(State(readingSince: now, lastActive: now))
    }

    // MARK: Told by the connection's event loop

    /// Bytes came in; where no request was on its way, one begins.
    func bytesCame(now: NIODeadline) {
        state.withLock { state in
            state.lastActive = now
            guard state.reading == .nothing else { return }
            state.reading = .head
            state.readingSince = now
        }
    }

    func headCame() {
        state.withLock { state in
            // The time for the body began with the head: both together have one limit.
            state.reading = .body
            state.unanswered += 1
        }
    }

    func bodyCame(bytes: Int) {
        state.withLock { $0.bodyBytes += bytes }
        connections.hold(bytes)
    }

    func requestEnded() { state.withLock { $0.reading = .nothing } }

    /// The last part of an answer was handed over.
    func answered(now: NIODeadline) {
        let body = state.withLock { state in
            state.unanswered = max(0, state.unanswered - 1)
            // What was sent behind an unanswered request could not be read before.
            if state.reading == .head || state.reading == .body && state.unanswered > 0 { state.readingSince = now }
            defer { state.bodyBytes = 0 }
            return state.bodyBytes
        }
        connections.release(body)
    }

    /// The system has taken the whole of the oldest answer.
    /// - Returns: whether nothing waits any more.
    func taken(now: NIODeadline) -> Bool {
        let (bytes, isEmpty, waiter) = state.withLock { state in
            state.lastActive = now
            let bytes = state.answers.isEmpty ? 0 : state.answers.removeFirst()
            state.writingSince = state.answers.isEmpty ? nil : now
            let waiter = state.waiter
            state.waiter = nil
            return (bytes, state.answers.isEmpty && state.unanswered == 0, waiter)
        }
        connections.release(bytes)
        waiter?.resume()
        return isEmpty
    }

    /// The caller takes its answer, only slowly.
    func writes(now: NIODeadline) { state.withLock { if $0.writingSince != nil { $0.writingSince = now } } }

    func lingers(now: NIODeadline) { state.withLock { $0.lingeringSince = now } }

    func callerLeft(now: NIODeadline) { state.withLock { $0.callerLeftAt = $0.callerLeftAt ?? now } }

    /// The service stops: true where the connection can be closed at once.
    func stops(now: NIODeadline) -> Bool {
        state.withLock { state in
            state.stopsSince = state.stopsSince ?? now
            return state.unanswered == 0 && state.answers.isEmpty
        }
    }

    var isStopping: Bool { state.withLock { $0.stopsSince != nil } }
    var isIdle: Bool { state.withLock { $0.isIdle } }
    var reading: Reading { state.withLock { $0.reading } }
    /// Whether an answer is made that the system has not wholly taken.
    var isWriting: Bool { state.withLock { $0.writingSince != nil } }
    var unanswered: Int { state.withLock { $0.unanswered } }

    func closed() {
        let (bytes, cancel, waiter) = state.withLock { state in
            state.isClosed = true
            defer {
                state.answers = []
                state.bodyBytes = 0
                state.cancel = nil
                state.waiter = nil
            }
            return (state.answers.reduce(state.bodyBytes, +), state.cancel, state.waiter)
        }
        connections.release(bytes)
        cancel?()
        waiter?.resume()
    }

    // MARK: Told by the task that answers

    /// What ends the work of the request at hand once its caller is gone.
    func whenCallerLeaves(_ cancel: (@Sendable () -> Void)?) {
        let isGone = state.withLock { state in
            state.cancel = state.isClosed ? nil : cancel
            return state.isClosed
        }
        if isGone { cancel?() }
    }

    /// An answer is made and about to be written.
    func made(bytes: Int) {
        let isOpen = state.withLock { state in
            guard !state.isClosed else { return false }
            state.answers.append(bytes)
            state.writingSince = state.writingSince ?? .now()
            return true
        }
        if isOpen { connections.hold(bytes) }
    }

    /// Waits until earlier answers were taken, where they are large: a caller that asks and never reads holds one, not many.
    func waitUntilTaken() async {
        guard state.withLock({ $0.answers.reduce(0, +) > Self.untakenBytes }) else { return }
        await withCheckedContinuation { continuation in
            let goesOn = state.withLock { state in
                guard !state.isClosed, !state.answers.isEmpty, state.waiter == nil else { return true }
                state.waiter = continuation
                return false
            }
            if goesOn { continuation.resume() }
        }
    }

    // MARK: Asked by the sweep

    /// What is to be done now, if anything. `cancel` is called outside of the lock.
    func due(now: NIODeadline, _ limits: ConnectionLimits) -> (due: Due?, cancel: (@Sendable () -> Void)?) {
        state.withLock { state in
            guard !state.isClosed else { return (nil, nil) }
            var cancel: (@Sendable () -> Void)?
            if let left = state.callerLeftAt, now - left >= limits.afterCallerLeft {
                cancel = state.cancel
                state.cancel = nil
            }
            return (due(state, now: now, limits), cancel)
        }
    }

    private func due(_ state: State, now: NIODeadline, _ limits: ConnectionLimits) -> Due? {
        if let since = state.lingeringSince { return now - since >= limits.linger ? .lingered : nil }
        if let since = state.stopsSince, now - since >= limits.stop { return .overstayed }
        // Behind a request that is not answered yet nothing more is read: the caller is not to blame for that.
        let isRead = state.reading == .head && state.unanswered == 0 || state.reading == .body && state.unanswered <= 1
        if isRead {
            let since = state.stopsSince.map { max($0, state.readingSince) }
            if now - state.readingSince >= limits.request { return .slowRequest }
            if let since, now - since >= limits.requestWhileStopping { return .slowRequest }
        }
        if let since = state.writingSince, now - since >= limits.answer(isStopping: state.stopsSince != nil) { return .slowReader }
        if state.isIdle, now - state.lastActive >= limits.idle { return .idle }
        return nil
    }

    /// The order in which connections make room for others: idle ones first, then those whose head, body or reading of an answer the
    /// service waits for; of each kind the oldest. Nil where a request is being answered.
    var evictionOrder: (kind: Int, since: NIODeadline)? {
        state.withLock { state in
            if state.isClosed { return nil }
            if let since = state.lingeringSince { return (0, since) }
            if state.isIdle { return (1, state.lastActive) }
            if state.reading == .head, state.unanswered == 0 { return (2, state.readingSince) }
            if state.reading == .body, state.unanswered <= 1 { return (3, state.readingSince) }
            return state.writingSince.map { (4, $0) }
        }
    }

    /// What it holds for a caller that is slow to send or to read, and since when; nil where the service itself is at work.
    var heldForCaller: (bytes: Int, since: NIODeadline)? {
        state.withLock { state in
            let bytes = state.answers.reduce(state.bodyBytes, +)
            guard !state.isClosed, bytes > 0 else { return nil }
            if let since = state.writingSince { return (bytes, since) }
            return state.reading == .body ? (bytes, state.readingSince) : nil
        }
    }
}

/// How long a connection may take over what.
struct ConnectionLimits: Sendable {
    /// Without a request.
    var idle: TimeAmount
    /// From the first byte of a request to its last.
    var request: TimeAmount
    /// A caller that takes less than ``bytesASecond`` of an answer over this time is cut off.
    var answer: TimeAmount
    /// After a stop was asked for, until whatever is left is closed.
    var stop: TimeAmount
    /// From the last answer until the connection is closed; its caller should do so first.
    var linger = TimeAmount.seconds(2)
    /// A caller may close its own direction and still wait for what is nearly ready.
    var afterCallerLeft = TimeAmount.seconds(1)
    var requestWhileStopping = TimeAmount.seconds(3)
    /// The slowest reading that keeps an answer alive.
    static let bytesASecond: Int64 = 8_192

    func answer(isStopping: Bool) -> TimeAmount { isStopping ? min(answer, .seconds(3)) : answer }
}
