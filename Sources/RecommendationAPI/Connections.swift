import Logging
import NIOCore
import Synchronization

/// All connections of the service: how many there may be, how many bytes they may hold, and who makes room.
///
/// One repeated task on an event loop sweeps over them, so that limits hold where every thread of the service is at work.
final class Connections: Sendable {
    /// Why connections were closed, for the metric.
    enum Cause: Int, CaseIterable {
        case idle, evicted, full, slowRequest, slowReader, heldBytes, stopping

        var label: String {
            switch self {
            case .idle: "idle"
            case .evicted: "made_room"
            case .full: "no_room"
            case .slowRequest: "slow_request"
            case .slowReader: "slow_reader"
            case .heldBytes: "held_bytes"
            case .stopping: "stopping"
            }
        }

        /// What a person reads in the log.
        func sentence(_ limits: Connections) -> String? {
            switch self {
            case .evicted:
                "closed the oldest idle connections: the limit of \(limits.maxConnections) connections is reached (http.max_connections)"
            case .full:
                "refused new connections: all \(limits.maxConnections) are being answered (http.max_connections)"
            case .slowRequest: "closed connections whose requests did not come in whole in time (http.request_seconds)"
            case .slowReader: "closed connections whose callers do not read their answers (http.answer_seconds)"
            case .heldBytes:
                "closed the slowest connections: bodies and answers that wait for their callers hold more than "
                    + "\(limits.maxHeldBytes) bytes (http.max_held_bytes)"
            case .idle, .stopping: nil
            }
        }
    }

    private struct Told {
        var at: NIODeadline?
        var count = 0
    }

    let maxConnections: Int
    let maxHeldBytes: Int
    let limits: ConnectionLimits
    private let logger: Logger
    private let open = Mutex<[ObjectIdentifier: Connection]>([:])
    private let held = Atomic<Int>(0)
    private let closedCounts = AtomicCounters(count: Cause.allCases.count)
    private let acceptFailures = Atomic<Int>(0)
    private let opened = Atomic<Int>(0)
    private let told = Mutex<[Cause: Told]>([:])
    private let lastRelief = Atomic<UInt64>(0)
    private let hasStopped = Atomic<Bool>(false)

    private static let sweepEvery = TimeAmount.milliseconds(200)
    private static let secondsBetweenLines: Int64 = 60

    init(maxConnections: Int, maxHeldBytes: Int, limits: ConnectionLimits, logger: Logger) {
        self.maxConnections = maxConnections
        self.maxHeldBytes = maxHeldBytes
        self.limits = limits
        self.logger = logger
    }

    subscript(channel: any Channel) -> Connection? { open.withLock { $0[ObjectIdentifier(channel)] } }

    var count: Int { open.withLock { $0.count } }

    /// Takes a connection in; where all places are taken, the oldest idle ones make room.
    /// - Returns: nil where none could: the connection must be closed.
    func admit(_ channel: any Channel) -> Connection? {
        let connection = Connection(channel: channel, connections: self)
        opened.wrappingAdd(1, ordering: .relaxed)
        let place = ObjectIdentifier(channel)
        let isFull = open.withLock { open in
            open[place] = connection
            return open.count > maxConnections
        }
        channel.closeFuture.whenComplete { _ in
            let known = self.open.withLock { $0.removeValue(forKey: place) }
            known?.closed()
        }
        guard isFull, makeRoom(except: connection) == 0 else { return connection }
        count(.full)
        return nil
    }

