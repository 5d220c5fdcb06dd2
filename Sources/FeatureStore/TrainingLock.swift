import Foundation

/// The right to train on a database: one trainer at a time. Ends with ``release()``, with the object or with the process.
///
/// `@unchecked Sendable`: the connection is only closed, never used, after `init`; `release` is for one caller.
public final class TrainingLock: @unchecked Sendable {
    /// The advisory lock of trainers (the bytes of "freshet" and 4).
    static let advisoryLock: Int64 = 0x6672_6573_6865_7404

    private var connection: Connection?

    /// How long to wait for the lock: servers that clear up after a killed training hold it for a moment.
    static let patience = 10
    static let pauseSeconds = 0.1

    /// Takes the lock.
    ///
    /// - Parameter isPatient: whether one that is held is asked for again for a second.
    /// - Throws: ``StoreError`` with `trainingInProgress` when another trainer holds it.
    public init(url: String, isPatient: Bool = false) throws(StoreError) {
        let opened = try Connection(url: url, role: "freshet train")
        var key = Parameters()
        key.add(Self.advisoryLock)
        var isTaken = try opened.run("select pg_try_advisory_lock($1)", key).bool(0, 0)
        for _ in 0..<(isPatient ? Self.patience : 0) where !isTaken {
            Thread.sleep(forTimeInterval: Self.pauseSeconds)
            isTaken = try opened.run("select pg_try_advisory_lock($1)", key).bool(0, 0)
        }
        guard isTaken else {
            throw StoreError(
                .trainingInProgress, isRetriable: true,
                "\(opened.place): another training runs on this database — wait for it, or end the session that holds the "
                    + "advisory lock (pg_locks, application_name “freshet train”)")
        }
        connection = opened
    }

    /// Whether the lock is still held: a lost connection loses it.
    public func isHeld() -> Bool {
        guard let connection else { return false }
        do throws(StoreError) {
            try connection.execute("select 1")
            return true
        } catch {
            return false
        }
    }

    /// Gives the lock back.
    public func release() { connection = nil }
}
