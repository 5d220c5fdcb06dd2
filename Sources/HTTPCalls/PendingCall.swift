import NIOCore
import Synchronization

/// A call that somebody waits for. It ends once: with its answer, with a failure, at the end of its time, or where its task is cancelled.
final class PendingCall: Sendable {
    private struct State {
        var waiting: CheckedContinuation<HTTPAnswer, any Error>?
        var timer: Scheduled<Void>?
        var abort: (@Sendable () -> Void)?
        var failure: (any Error)?
        /// Why there is no connection yet.
        var unconnected: HTTPCallError?
        var isOver = false
    }

    let call: HTTPCall
    private let state = Mutex(State())

    init(_ call: HTTPCall) {
        self.call = call
    }

    /// Whether nobody waits for it any more.
    var isOver: Bool { state.withLock { $0.isOver } }

    /// Takes in who waits, and ends the call when its time is over.
    ///
    /// - Returns: false where the call ended before, as by cancellation; who waits has been told then.
    func begin(_ waiting: CheckedContinuation<HTTPAnswer, any Error>, on loop: any EventLoop) -> Bool {
        let failure = state.withLock { state in
            if !state.isOver { state.waiting = waiting }
            return state.failure
        }
        if let failure {
            waiting.resume(throwing: failure)
            return false
        }
        let timer = loop.scheduleTask(in: TimeAmount(call.timeout)) {
            let timedOut = HTTPCallError(.timedOut, "no answer within \(self.call.timeout)")
            _ = self.finish(.failure(self.state.withLock { $0.unconnected } ?? timedOut))
        }
        let isOver = state.withLock { state in
            if !state.isOver { state.timer = timer }
            return state.isOver
        }
        if isOver { timer.cancel() }
        return true
    }

    /// What to do where the call ends without its answer from now on.
    ///
    /// - Returns: false where it has ended.
    func whenAborted(_ abort: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            if !state.isOver { state.abort = abort }
            return !state.isOver
        }
    }

    /// There is no connection yet: what the end of the time is told with; nil once there is one.
    func isUnconnected(_ why: HTTPCallError?) {
        state.withLock { $0.unconnected = why }
    }

    /// Ends it.
    ///
    /// - Parameter before: done where it had not ended before, and before anybody hears of the end.
    /// - Returns: false where it had ended before.
    func finish(_ result: Result<HTTPAnswer, any Error>, before: () -> Void = {}) -> Bool {
        let (isFirst, ended) = state.withLock { state -> (Bool, State) in
            guard !state.isOver else { return (false, State()) }
            let ended = state
            state = State()
            state.isOver = true
            if case .failure(let error) = result { state.failure = error }
            return (true, ended)
        }
        guard isFirst else { return false }
        ended.timer?.cancel()
        if case .failure = result { ended.abort?() }
        before()
        ended.waiting?.resume(with: result)
        return true
    }
}
