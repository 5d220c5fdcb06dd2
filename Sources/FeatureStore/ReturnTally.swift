/// How many returns there are, and what of them matches no purchase.
public struct ReturnTally: Sendable, Equatable {
    /// Returns that were stored.
    public var returns: Int64 = 0
    /// The pieces of all of them.
    public var pieces: Int64 = 0
    /// Returns of which some pieces match no purchase.
    public var partly: Int64 = 0
    /// Returns of which no piece does.
    public var unmatched: Int64 = 0
    /// Pieces that match no purchase.
    public var unmatchedPieces: Int64 = 0

    /// Nothing.
    public init() {}

    /// Makes a tally.
    public init(returns: Int64, pieces: Int64, partly: Int64, unmatched: Int64, unmatchedPieces: Int64) {
        self.returns = returns
        self.pieces = pieces
        self.partly = partly
        self.unmatched = unmatched
        self.unmatchedPieces = unmatchedPieces
    }

    /// Adds what another one counted.
    public static func += (left: inout ReturnTally, right: ReturnTally) {
        left.returns += right.returns
        left.pieces += right.pieces
        left.partly += right.partly
        left.unmatched += right.unmatched
        left.unmatchedPieces += right.unmatchedPieces
    }

    /// The share of the pieces that match no purchase, from 0 to 1.
    public var unmatchedShare: Double { pieces > 0 ? Double(unmatchedPieces) / Double(pieces) : 0 }

    /// What is left over, as a sentence without a full stop; nil where nothing is. Of purchases that came after their returns: how many
    /// of these match now.
    public var sentence: String? {
        if returns == 0, unmatched < 0 { return "returns that came before their purchases and match them now: \(-unmatched)" }
        guard returns > 0, unmatched >= 0, partly >= 0, unmatched + partly > 0 else { return nil }
        let percent = Double(Int64((unmatchedShare * 1_000).rounded())) / 10
        let some = partly > 0 ? ", \(partly) in part" : ""
        return "\(unmatched) of \(returns) returns match no purchase\(some): \(percent) % of the pieces, which are left out"
    }

    /// Adds what one return is: `quantity` pieces of which so many match purchases.
    mutating func count(quantity: Int32, matched: Int32, times: Int64 = 1) {
        returns += times
        pieces += times * Int64(quantity)
        if matched == 0 { unmatched += times } else if matched < quantity { partly += times }
        unmatchedPieces += times * Int64(quantity - matched)
    }

    static let fields = "returns, pieces, partly, unmatched, unmatched_pieces"

    /// Reads a row whose fields from `column` on are ``fields``.
    init(_ rows: QueryResult, _ row: Int, from column: Int) {
        func number(_ place: Int) -> Int64 { rows.int64(row, column + place) ?? 0 }
        self.init(returns: number(0), pieces: number(1), partly: number(2), unmatched: number(3), unmatchedPieces: number(4))
    }

    /// Over all items. Reads a row for each item that ever came back.
    static func all(_ connection: Connection) throws(StoreError) -> ReturnTally {
        let sums = fields.split(separator: ", ").map { SaturatingSum.sql(String($0)) }.joined(separator: ", ")
        return ReturnTally(try connection.run("select \(sums) from item_returns"), 0, from: 0)
    }

    /// Of those of the items that ever came back.
    static func ofItems(_ itemIDs: [String], _ connection: Connection) throws(StoreError) -> [String: ReturnTally] {
        var ids = Parameters()
        ids.add(itemIDs)
        let rows = try connection.run("select item_id, \(fields) from item_returns where item_id = any($1)", ids)
        var result: [String: ReturnTally] = [:]
        for row in 0..<rows.count { result[rows.string(row, 0) ?? ""] = ReturnTally(rows, row, from: 1) }
        return result
    }
}
