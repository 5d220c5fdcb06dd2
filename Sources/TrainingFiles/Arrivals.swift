import Interactions

/// When items came to the catalogue, as a training file keeps it: milliseconds since 1970, or ``withFirst``.
///
/// The first record of an item is stored by the wall clock. A catalogue that is imported comes within minutes, before or after events
/// that may be years old, so that such a moment says nothing of its items; what comes later, one by one, is new then.
package enum Arrivals {
    /// In the first delivery of the catalogue, or nobody knows.
    package static let withFirst = Int64.min
    /// A first delivery takes so long, or the first twentieth of the time since it began.
    private static let deliveryMilliseconds: Int64 = 3_600_000, deliveryShare: Int64 = 20

    /// - Parameters:
    ///   - firstSeen: by row, when the first record was stored, in milliseconds since 1970; nil where there is none.
    ///   - order: rows in the order in which they are wanted.
    package static func of(_ firstSeen: [Int64?], now: EventTime, order: [Int32]) -> [Int64] {
        let first = firstSeen.lazy.compactMap { $0 }.min() ?? .max
        let since = max(0, Double(now.milliseconds) - Double(first))
        let border = Double(first) + max(Double(deliveryMilliseconds), since / Double(deliveryShare))
        return order.map { row in
            guard let time = firstSeen[Int(row)], Double(time) > border else { return withFirst }
            return time
        }
    }

    /// As ``TrainingLog/arrivals`` has them.
    package static func read(_ column: UnsafeBufferPointer<Int64>) -> [Int64?] { column.map { $0 == withFirst ? nil : $0 } }
}