    /// Closes the oldest idle connections: some at once, as looking for them looks at all. Gives back how many.
    @discardableResult
    func makeRoom(except newest: Connection? = nil) -> Int {
        let all = open.withLock { Array($0.values) }
        var candidates: [(connection: Connection, order: (kind: Int, since: NIODeadline))] = []
        for connection in all where connection !== newest {
            if let order = connection.evictionOrder { candidates.append((connection, order)) }
        }
        candidates.sort { ($0.order.kind, $0.order.since) < ($1.order.kind, $1.order.since) }
        let leaving = candidates.prefix(max(1, maxConnections / 64))
        for (connection, _) in leaving {
            // Out of the count at once: the next one to come must not find the place still taken.
            open.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(connection.channel)) }
            connection.closed()
            count(.evicted)
            connection.channel.pipeline.fireUserInboundEventTriggered(Connection.Due.evicted)
        }
        return leaving.count
    }

    // MARK: Bytes held

    func hold(_ bytes: Int) {
        guard bytes > 0 else { return }
        let total = held.wrappingAdd(bytes, ordering: .relaxed).newValue
        if total > maxHeldBytes { relieve() }
    }

    func release(_ bytes: Int) {
        guard bytes > 0 else { return }
        held.wrappingSubtract(bytes, ordering: .relaxed)
    }

    var heldBytes: Int { held.load(ordering: .relaxed) }

    /// Cuts off whom the service waits for longest, until a quarter of the room is free again.
    private func relieve() {
        let now = NIODeadline.now().uptimeNanoseconds
        let before = lastRelief.load(ordering: .relaxed)
        // Those told to go need a moment, and looking for them looks at all.
        guard now >= before &+ 10_000_000, lastRelief.compareExchange(expected: before, desired: now, ordering: .relaxed).exchanged
        else { return }
        let all = open.withLock { Array($0.values) }
        var slow: [(connection: Connection, held: (bytes: Int, since: NIODeadline))] = []
        for connection in all {
            if let held = connection.heldForCaller { slow.append((connection, held)) }
        }
        slow.sort { $0.held.since < $1.held.since }
        var excess = heldBytes - maxHeldBytes / 4 * 3
        for (connection, held) in slow where excess > 0 {
            excess -= held.bytes
            connection.channel.pipeline.fireUserInboundEventTriggered(Connection.Due.holdsTooMuch)
        }
    }

    // MARK: Sweep

    /// Looks after all connections from now on, on the loop of the listening channel, until that is closed and the last connection is gone.
    func sweep(under server: any Channel) {
        server.closeFuture.whenComplete { _ in self.hasStopped.store(true, ordering: .relaxed) }
        server.eventLoop.scheduleRepeatedTask(initialDelay: Self.sweepEvery, delay: Self.sweepEvery) { task in
            let all = self.open.withLock { Array($0.values) }
            if all.isEmpty, self.hasStopped.load(ordering: .relaxed) { return task.cancel() }
            if self.heldBytes > self.maxHeldBytes { self.relieve() }
            let now = NIODeadline.now()
            for connection in all {
                let (due, cancel) = connection.due(now: now, self.limits)
                cancel?()
                if let due { connection.channel.pipeline.fireUserInboundEventTriggered(due) }
            }
        }
    }

    // MARK: Said

    func count(_ cause: Cause) {
        closedCounts.add(1, to: cause.rawValue)
        guard let sentence = cause.sentence(self) else { return }
        let now = NIODeadline.now()
        let since: Int? = told.withLock { told in
            var entry = told[cause] ?? Told()
            defer { told[cause] = entry }
            entry.count += 1
            // A flood is one line a minute with its count, not a line each.
            if let at = entry.at, now - at < .seconds(Self.secondsBetweenLines) { return nil }
            defer { entry = Told(at: now) }
            return entry.count
        }
        if let since { logger.warning("\(sentence)", metadata: ["connections": "\(count)", "since_last_line": "\(since)"]) }
    }

    /// The system refused a connection, most likely as all descriptors are in use.
    func acceptFailed(_ error: any Error) {
        let before = acceptFailures.wrappingAdd(1, ordering: .relaxed).oldValue
        makeRoom()
        if before % 60 == 0 {
            logger.warning(
                "cannot accept connections, and tries again soon: \(error); raise the limit of open files (ulimit -n)",
                metadata: ["connections": "\(count)"])
        }
    }

    func write(to text: inout PrometheusText) {
        text.begin("freshet_http_connections", .gauge, "Open connections.")
        text.sample([], Double(count))
        text.begin("freshet_http_connections_limit", .gauge, "The most connections that may be open; the oldest idle ones make room.")
        text.sample([], Double(maxConnections))
        text.begin("freshet_http_connections_opened_total", .counter, "Connections that callers opened.")
        text.sample([], Double(opened.load(ordering: .relaxed)))
        text.begin("freshet_http_connections_closed_total", .counter, "Connections that the service closed, by cause.")
        for cause in Cause.allCases { text.sample([("cause", cause.label)], Double(closedCounts[cause.rawValue])) }
        text.begin("freshet_http_accept_failures_total", .counter, "Connections that the system refused, as for want of descriptors.")
        text.sample([], Double(acceptFailures.load(ordering: .relaxed)))
        text.begin("freshet_http_held_bytes", .gauge, "Bytes of bodies and answers held for callers.")
        text.sample([], Double(heldBytes))
    }
}
