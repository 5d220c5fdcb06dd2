import Synchronization

/// A value that one owner replaces whole and many read.
final class SnapshotCell<Value: Sendable>: Sendable {
    private let held: Mutex<Value>

    init(_ value: Value) {
        held = Mutex(value)
    }

    /// The value in force.
    var current: Value { held.withLock { $0 } }

    /// Puts another one in force.
    func replace(by value: Value) {
        held.withLock { $0 = value }
    }
}
