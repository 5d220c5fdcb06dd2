import Foundation
import Intake
import Interactions

extension RecordIntake {
    /// Takes a record given as text or bytes, from a place of its own in a topic of the kind's name.
    mutating func add(
        _ kind: RecordKind, key: [UInt8]? = nil, value: String?, time: EventTime? = nil, now: EventTime = Intakes.now
    ) {
        let origin = RecordOrigin(
            source: "freshet.\(kind.rawValue)", cluster: "test", position: Position(partition: 0, offset: Int64(records)),
            recordTime: time)
        func give(_ key: UnsafeRawBufferPointer?) {
            guard var value else {
                add(kind, key: key, value: nil, origin: origin, now: now)
                return
            }
            _ = value.withUTF8 { add(kind, key: key, value: UnsafeRawBufferPointer($0), origin: origin, now: now) }
        }
        if let key { key.withUnsafeBytes { give($0) } } else { give(nil) }
    }
}

/// What the tests of this target share.
enum Intakes {
    /// 2026-11-21T08:00:00Z, the wall clock of tests.
    static let now = EventTime(milliseconds: 1_795_248_000_000)

    /// The clock on the wall, for records that a broker dates.
    static var wall: EventTime { EventTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000)) }
}
