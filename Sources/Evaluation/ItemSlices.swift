/// The share of the catalogue that an item belongs to, by its training events.
public enum ItemSlice: Int, Sendable, CaseIterable {
    /// The 20 % of the items with events that have most of them.
    case head = 0
    /// The next 30 % of the items with events.
    case mid = 1
    /// The other half of the items with events.
    case tail = 2
    /// Items without any training event.
    case cold = 3

    /// The name of mid and tail together in reports: every item with events that does not belong to the head. Public figures of
    /// head and tail usually mean this by tail.
    public static let beyondHead = "beyond_head"

    /// Whether the item has events and does not belong to the head.
    public var isBeyondHead: Bool { self == .mid || self == .tail }

    /// The name in reports.
    public var name: String {
        switch self {
        case .head: "head"
        case .mid: "mid"
        case .tail: "tail"
        case .cold: "cold"
        }
    }
}

/// Which slice each item row belongs to.
public struct ItemSlices: Sendable {
    /// The raw value of ``ItemSlice`` per item row.
    private let slices: [UInt8]

    /// Cuts the rows by their number of training events.
    ///
    /// - Parameters:
    ///   - counts: training events per item row.
    ///   - itemIDs: the ids of the rows; equal counts stand in the order of their ids. Without ids, in row order.
    public init(counts: [Int], itemIDs: [String]? = nil) {
        precondition(
            itemIDs == nil || itemIDs?.count == counts.count, "one id per count: \(itemIDs?.count ?? 0) ids, \(counts.count) counts")
        var order = counts.indices.filter { counts[$0] > 0 }
        order.sort {
            if counts[$0] != counts[$1] { return counts[$0] > counts[$1] }
            if let itemIDs { return itemIDs[$0].unicodeScalars.lexicographicallyPrecedes(itemIDs[$1].unicodeScalars) }
            return $0 < $1
        }
        // ceil(0.2 n) and ceil(0.5 n) in whole numbers: floating 0.2 × n lands above the whole number for some n.
        let head = (order.count + 4) / 5
        let mid = (order.count + 1) / 2
        var slices = [UInt8](repeating: UInt8(ItemSlice.cold.rawValue), count: counts.count)
        for (place, row) in order.enumerated() {
            slices[row] = UInt8((place < head ? ItemSlice.head : place < mid ? ItemSlice.mid : ItemSlice.tail).rawValue)
        }
        self.slices = slices
    }

    /// The slice of an item row; rows that training never knew are cold.
    public func slice(of row: Int32) -> ItemSlice {
        guard row >= 0, Int(row) < slices.count else { return .cold }
        return ItemSlice(rawValue: Int(slices[Int(row)])) ?? .cold
    }
}
