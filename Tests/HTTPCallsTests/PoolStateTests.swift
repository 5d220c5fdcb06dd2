import HTTPCalls
import Testing

@Suite struct PoolStateTests {
    final class Connection: Sendable {}
    final class Waiter: Sendable {
        let hasLeft: Bool
        init(hasLeft: Bool = false) { self.hasLeft = hasLeft }
    }
    typealias Pool = PoolState<Connection, Waiter>

    private let now = ContinuousClock.now

    private func pool(connections: Int, waiting: Int = 8) -> Pool {
        Pool(maxConnections: connections, maxWaiting: waiting, maxIdle: .seconds(30), hasLeft: { $0.hasLeft })
    }

    private func ask(_ pool: inout Pool, _ waiter: Waiter = Waiter(), after: Duration = .zero) -> String {
        let asked = pool.asked(by: waiter, now: now + after)
        let words =
            switch asked.answer {
            case .use: "use"
            case .open: "open"
            case .wait: "wait"
            case .refuse: "refuse"
            }
        return asked.stale.isEmpty ? words : "\(words), \(asked.stale.count) stale"
    }

    @Test func opensAsManyAsAllowedThenLetsOthersWait() {
        var pool = pool(connections: 2, waiting: 2)
        #expect((0..<5).map { _ in ask(&pool) } == ["open", "open", "wait", "wait", "refuse"])
        #expect(pool.openConnections == 2 && pool.waitingCalls == 2)
    }

    @Test func aConnectionGoesToWhoHasWaitedLongest() {
        var pool = pool(connections: 1)
        let connection = Connection()
        let waiters = [Waiter(), Waiter(hasLeft: true), Waiter()]
        _ = ask(&pool)
        for waiter in waiters { #expect(ask(&pool, waiter) == "wait") }
        guard case .serve(let first, let by) = pool.returned(connection, now: now) else { return #expect(Bool(false), "nobody is served") }
        #expect(first === waiters[0] && by === connection)
        guard case .serve(let next, _) = pool.returned(connection, now: now) else { return #expect(Bool(false), "nobody is served") }
        #expect(next === waiters[2], "who left is passed over")
        guard case .nothing = pool.returned(connection, now: now) else { return #expect(Bool(false), "somebody is served twice") }
        #expect(pool.idleConnections == 1 && pool.waitingCalls == 0)
        #expect(ask(&pool) == "use")
    }

    @Test func aLostConnectionMakesRoomForAnother() {
        var pool = pool(connections: 1)
        let waiter = Waiter()
        _ = ask(&pool)
        _ = ask(&pool, waiter)
        guard case .open(let next) = pool.lost(nil) else { return #expect(Bool(false), "no other is opened") }
        #expect(next === waiter && pool.openConnections == 1)
        let connection = Connection()
        _ = pool.returned(connection, now: now)
        guard case .nothing = pool.lost(connection) else { return #expect(Bool(false), "another is opened for nobody") }
        #expect(pool.openConnections == 0 && pool.idleConnections == 0)
        #expect(ask(&pool) == "open")
    }

    @Test func whatWasIdleForTooLongIsNotUsed() {
        var pool = pool(connections: 3)
        let connections = [Connection(), Connection()]
        for _ in connections { _ = ask(&pool) }
        for connection in connections { _ = pool.returned(connection, now: now) }
        #expect(ask(&pool, after: .seconds(30)) == "use")
        _ = pool.returned(connections[1], now: now)
        #expect(ask(&pool, after: .seconds(31)) == "open, 2 stale")
        for connection in connections { _ = pool.lost(connection) }
        #expect(pool.openConnections == 1)
    }

    @Test func aClosedPoolClosesWhatComesBack() {
        var pool = pool(connections: 2)
        let idle = Connection(), busy = Connection()
        _ = ask(&pool)
        _ = ask(&pool)
        _ = pool.returned(idle, now: now)
        #expect(pool.close().map { $0 === idle } == [true])
        guard case .close(let closed) = pool.returned(busy, now: now) else { return #expect(Bool(false), "it is kept") }
        #expect(closed === busy)
    }

    /// Many who come and go in any order: never more connections than allowed, nobody served twice, nobody forgotten.
    @Test(arguments: 0..<20 as Range<UInt64>) func anyOrder(seed: UInt64) {
        var random = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
        func next(_ bound: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % bound
        }
        var pool = pool(connections: 3, waiting: 4_000)
        var busy: [Connection] = [], opening = 0, asked = 0, served = 0
        func serve(_ next: Pool.Next) {
            switch next {
            case .serve(_, let connection):
                served += 1
                busy.append(connection)
            case .open: opening += 1
            case .nothing: break
            case .close: #expect(Bool(false), "an open pool closes nothing")
            }
        }
        for step in 0..<6_000 {
            switch step < 4_000 ? next(4) : 2 {
            case 0, 1:
                asked += 1
                switch pool.asked(by: Waiter(), now: now).answer {
                case .use(let connection):
                    served += 1
                    busy.append(connection)
                case .open: opening += 1
                case .wait: break
                case .refuse: #expect(Bool(false), "there is room to wait")
                }
            case 2 where opening > 0:
                opening -= 1
                served += 1
                busy.append(Connection())
            case 2 where !busy.isEmpty:
                serve(pool.returned(busy.remove(at: next(busy.count)), now: now))
            case 3 where !busy.isEmpty:
                serve(pool.lost(busy.remove(at: next(busy.count))))
            default: break
            }
            #expect(busy.count + opening <= 3)
            #expect(pool.openConnections == busy.count + opening + pool.idleConnections)
        }
        while !busy.isEmpty || opening > 0 {
            if opening > 0 { (opening, served) = (opening - 1, served + 1); busy.append(Connection()) }
            if let last = busy.popLast() { serve(pool.returned(last, now: now)) }
        }
        #expect(served == asked && pool.waitingCalls == 0)
    }
}
