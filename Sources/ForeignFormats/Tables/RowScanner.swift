import Interactions

/// Finds the rows of a delimited text (CSV, TSV) in pieces of any size, holding one row at a time.
///
/// Cells are separated by one byte; where `isQuoted`, a cell that begins with `"` goes to the next `"` that is not doubled and may hold
/// separators and line breaks. A quote within a cell that does not begin with one stands for itself. Rows end with `\n`, `\r\n` or `\r`.
///
/// A row that cannot be read costs itself only. Where a quote is not closed within ``rowLimitBytes``, or something other than a separator
/// follows the closing one, or the row would have more cells than the header has, reading goes on at the line behind the row's first line.
struct RowScanner: Sendable {
    /// The longest row in bytes of UTF-8.
    let rowLimitBytes: Int
    /// Whether quotes hold cells together.
    let isQuoted: Bool
    /// What stands between cells.
    var separator: UInt8
    /// Cells of a row at most: those of the header once it is known.
    var cellsLimit: Int

    /// Lines of a quote, in number, beyond which what it had taken in is told as one.
    private static let manyLines = 100

    private enum State {
        case cellStart, plain, quoted, afterQuote
        /// To the end of the line: the row is refused already.
        case skipping
    }

    private var buffer: [UInt8] = []
    /// Where the row begins.
    private var start = 0
    /// Where scanning goes on.
    private var at = 0
    private var cellStart = 0
    private var cells: [Range<Int>] = []
    private var cellCount = 0
    private var state = State.cellStart
    private var problem: Rejection?
    /// Bytes of a line that is too long which were dropped already.
    private var droppedBytes = 0
    /// The end of the row's first line, and where the next one begins, where a quote holds it together with others.
    private var firstLine: (end: Int, next: Int)?
    private var lineBreaks: Int64 = 0
    /// Where the farthest quote that had taken in many lines was given up.
    private var givenUpAt = 0
    private var line: Int64 = 0
    private var isFinished = false

    init(separator: UInt8, isQuoted: Bool, rowLimitBytes: Int, cellsLimit: Int) {
        self.separator = separator
        self.isQuoted = isQuoted
        self.rowLimitBytes = rowLimitBytes
        self.cellsLimit = cellsLimit
    }

    /// Lets `append` add the next piece of the text.
    mutating func feed(_ append: (inout [UInt8]) -> Void) {
        if start > 0 {
            buffer.removeFirst(start)
            at -= start
            cellStart -= start
            cells = cells.map { $0.lowerBound - start..<$0.upperBound - start }
            firstLine = firstLine.map { ($0.end - start, $0.next - start) }
            givenUpAt -= min(start, givenUpAt)
            start = 0
        }
        append(&buffer)
    }

    /// Says that nothing more comes.
    mutating func finish() { isFinished = true }

    /// The next row; nil where more must come first, or nothing does. Blank rows are left out.
    mutating func next() -> RawRow? {
        while true {
            guard at < buffer.count else {
                bound()
                guard isFinished, start < buffer.count || droppedBytes > 0 else { return nil }
                if let row = atEnd() { return row }
                continue
            }
            let byte = buffer[at]
            if byte == 0x0A || byte == 0x0D {
                guard let isEnd = lineBreak(byte) else { return nil }
                guard isEnd else { continue }
                if let row = take(end: at, next: at + breakBytes) { return row }
                continue
            }
            scan(byte)
            if at - start > rowLimitBytes { bound() }
        }
    }

    /// One byte that ends no line.
    private mutating func scan(_ byte: UInt8) {
        switch state {
        case .cellStart where byte == UInt8(ascii: "\"") && isQuoted:
            (state, cellStart) = (.quoted, at)
            at += 1
        case .cellStart, .plain:
            state = .plain
            at += 1
            if byte == separator { endCell(at: at - 1) }
        case .quoted:
            if byte == UInt8(ascii: "\"") { state = .afterQuote }
            at += 1
        case .afterQuote:
            if byte == UInt8(ascii: "\"") {
                state = .quoted
                at += 1
            } else if byte == separator {
                at += 1
                endCell(at: at - 1)
            } else {
                refuse(.malformedRow, "something follows the closing quote of cell \(cellCount + 1): a quote within quotes is doubled")
            }
        case .skipping: at += 1
        }
    }

    private mutating func endCell(at end: Int) {
        if cells.count <= cellsLimit { cells.append(cellStart..<end) }
        cellCount += 1
        cellStart = end + 1
        state = .cellStart
        // A quote that is not meant as one takes line after line in: no row of several lines has more cells than the header.
        if cellCount > cellsLimit, firstLine != nil {
            refuse(.malformedRow, "a quote is not closed: the row would have more than \(cellsLimit) cells")
        }
    }

