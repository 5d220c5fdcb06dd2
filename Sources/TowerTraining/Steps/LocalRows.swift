/// Numbers the items of a batch in the order in which they are met.
struct LocalRows {
    private(set) var items: [Int32] = []
    /// Local row of an item where `stamps` holds the current stamp.
    private var rows: [Int32]
    private var stamps: [UInt32]
    private var stamp: UInt32 = 0

    init(itemCount: Int) {
        rows = [Int32](repeating: 0, count: itemCount)
        stamps = [UInt32](repeating: 0, count: itemCount)
    }

    mutating func clear() {
        stamp &+= 1
        items.removeAll(keepingCapacity: true)
    }

    /// The row of an item, a new one where it was not met yet.
    mutating func row(of item: Int32) -> Int32 {
        if stamps[Int(item)] == stamp { return rows[Int(item)] }
        let row = Int32(items.count)
        stamps[Int(item)] = stamp
        rows[Int(item)] = row
        items.append(item)
        return row
    }

    /// The row of an item that was met.
    func known(_ item: Int32) -> Int32? { stamps[Int(item)] == stamp ? rows[Int(item)] : nil }
}
