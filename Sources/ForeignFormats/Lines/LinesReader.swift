import Interactions

/// The lines of Gorse's and Metarank's exports: one JSON object each.
struct LinesReader: ForeignRows {
    private enum Plan {
        case gorse(GorsePlan)
        case metarank(MetarankPlan)
    }

    private let kind: RecordKind
    private var plan: Plan
    private var scanner: RowScanner
    private var fold = FieldFold()
    /// Rows that wait for the end of the file, in the order of their lines, the last first.
    private var waiting: [ForeignRecord] = []
    private var isFinished = false
    private var isFolded = false
    private var hasRows = false
    /// Why the file cannot be read on, once too much is held.
    private var problem: ForeignProblem?

    /// Whether rows wait for the end: an item's later events change what its earlier ones say.
    private var foldsRows: Bool { if case .metarank = plan { kind == .items || kind == .users } else { false } }

    init(_ format: ForeignFormat, kind: RecordKind, options: ForeignOptions) {
        self.kind = kind
        plan = format == .gorse ? .gorse(GorsePlan(kind, options)) : .metarank(MetarankPlan(kind, options))
        // Nothing parts a line: no JSON has a zero byte.
        scanner = RowScanner(separator: 0, isQuoted: false, rowLimitBytes: options.rowLimitBytes, cellsLimit: 1)
    }

    mutating func feed(_ text: [UInt8]) { scanner.feed { $0.append(contentsOf: text) } }

    mutating func finish() {
        scanner.finish()
        isFinished = true
    }

    mutating func next() throws(ForeignProblem) -> ForeignRecord? {
        while let row = scanner.next() {
            hasRows = true
            let record = record(row)
            if let problem { throw problem }
            guard let record else { continue }
            guard foldsRows else { return record }
            waiting.append(record)
        }
        guard isFinished, foldsRows else { return nil }
        if !isFolded {
            isFolded = true
            let folded = fold.take(kind).map { line, json in
                ForeignRecord(RawRow(line: line, lines: 1, bytes: [], byteCount: 0, cellCount: 0), .record(json), userID: nil)
            }
            waiting = (waiting + folded).sorted { $0.line > $1.line }
        }
        return waiting.popLast()
    }

    private mutating func record(_ row: RawRow) -> ForeignRecord? {
        do throws(Rejection) {
            switch plan {
            case .gorse(var gorse):
                defer { plan = .gorse(gorse) }
                return ForeignRecord(row, .record(try gorse.record(row)), userID: nil)
            case .metarank(var metarank):
                defer { plan = .metarank(metarank) }
                switch try metarank.outcome(row) {
                case .record(let json): return ForeignRecord(row, .record(json), userID: nil)
                case .other: return nil
                case .fields(let id, let time, let members):
                    hold(id, time, members, row.line)
                    return nil
                }
            }
        } catch {
            return ForeignRecord(row, .refused(error), userID: userID(of: row))
        }
    }

    private mutating func hold(_ id: String, _ time: EventTime, _ members: [JSONTree.Member], _ line: Int64) {
        do throws(ForeignProblem) {
            try fold.add(id, time, members, line: line)
        } catch {
            problem = error
        }
    }

    private func userID(of row: RawRow) -> String? {
        switch plan {
        case .gorse(let gorse): gorse.userID(of: row)
        case .metarank(let metarank): metarank.userID(of: row)
        }
    }

    var layout: ForeignLayout? {
        guard hasRows else { return nil }
        return switch plan {
        case .gorse(let gorse): gorse.layout
        case .metarank(let metarank): metarank.layout
        }
    }

    var dates: DateEvidence { if case .gorse(let gorse) = plan { gorse.dates } else { DateEvidence() } }
}