    /// Refuses the row; reading goes on behind its first line.
    private mutating func refuse(_ code: RejectionCode, _ detail: String) {
        if problem == nil { problem = Rejection(code, detail) }
        state = .skipping
        if let firstLine {
            if lineBreaks > Self.manyLines { givenUpAt = max(givenUpAt, at) }
            at = firstLine.end
            lineBreaks = 0
        }
        firstLine = nil
    }

    /// Whether the break ends the row; nil where the next byte must be there to say.
    private mutating func lineBreak(_ byte: UInt8) -> Bool? {
        if byte == 0x0D, at + 1 == buffer.count, !isFinished { return nil }
        guard state == .quoted else { return true }
        if firstLine == nil { firstLine = (at, at + breakBytes) }
        lineBreaks += 1
        at += breakBytes
        if at - start > rowLimitBytes { refuseUnclosed() }
        return false
    }

    private mutating func refuseUnclosed() {
        refuse(.malformedRow, "a quote that is opened in cell \(cellCount + 1) is not closed within \(rowLimitBytes) bytes")
    }

    /// How many bytes the line break at hand has.
    private var breakBytes: Int { buffer[at] == 0x0D && at + 1 < buffer.count && buffer[at + 1] == 0x0A ? 2 : 1 }

    /// Keeps a row that is too long within its bound: of one line the head is kept and the rest dropped as it comes.
    private mutating func bound() {
        guard at - start > rowLimitBytes else { return }
        guard firstLine == nil else { return refuseUnclosed() }
        state = .skipping
        problem = problem ?? Rejection(.tooLarge, "")
        let surplus = at - start - rowLimitBytes
        // Not byte by byte: what stands behind moves up each time.
        guard surplus >= rowLimitBytes || at == buffer.count else { return }
        buffer.removeSubrange(start + rowLimitBytes..<at)
        if givenUpAt >= at { givenUpAt -= surplus }
        droppedBytes += surplus
        at -= surplus
    }

    private mutating func atEnd() -> RawRow? {
        switch state {
        case .quoted:
            refuse(.malformedRow, "a quote that is opened in cell \(cellCount + 1) is not closed before the end of the file")
            return nil
        default:
            return take(end: buffer.count, next: buffer.count)
        }
    }

    /// The row from its start to `end`; nil of a blank one.
    private mutating func take(end: Int, next: Int) -> RawRow? {
        if state != .skipping {
            endCell(at: end)
            // It had one cell too many, and only its first line is refused.
            if state == .skipping { return nil }
        }
        let kept = min(end, start + rowLimitBytes)
        var row = RawRow(
            line: line, lines: lineBreaks + 1, bytes: Array(buffer[start..<kept]), byteCount: end - start + droppedBytes,
            cellCount: cellCount)
        if problem?.code == .tooLarge {
            problem = Rejection(.tooLarge, "the row has \(row.byteCount) bytes; at most \(rowLimitBytes) are read")
        }
        row.problem = problem
        row.isWithinGivenUp = start < givenUpAt
        if problem == nil { row.cells = cells.map { text(of: $0) } }
        if row.cells.contains(nil) {
            row.problem = Rejection(.malformedRow, "the row is not UTF-8: --encoding names the encoding of a file in another one")
        }
        line += lineBreaks + 1
        start = next
        at = next
        cellStart = next
        cells.removeAll(keepingCapacity: true)
        (cellCount, state, problem, droppedBytes, firstLine, lineBreaks) = (0, .cellStart, nil, 0, nil, 0)
        return row.isBlank ? nil : row
    }

    /// The text of a cell; nil where it is no UTF-8.
    private func text(of cell: Range<Int>) -> String? {
        guard isQuoted, !cell.isEmpty, buffer[cell.lowerBound] == UInt8(ascii: "\"") else {
            return String(validating: buffer[cell], as: UTF8.self)
        }
        let inner = buffer[cell.lowerBound + 1..<cell.upperBound - 1]
        guard inner.contains(UInt8(ascii: "\"")) else { return String(validating: inner, as: UTF8.self) }
        var plain: [UInt8] = []
        var isSecond = false
        for byte in inner {
            if byte == UInt8(ascii: "\""), isSecond { isSecond = false; continue }
            isSecond = byte == UInt8(ascii: "\"")
            plain.append(byte)
        }
        return String(validating: plain, as: UTF8.self)
    }
}
