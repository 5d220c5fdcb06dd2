import Interactions

/// A Google Merchant feed: XML where it begins with `<`, else a table with tabs.
struct MerchantReader: ForeignRows {
    private let options: ForeignOptions
    private var head: [UInt8] = []
    private var rows: (any ForeignRows & Sendable)?

    init(options: ForeignOptions) { self.options = options }

    mutating func feed(_ text: [UInt8]) {
        guard rows == nil else {
            rows?.feed(text)
            return
        }
        head.append(contentsOf: text)
        guard let first = head.first(where: { $0 > 0x20 }) else { return }
        var found: any ForeignRows & Sendable = first == UInt8(ascii: "<")
            ? FeedReader(options: options) : TableReader(.merchant, kind: .items, options: options)
        found.feed(head)
        rows = found
        head = []
    }

    mutating func finish() { rows?.finish() }
    mutating func next() throws(ForeignProblem) -> ForeignRecord? { try rows?.next() }
    var layout: ForeignLayout? { rows?.layout }
    var dates: DateEvidence { rows?.dates ?? DateEvidence() }
}
