import CLibPQ
import Foundation

/// Waiting for an answer, but not for ever: a network that drops packets without a word, or a proxy that has stopped, keeps a connection
/// open for hours.
///
/// After ``silenceMilliseconds`` without a byte a second connection asks the server what the session is doing. Where it works on the
/// statement, the waiting goes on, up to its time limit; where it has answered already, or nobody answers the second connection either,
/// the first one is given up, which is noticed within 30 s.
extension Connection {
    /// Silence after which the server is asked whether it still works, in milliseconds.
    static let silenceMilliseconds = 10_000
    /// How long the server has for the answer to that, connecting included, in seconds.
    private static let questionSeconds = 8
    /// How much longer than its own time limit for a statement the server may stay silent, in milliseconds.
    private static let graceMilliseconds = 5_000
    /// How long an answer may be under way that the server has given already, in milliseconds.
    private static let lastWaitMilliseconds = 2_000

    /// What a server says of a session.
    private enum Session { case working, finished, silent, unknown }

    /// Returns once a result can be taken without waiting.
    func waitForResult(_ sql: String) throws(StoreError) {
        while PQisBusy(handle) != 0 { try waitForBytes(sql) }
    }

    /// Waits for bytes of the server and takes them in.
    func waitForBytes(_ sql: String) throws(StoreError) {
        let started = ContinuousClock.now
        var limit = Self.silenceMilliseconds
        if statementTimeoutMilliseconds > 0 { limit = min(limit, statementTimeoutMilliseconds + Self.graceMilliseconds) }
        while try !hasBytes(within: limit, sql) {
            let silent = Int(started.duration(to: .now) / .milliseconds(1))
            if statementTimeoutMilliseconds > 0, silent >= statementTimeoutMilliseconds + Self.graceMilliseconds {
                throw givenUp(sql, "it has not answered for \(silent / 1_000) s, longer than it may work on a statement")
            }
            switch askWhatItDoes() {
            case .working, .unknown: continue
            case .finished:
                if try hasBytes(within: Self.lastWaitMilliseconds, sql) { break }
                throw givenUp(sql, "the connection has been silent for \(silent / 1_000) s, and the server is not working on it")
            case .silent:
                // The question takes seconds in which the answer may have come.
                if try hasBytes(within: 0, sql) { break }
                throw givenUp(sql, "it has been silent for \(silent / 1_000) s and answers no other connection either")
            }
            break
        }
        if PQconsumeInput(handle) == 0 { throw lost(sql) }
    }

    /// Waits until bytes can be read, or the connection has an end.
    private func hasBytes(within milliseconds: Int, _ sql: String) throws(StoreError) -> Bool {
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        while true {
            if PQflush(handle) < 0 { throw lost(sql) }
            let left = max(0, Int(ContinuousClock.now.duration(to: end) / .milliseconds(1)))
            var wanted = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
            let ready = poll(&wanted, 1, Int32(clamping: left))
            if ready > 0 { return true }
            if ready == 0 { return false }
            if errno != EINTR { throw lost(sql) }
        }
    }

    private func givenUp(_ sql: String, _ why: String) -> StoreError {
        sever()
        _ = PQconsumeInput(handle)
        return StoreError(
            .connectionLost, isRetriable: true,
            "\(place), at “\(Self.opening(of: sql))”: \(why) — the connection is given up; the next call connects again")
    }

    /// Asks over a connection of its own; the answer comes within ``questionSeconds`` or counts as silence.
    private func askWhatItDoes() -> Session {
        let end = ContinuousClock.now + .seconds(Self.questionSeconds)
        let probe: OpaquePointer
        do throws(StoreError) {
            probe = try Self.connect(settings.within(seconds: Self.questionSeconds))
        } catch {
            // Any word of the server shows that it is there: too many connections, starting, stopping.
            return error.code == .unreachable ? .silent : .unknown
        }
        defer { PQfinish(probe) }
        let question = "select pg_backend_pid(), (select state from pg_stat_activity where pid = \(serverProcessID)), "
            + "exists (select from pg_stat_activity where pid = \(serverProcessID))"
        guard PQsendQuery(probe, question) == 1 else { return .silent }
        while PQisBusy(probe) != 0 {
            let left = Int(ContinuousClock.now.duration(to: end) / .milliseconds(1))
            var wanted = pollfd(fd: PQsocket(probe), events: Int16(POLLIN), revents: 0)
            guard left > 0, poll(&wanted, 1, Int32(clamping: left)) != 0, PQconsumeInput(probe) == 1 else { return .silent }
        }
        guard let answer = PQgetResult(probe) else { return .silent }
        defer { PQclear(answer) }
        guard PQresultStatus(answer) == PGRES_TUPLES_OK, PQntuples(answer) == 1 else { return .unknown }
        func text(_ column: Int32) -> String { PQgetvalue(answer, 0, column).map { String(cString: $0) } ?? "" }
        // Behind a pooler the numbers of sessions are not the server's.
        guard Int32(text(0)) == PQbackendPID(probe) else { return .unknown }
        if text(2) == "f" { return .finished }
        return text(1).hasPrefix("idle") ? .finished : text(1).isEmpty ? .unknown : .working
    }
}
