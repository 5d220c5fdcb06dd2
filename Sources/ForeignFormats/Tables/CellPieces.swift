import Interactions

/// Keeps the refusals of one cell within bounds.
///
/// Where a quote is not closed, or a cell with line breaks is too long, reading goes on at the next line, since good rows may follow.
/// But the cell may have a million lines, and each would be a dead letter. Behind the first ``toldLimit`` refused lines in a row, the
/// others are one.
struct CellPieces: Sendable {
    /// Lines of a cell that are refused one by one.
    static let toldLimit = 100

    private var told = 0
    /// The lines beyond, as one.
    private var joined: (first: ForeignRecord, count: Int)?
    /// A row that was read behind them.
    private var waiting: ForeignRecord?

    /// The row that was read behind joined lines.
    mutating func takeWaiting() -> ForeignRecord? {
        defer { waiting = nil }
        return waiting
    }

    /// Takes what became of a row; nil where it was joined with the ones before it.
    ///
    /// - Parameter isPiece: whether it is refused and stands in what a quote had taken in.
    mutating func take(_ record: ForeignRecord, isPiece: Bool, rowLimitBytes: Int) -> ForeignRecord? {
        told = isPiece ? told + 1 : 0
        guard isPiece, told > Self.toldLimit else {
            guard let before = finish() else { return record }
            waiting = record
            return before
        }
        guard joined != nil else {
            joined = (record, 1)
            return nil
        }
        joined?.count += 1
        joined?.first.join(record, rowLimitBytes: rowLimitBytes)
        return nil
    }

    /// The joined lines as one refused row; nil where there are none.
    mutating func finish() -> ForeignRecord? {
        guard let joined else { return nil }
        self.joined = nil
        var record = joined.first
        guard joined.count > 1, case .refused(var why) = record.outcome else { return record }
        let last = record.line + record.lines
        why.detail += "; so have \(joined.count - 1) more lines, up to line \(last): a quote before them is not closed"
        record.outcome = .refused(why)
        return record
    }
}

extension ForeignRecord {
    var isRefused: Bool { if case .refused = outcome { true } else { false } }

    /// Takes in the lines of another row that follows, and as much of its text as fits.
    fileprivate mutating func join(_ next: ForeignRecord, rowLimitBytes: Int) {
        lines = next.line + next.lines - line
        textBytes += next.textBytes + 1
        if text.count + next.text.count < rowLimitBytes {
            text.append(0x0A)
            text.append(contentsOf: next.text)
        }
    }
}
