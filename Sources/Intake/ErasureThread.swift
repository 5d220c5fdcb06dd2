import FeatureStore
import Foundation
import Logging

/// A thread that removes the rows of erased users beside whatever else a role does; see ``ErasureWork``.
///
/// A deletion is done for every reader once it is committed, so nobody waits for this but who asks when the rows are gone.
final class ErasureThread: @unchecked Sendable {
    // Sendable by hand: `work` is used by the thread alone, the flags under `condition`.
    /// Between two looks at an empty queue.
    private static let pause = Duration.milliseconds(100)
    /// Between two attempts after errors, at most.
    private static let longestPause = Duration.seconds(5)

    private let work: ErasureWork
    private let idle: IdleUsers?
    private let logger: Logger
    private let condition = NSCondition()
    private var isClosed = false
    private var hasEnded = false

    /// Starts the thread.
    init(settings: IngestSettings, logger: Logger) {
        work = ErasureWork(url: settings.databaseURL, rules: settings.featureRules)
        idle = Self.idleUsers(settings)
        self.logger = logger
        work.onTransaction = { [weak self] () throws(StoreError) in
            if self?.isClosing ?? true { throw StoreError(.closed, "the role ends; what is left to be removed waits in the database") }
        }
        let thread = Thread { [self] in run() }
        thread.name = "freshet-erasure"
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Ends the thread after the transaction in hand; what is left waits in the database.
    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        while !hasEnded { condition.wait() }
        condition.unlock()
    }

    private var isClosing: Bool {
        condition.lock()
        defer { condition.unlock() }
        return isClosed
    }

    /// Waits; false once the thread is to end.
    private func wait(_ pause: Duration) -> Bool {
        let until = Date(timeIntervalSinceNow: pause / .seconds(1))
        condition.lock()
        defer { condition.unlock() }
        while !isClosed, condition.wait(until: until) {}
        return !isClosed
    }

    private func run() {
        var trouble = GrowingPause(first: Self.pause * 2, longest: Self.longestPause)
        var pause = Self.pause
        var last: String?
        repeat {
            do throws(StoreError) {
                // Whom a long silence erases; the rows go with those of others.
                while let idle, let erased = try idle.step() {
                    Self.tell(idle: erased, logger)
                    guard wait(.milliseconds(10)) else { break }
                }
                while let step = try work.step() {
                    Self.tell(step, logger)
                    guard wait(.zero) else { break }
                }
                if last != nil { logger.notice("rows of erased users are removed again") }
                trouble.reset()
                (pause, last) = (Self.pause, nil)
            } catch {
                if last != error.message, !isClosing {
                    logger.warning("the rows of erased users wait to be removed, hidden meanwhile: \(error.message)")
                }
                last = error.message
                pause = trouble.take()
            }
        } while wait(pause)
        condition.lock()
        hasEnded = true
        condition.broadcast()
        condition.unlock()
    }

    static func tell(_ step: ErasureWork.Step, _ logger: Logger) {
        guard step.users + step.rows + step.letters > 0 else { return }
        logger.info(
            "erased users' rows removed",
            metadata: ["users": "\(step.users)", "interactions": "\(step.rows)", "dead_letters": "\(step.letters)"])
    }

    private static func idleUsers(_ settings: IngestSettings) -> IdleUsers? {
        guard settings.idleUsersDays > 0 else { return nil }
        return IdleUsers(url: settings.databaseURL, idleDays: settings.idleUsersDays, followsData: settings.idleUsersFollowData)
    }

    private static func tell(idle erased: Int, _ logger: Logger) {
        guard erased > 0 else { return }
        logger.notice("people who were silent for retention.idle_users_days are erased", metadata: ["users": "\(erased)"])
    }

    /// Erases who is silent and empties the queue on the calling thread, for a run that ends.
    static func finish(settings: IngestSettings, logger: Logger, isStopping: () -> Bool) throws(StoreError) {
        if let idle = idleUsers(settings) { tell(idle: try idle.finish(isStopping: isStopping), logger) }
        tell(try ErasureWork(url: settings.databaseURL, rules: settings.featureRules).finish(isStopping: isStopping), logger)
    }
}
