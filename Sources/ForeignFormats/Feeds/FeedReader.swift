import Interactions

/// The offers of a Google Merchant feed in XML: the items of RSS 2.0, or the entries of Atom.
///
/// What is wrong within an item costs that item; reading goes on at the next `<item>` or `<entry>`. Items are counted, since several may
/// stand on one line.
struct FeedReader: ForeignRows {
    /// Elements within each other at most.
    static let depthLimit = 32
    /// Elements of an item at most.
    static let elementsLimit = 2_000
    private static let itemNames = ["item", "entry"]
    private static let namespace = "http://base.google.com/ns/1.0"

    /// An item that is being read.
    private struct Item {
        var line: Int64
        var text: [UInt8] = []
        var textBytes = 0
        var offer = MerchantOffer()
        /// Elements within the item that are open.
        var open: [String] = []
        var elements = 0
        /// The text of the element at hand.
        var value = ""
    }

    private let options: ForeignOptions
    private var tokens: XMLTokens
    private var plan: MerchantPlan
    private var item: Item?
    /// Prefixes that stand for Google's names.
    private var prefixes: Set<String> = ["g"]
    private var hasItems: Bool { count > 0 }
    /// Items that have begun.
    private var count: Int64 = 0
    /// Whether the place in the feed is lost, so that the next item is looked for.
    private var isLost = false
    private var isFinished = false

    init(options: ForeignOptions) {
        self.options = options
        tokens = XMLTokens(tokenLimitBytes: options.rowLimitBytes)
        plan = MerchantPlan(options, separator: nil)
    }

    mutating func feed(_ text: [UInt8]) { tokens.feed(text) }

    mutating func finish() {
        tokens.finish()
        isFinished = true
    }

    mutating func next() throws(ForeignProblem) -> ForeignRecord? {
        while true {
            if isLost {
                guard tokens.skip(toStartOf: Self.itemNames) else { return nil }
                isLost = false
            }
            let line = tokens.line
            guard let token = tokens.next() else {
                guard isFinished else { return nil }
                if item != nil { return refused("the feed ends within the item") }
                guard hasItems else { throw ForeignProblem("it has no <item> and no <entry>: is it another format?") }
                return nil
            }
            if let record = try take(token, line) { return record }
        }
    }

    private mutating func take(_ token: XMLTokens.Token, _ line: Int64) throws(ForeignProblem) -> ForeignRecord? {
        if token == .doctype {
            throw ForeignProblem(
                "line \(line + 1) has a document type definition (<!DOCTYPE>), which is not read: leave it out of the feed")
        }
        if case .broken(let why) = token {
            guard item != nil || hasItems else { throw ForeignProblem("line \(line + 1) is no XML: \(why)") }
            return refused(why)
        }
        guard item != nil else {
            outside(token, line)
            return nil
        }
        item?.textBytes += tokens.written.count
        if let kept = item?.text.count, kept < options.rowLimitBytes {
            item?.text.append(contentsOf: tokens.written.prefix(options.rowLimitBytes - kept))
        }
        return inside(token)
    }

    private mutating func outside(_ token: XMLTokens.Token, _ line: Int64) {
        guard case .start(let name, let attributes, let isEmpty) = token else { return }
        for (key, value) in attributes where value == Self.namespace && key.hasPrefix("xmlns:") {
            prefixes.insert(String(key.dropFirst(6)))
        }
        guard Self.itemNames.contains(name), !isEmpty else { return }
        count += 1
        item = Item(line: line, text: Array(tokens.written), textBytes: tokens.written.count)
    }

    private mutating func inside(_ token: XMLTokens.Token) -> ForeignRecord? {
        switch token {
        case .start(let name, let attributes, let isEmpty):
            item?.elements += 1
            guard (item?.open.count ?? 0) < Self.depthLimit else {
                return refused("elements stand within each other deeper than \(Self.depthLimit)")
            }
            guard (item?.elements ?? 0) <= Self.elementsLimit else {
                return refused("the item has more than \(Self.elementsLimit) elements")
            }
            if item?.open.isEmpty == true {
                item?.value = ""
                if let own = ownName(name) { plan.note(CollectionOfOne(MerchantOffer.plain(own))) }
                // Atom has an address in an attribute.
                if let address = attributes["href"], let own = ownName(name) { item?.offer.add(own, address, isGoogles: own != name) }
            }
            if !isEmpty { item?.open.append(name) }
        case .end(let name):
            guard let open = item?.open.last else {
                guard Self.itemNames.contains(name) else { return refused("</\(name)> ends what has not begun") }
                return finished()
            }
            guard open == name else { return refused("</\(name)> stands where </\(open)> must") }
            item?.open.removeLast()
            if item?.open.isEmpty == true, let own = ownName(name), let value = item?.value {
                item?.offer.add(own, value, isGoogles: own != name)
            }
        case .text(let text):
            if item?.open.count == 1 { item?.value += text }
        case .aside, .doctype, .broken: break
        }
        return nil
    }

    /// The name without Google's prefix; nil of one of somebody else.
    private func ownName(_ name: String) -> String? {
        guard let colon = name.firstIndex(of: ":") else { return name }
        return prefixes.contains(String(name[..<colon])) ? String(name[name.index(after: colon)...]) : nil
    }

    private mutating func finished() -> ForeignRecord? {
        guard let item else { return nil }
        self.item = nil
        do throws(Rejection) {
            guard item.textBytes <= options.rowLimitBytes else {
                throw Rejection(.tooLarge, "has \(item.textBytes) bytes; at most \(options.rowLimitBytes) are read")
            }
            return ForeignRecord(row(of: item), .record(try plan.record(item.offer)), userID: nil)
        } catch {
            return refusal(of: item, error)
        }
    }

    /// Gives up the item at hand, or what stands between items.
    private mutating func refused(_ why: String) -> ForeignRecord? {
        isLost = true
        guard let item else { return nil }
        self.item = nil
        return refusal(of: item, Rejection(.malformedRow, "is no XML: \(why)"))
    }

    private func refusal(of item: Item, _ why: Rejection) -> ForeignRecord {
        var why = why
        why.detail += why.field == nil ? "" : " (item at line \(item.line + 1))"
        if why.field == nil { why.detail = "the item at line \(item.line + 1) \(why.detail)" }
        return ForeignRecord(row(of: item), .refused(why), userID: nil)
    }

    private func row(of item: Item) -> RawRow {
        RawRow(line: count - 1, lines: 1, bytes: item.text, byteCount: item.textBytes, cellCount: 0)
    }

    var layout: ForeignLayout? { hasItems ? plan.layout : nil }
    var dates: DateEvidence { DateEvidence() }
}
