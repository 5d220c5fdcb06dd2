import Bytes
import Interactions

/// How rows of a table become records of one kind: which cell is which field.
struct RecordPlan: Sendable {
    /// A field with where it comes from.
    struct Entry: Sendable {
        var field: RecordField
        /// The place of the column, counted from 0; nil of a constant.
        var column: Int?
        var constant: String?
    }

    let kind: RecordKind
    /// The names of the columns.
    let columns: [String]
    /// In the order in which fields are written, free members last.
    let entries: [Entry]
    private var cells: CellReader
    private let typeNames: [String: InteractionType]
    private let defaultCurrency: String

    /// What the dates that were read tell.
    var dates: DateEvidence { cells.times.evidence }

    /// Makes a plan of entries; they are brought into order.
    ///
    /// - Throws: ``ForeignProblem`` where a field that every record needs comes from nowhere.
    init(_ kind: RecordKind, columns: [String], entries: [Entry], options: ForeignOptions, separator: UInt8) throws(ForeignProblem) {
        self.kind = kind
        self.columns = columns
        let order = RecordField.all(of: kind).map(\.name)
        let placed = entries.enumerated().map { place, entry in
            (rank: order.firstIndex(of: entry.field.name) ?? .max, place: place, entry: entry)
        }
        self.entries = placed.sorted { ($0.rank, $0.place) < ($1.rank, $1.place) }.map(\.entry)
        cells = CellReader(options, separator: separator)
        typeNames = options.typeNames
        defaultCurrency = options.defaultCurrency
        let missing = RecordField.required(of: kind).filter { name in
            !entries.contains { $0.field.name == name || name == "user_id" && kind == .events && $0.field.name == "session_id" }
        }
        guard missing.isEmpty else {
            let names = missing.count == 1 ? missing[0] : missing.dropLast().joined(separator: ", ") + " or \(missing[missing.count - 1])"
            let maps = missing.map { "--map \($0)=COLUMN" }.joined(separator: " ")
            let constant = missing.contains("type") ? ", or --map type='\"purchase\"' where all rows are of one type" : ""
            throw ForeignProblem(
                "no column is \(names), which \(kind.rawValue) need: say where they stand with \(maps)\(constant). "
                    + "The columns are \(columns.map { $0.isEmpty ? "(no name)" : $0 }.joined(separator: ", "))")
        }
    }

    /// The entries that `maps` and columns with the names of fields give. A map wins over a column's own name.
    ///
    /// - Throws: ``ForeignProblem`` where a map names a field or a column that there is not, or two maps one field.
    static func entries(_ maps: [FieldMap], columns: [String], kind: RecordKind) throws(ForeignProblem) -> [Entry] {
        var entries: [Entry] = []
        for map in maps {
            let field = try RecordField.named(map.field, of: kind)
            guard !entries.contains(where: { $0.field.name == field.name }) else {
                throw ForeignProblem("--map gives \(field.name) twice: leave one out")
            }
            switch map.source {
            case .constant(let text): entries.append(Entry(field: field, column: nil, constant: text))
            case .place(let place):
                guard place <= columns.count else { throw ForeignProblem("--map names column #\(place), but there are \(columns.count)") }
                entries.append(Entry(field: field, column: place - 1))
            case .column(let name): entries.append(Entry(field: field, column: try Self.place(of: name, in: columns, for: field)))
            }
        }
        // First as they are written, then in any case: User_ID is the user_id where no column is.
        for isExact in [true, false] {
            for (place, name) in columns.enumerated() {
                let wanted = isExact ? name : name.lowercased()
                guard isExact || name != wanted && !name.contains("."), let field = try? RecordField.named(wanted, of: kind),
                    !entries.contains(where: { $0.field.name == field.name })
                else { continue }
                let places = columns.indices.filter { isExact ? columns[$0] == name : columns[$0].lowercased() == wanted }
                guard places.count == 1 else {
                    let choices = places.map { "--map '\(field.name)=#\($0 + 1)'" }.joined(separator: " or ")
                    throw ForeignProblem("the column \(name) stands \(places.count) times: say which one it is by its place, \(choices)")
                }
                entries.append(Entry(field: field, column: place))
            }
        }
        return entries
    }

    private static func place(of name: String, in columns: [String], for field: RecordField) throws(ForeignProblem) -> Int {
        let exact = columns.indices.filter { columns[$0] == name }
        let found = exact.isEmpty ? columns.indices.filter { columns[$0].lowercased() == name.lowercased() } : exact
        if found.count == 1 { return found[0] }
        guard found.isEmpty else {
            let places = found.map { "#\($0 + 1)" }.joined(separator: " or ")
            throw ForeignProblem("the column \(name) stands \(found.count) times: name one by its place, \(places)")
        }
        let near = NearestName.of(name, among: columns).map { " Did you mean \($0)?" }
            ?? " A text that all rows share stands in double quotes: --map \(field.written)='\"\(unquoted(name))\"'."
        throw ForeignProblem("there is no column \(name).\(near) The columns are \(columns.joined(separator: ", "))")
    }

    private static func unquoted(_ name: String) -> String { name.filter { $0 != "'" && $0 != "\"" } }

