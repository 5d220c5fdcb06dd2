import Interactions

/// The rows of a table: its separator is found, its header read, and each row becomes a record by a plan.
struct TableReader: ForeignRows {
    private enum Plan {
        case record(RecordPlan)
        case offer(MerchantPlan, columns: [String])
    }

    private let format: ForeignFormat
    private let kind: RecordKind
    private let options: ForeignOptions
    /// The beginning of the text, until the separator is known.
    private var head: [UInt8] = []
    private var scanner: RowScanner?
    private var plan: Plan?
    private var isFinished = false
    /// Whether the first line is Excel's `sep=;`, which names the separator and is no row.
    private var isExcelLineAhead = false
    private var pieces = CellPieces()

    init(_ format: ForeignFormat, kind: RecordKind, options: ForeignOptions) {
        self.format = format
        self.kind = kind
        self.options = options
    }

    mutating func feed(_ text: [UInt8]) {
        if scanner == nil { head.append(contentsOf: text) } else { scanner?.feed { $0.append(contentsOf: text) } }
    }

    mutating func finish() {
        isFinished = true
        scanner?.finish()
    }

    mutating func next() throws(ForeignProblem) -> ForeignRecord? {
        if scanner == nil { begin() }
        if let known = pieces.takeWaiting() { return known }
        while let row = scanner?.next() {
            if isExcelLineAhead {
                isExcelLineAhead = false
                continue
            }
            if plan == nil {
                try readHeader(row)
                // Without a header the first row is one like the others.
                if options.hasHeader || format != .csv { continue }
            }
            let made = record(row)
            if let made = pieces.take(made, isPiece: row.isWithinGivenUp && made.isRefused, rowLimitBytes: options.rowLimitBytes) {
                return made
            }
        }
        return isFinished ? pieces.finish() : nil
    }

    /// Starts the scanner once the first line is whole.
    private mutating func begin() {
        guard let separator = separator() else { return }
        var rows = RowScanner(
            separator: separator, isQuoted: format != .recbole, rowLimitBytes: options.rowLimitBytes,
            cellsLimit: ForeignOptions.columnsLimit)
        rows.feed { $0.append(contentsOf: head) }
        if isFinished { rows.finish() }
        scanner = rows
        head = []
    }

    /// The separator, once that is known: what is said, what Excel's own line names, or what is found.
    private mutating func separator() -> UInt8? {
        guard format == .csv else { return options.separator ?? 0x09 }
        let start = head.prefix(16)
        let isEnough = isFinished || start.count == 16
        guard let end = start.firstIndex(where: { $0 == 0x0A || $0 == 0x0D }) ?? (isEnough ? start.count : nil) else { return nil }
        let line = start[..<end].filter { $0 != UInt8(ascii: "\"") && $0 != 0x20 }
        guard line.count == 5, String(decoding: line.prefix(4), as: UTF8.self).lowercased() == "sep=", line[4] >= 0x20 || line[4] == 0x09
        else { return options.separator ?? detected() }
        isExcelLineAhead = true
        return options.separator ?? line[4]
    }

    /// The separator that stands most often in the first line that has something in it, outside of quotes; a comma where there is none.
    private func detected() -> UInt8? {
        var counts: [UInt8: Int] = [:]
        var isQuoted = false, isBlank = true, isWhole = false
        for byte in head {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if (byte == 0x0A || byte == 0x0D), !isQuoted, !isBlank { isWhole = true; break }
            if byte > 0x20 { isBlank = false }
            if !isQuoted { counts[byte, default: 0] += 1 }
        }
        guard isWhole || isFinished || head.count > options.rowLimitBytes else { return nil }
        let candidates = [UInt8(ascii: ","), UInt8(ascii: ";"), 0x09, UInt8(ascii: "|")]
        // The first of equals wins.
        return candidates.reversed().max { counts[$0, default: 0] < counts[$1, default: 0] }
    }

    private mutating func readHeader(_ row: RawRow) throws(ForeignProblem) {
        if let problem = row.problem { throw ForeignProblem("the first row cannot be read: \(problem.detail)") }
        guard row.cellCount <= ForeignOptions.columnsLimit else {
            throw ForeignProblem("the first row has \(row.cellCount) cells; at most \(ForeignOptions.columnsLimit) columns are read")
        }
        let separator = scanner?.separator ?? UInt8(ascii: ",")
        let names = row.cells.map { CellReader.trimmed($0 ?? "") }
        switch format {
        case .recbole:
            let header = try RecBoleHeader(names)
            plan = .record(
                try RecordPlan(
                    kind, columns: header.columns, entries: try header.entries(kind, options.maps), options: options, separator: separator))
        case .merchant:
            let columns = names.map(MerchantOffer.plain)
            guard columns.contains("id") else {
                throw ForeignProblem("no column is id: the first row of a table names Google's attributes, such as id, title, price")
            }
            var offers = MerchantPlan(options, separator: separator)
            offers.note(columns)
            plan = .offer(offers, columns: columns)
        default:
            let columns = options.hasHeader ? names : names.indices.map { "#\($0 + 1)" }
            let entries = try RecordPlan.entries(options.maps, columns: columns, kind: kind)
            plan = .record(try RecordPlan(kind, columns: columns, entries: entries, options: options, separator: separator))
        }
        scanner?.cellsLimit = row.cellCount
    }

    private mutating func record(_ row: RawRow) -> ForeignRecord {
        do throws(Rejection) {
            return ForeignRecord(row, .record(try json(row)), userID: nil)
        } catch {
            var user: String?
            if case .record(let plan) = plan { user = plan.userID(of: row) }
            return ForeignRecord(row, .refused(error), userID: user)
        }
    }

    private mutating func json(_ row: RawRow) throws(Rejection) -> [UInt8] {
        switch plan {
        case .record(var records):
            defer { plan = .record(records) }
            return try records.record(row)
        case .offer(var offers, let columns):
            try row.check(columns: columns.count)
            var offer = MerchantOffer()
            for (name, cell) in zip(columns, row.cells) { offer.add(name, cell ?? "") }
            defer { plan = .offer(offers, columns: columns) }
            return try offers.record(offer)
        case nil: return []
        }
    }

    var layout: ForeignLayout? {
        switch plan {
        case .record(let records): records.layout(separator: scanner?.separator)
        case .offer(let offers, _): offers.layout
        case nil: nil
        }
    }

    var dates: DateEvidence { if case .record(let records) = plan { records.dates } else { DateEvidence() } }
}
