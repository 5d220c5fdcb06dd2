/// Values of some rows, in pages, so that a copy that differs in a few rows shares all other pages with its original.
///
/// Reading is O(1). Changing a row of a copy costs one page of 64 values and the list of pages.
struct RowMap<Value: Sendable>: Sendable {
    private static var pageShift: Int32 { 6 }
    private static var pageMask: Int32 { 63 }

    /// A page without values is empty.
    private var pages: [[Value?]] = []
    /// Rows that have a value.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    @inline(__always)
    subscript(row: Int32) -> Value? {
        get {
            let page = Int(row >> Self.pageShift)
            guard page < pages.count, !pages[page].isEmpty else { return nil }
            return pages[page][Int(row & Self.pageMask)]
        }
        set {
            if let newValue { set(newValue, for: row) } else { remove(row) }
        }
    }

    /// Calls `body` with every row that has a value, ascending.
    func forEach(_ body: (Int32, Value) -> Void) {
        for (page, values) in pages.enumerated() {
            for (place, value) in values.enumerated() {
                if let value { body(Int32(page) << Self.pageShift + Int32(place), value) }
            }
        }
    }

    private mutating func set(_ value: Value, for row: Int32) {
        let page = Int(row >> Self.pageShift), place = Int(row & Self.pageMask)
        while page >= pages.count { pages.append([]) }
        if pages[page].isEmpty { pages[page] = [Value?](repeating: nil, count: Int(Self.pageMask) + 1) }
        if pages[page][place] == nil { count += 1 }
        pages[page][place] = value
    }

    private mutating func remove(_ row: Int32) {
        let page = Int(row >> Self.pageShift), place = Int(row & Self.pageMask)
        guard page < pages.count, !pages[page].isEmpty, pages[page][place] != nil else { return }
        pages[page][place] = nil
        count -= 1
        if pages[page].allSatisfy({ $0 == nil }) { pages[page] = [] }
    }
}