    /// The record of a row as JSON, or why there is none. An event without an id gets one of the row's text and line.
    mutating func record(_ row: RawRow) throws(Rejection) -> [UInt8] {
        try row.check(columns: columns.count)
        var members: [(field: RecordField, json: String)] = []
        var currency: String?
        for entry in entries {
            let cell = entry.column.map { row.cells[$0] ?? "" } ?? entry.constant ?? ""
            guard let text = CellReader.present(cell) else { continue }
            let (json, found) = try cells.json(text, entry.field)
            members.append((entry.field, json))
            if let found { currency = found }
        }
        if kind == .events { takeBack(&members) }
        if let currency {
            if let named = members.first(where: { $0.field.name == "currency" }) {
                guard named.json.uppercased() == JSONText.quoted(currency) else {
                    throw Rejection(.malformedRow, field: "currency", "is \(named.json), and the amount is written in \(currency)")
                }
            } else {
                members.append((RecordField(name: "currency", value: .currency), JSONText.quoted(currency)))
            }
        }
        try scale(&members)
        if kind == .events, !members.contains(where: { $0.field.name == "event_id" }) {
            members.insert((RecordField(name: "event_id", value: .text), JSONText.quoted(row.derivedID)), at: 0)
        }
        return Self.object(members)
    }

    /// What each column becomes, constants last.
    func layout(separator: UInt8?) -> ForeignLayout {
        var found = columns.enumerated().map { place, name in
            let fields = entries.filter { $0.column == place }.map(\.field.written)
            return ForeignLayout.Column(name: name, field: fields.isEmpty ? nil : fields.joined(separator: ", "))
        }
        for entry in entries where entry.column == nil {
            found.append(ForeignLayout.Column(name: "", field: entry.field.written, constant: entry.constant))
        }
        return ForeignLayout(kind: kind, separator: separator, columns: found)
    }

    /// The id of the user whom a row names, or the session that stands for one; nil where that cannot be read.
    func userID(of row: RawRow) -> String? {
        func text(_ field: String) -> String? {
            guard let entry = entries.first(where: { $0.field.name == field }) else { return nil }
            let cell = entry.column.flatMap { row.cells.indices.contains($0) ? row.cells[$0] : nil } ?? entry.constant
            return cell.flatMap(CellReader.present)
        }
        if let user = text("user_id") {
            guard let space = text("id_space"), DecodingRules.problem(ofIDSpace: space) == nil else { return user }
            return DecodingRules.prefix(ofIDSpace: space) + user
        }
        return text("session_id").map { DecodingRules.sessionPrefix + $0 }
    }

    /// A purchase of a negative quantity is a return of as many.
    private func takeBack(_ members: inout [(field: RecordField, json: String)]) {
        guard let quantity = members.firstIndex(where: { $0.field.name == "quantity" }), members[quantity].json.hasPrefix("-"),
            let type = members.firstIndex(where: { $0.field.name == "type" }),
            let name = JSONText.string("t", inObject: "{\"t\":\(members[type].json)}"), typeNames[name] == .purchase
        else { return }
        members[type].json = "\"return\""
        members[quantity].json.removeFirst()
    }

    /// Amounts of cents become amounts of the record's currency.
    private func scale(_ members: inout [(field: RecordField, json: String)]) throws(Rejection) {
        for place in members.indices where members[place].field.value == .minorMoney {
            let named = members.first { $0.field.name == "currency" }
            let code = named.flatMap { JSONText.string("c", inObject: "{\"c\":\($0.json)}") } ?? defaultCurrency
            guard let amount = Currency.amount(ofMinorUnits: members[place].json, Currency.code(code) ?? defaultCurrency) else {
                throw Rejection(
                    .malformedRow, field: members[place].field.name,
                    "\(members[place].json) is no whole number of minor units, such as 1999")
            }
            members[place].json = amount
        }
    }

    private static func object(_ members: [(field: RecordField, json: String)]) -> [UInt8] {
        var writer = JSONWriter(reservingBytes: 256)
        writer.object { object in
            for member in members where member.field.member == nil {
                object.key(data: member.field.name)
                object.raw(member.json)
            }
            let free = members.compactMap { member in member.field.member.map { (object: $0.object, name: $0.name, json: member.json) } }
            guard let first = free.first else { return }
            object.key(data: first.object)
            object.object { inner in
                for member in free {
                    inner.key(data: member.name)
                    inner.raw(member.json)
                }
            }
        }
        return writer.bytes
    }
}

extension RawRow {
    /// The id of an event that has none: of the row's text and its line, so that the same file counts once under any name, and a row that
    /// stands twice in it is two events.
    var derivedID: String { "file:\(Hexadecimal.text(bytes.withUnsafeBytes(FileChecksum.of))):\(line)" }

    /// Refuses a row that cannot be read, or has another number of cells than there are columns.
    func check(columns: Int) throws(Rejection) {
        if let problem { throw problem }
        guard cellCount == columns || hasBlankSurplus(over: columns) else {
            throw Rejection(.malformedRow, "the row has \(cellCount) cells, and there are \(columns) columns")
        }
    }

    /// Whether all cells beyond so many are empty, as separators at the end of lines leave them.
    private func hasBlankSurplus(over count: Int) -> Bool {
        cellCount > count && cellCount == cells.count && cells[count...].allSatisfy { $0.map { CellReader.trimmed($0).isEmpty } ?? false }
    }
}
