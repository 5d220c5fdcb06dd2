import Synchronization

/// A value that one owner replaces whole and many read.
package final class SnapshotCell<Value: Sendable>: Sendable {
    private let held: Mutex<Value>

    /// A cell with a value.
    package init(_ value: Value) {
        held = Mutex(value)
    }

    /// The value in force.
    package var current: Value { held.withLock { $0 } }

    /// Puts another one in force.
    package func replace(by value: Value) {
        held.withLock { $0 = value }
    }
}
