import Interactions

/// The header of an atomic file of RecBole: `user_id:token	item_id:token	rating:float	timestamp:float`.
///
/// `token` is a text, `token_seq` several between spaces, `float` a number and `float_seq` several.
struct RecBoleHeader {
    /// The names without types.
    let columns: [String]
    private let types: [String]

    /// - Throws: ``ForeignProblem`` where a cell has no type, or one that RecBole has not.
    init(_ cells: [String]) throws(ForeignProblem) {
        var columns: [String] = [], types: [String] = []
        for cell in cells {
            guard let colon = cell.lastIndex(of: ":") else {
                throw ForeignProblem("the header's \(cell) has no type: RecBole writes user_id:token, between tabs. Is it another format?")
            }
            let type = String(cell[cell.index(after: colon)...])
            guard ["token", "token_seq", "float", "float_seq"].contains(type) else {
                throw ForeignProblem("the header's \(cell) has the type \(type); RecBole has token, token_seq, float and float_seq")
            }
            columns.append(String(cell[..<colon]))
            types.append(type)
        }
        self.columns = columns
        self.types = types
    }

    /// What each column becomes: a field of its name, `context.NAME` of events and `attributes.NAME` of items and users. A title in several
    /// words is one text, `class`, `genre` and `genres` are categories, and events are clicks unless a map says otherwise.
    ///
    /// - Throws: ``ForeignProblem`` where a map names what there is not.
    func entries(_ kind: RecordKind, _ maps: [FieldMap]) throws(ForeignProblem) -> [RecordPlan.Entry] {
        var entries = try RecordPlan.entries(maps, columns: columns, kind: kind)
        for (place, name) in columns.enumerated() where !name.isEmpty {
            if let known = entries.firstIndex(where: { $0.column == place }) {
                // Lists stand between spaces here, and an embedding is one of numbers anyway.
                if entries[known].field.value == .list { entries[known].field.value = .words }
                continue
            }
            let field = field(name, types[place], kind)
            if !entries.contains(where: { $0.field.name == field.name }) { entries.append(RecordPlan.Entry(field: field, column: place)) }
        }
        if kind == .events, !entries.contains(where: { $0.field.name == "type" }) {
            entries.append(RecordPlan.Entry(field: RecordField(name: "type", value: .text), column: nil, constant: "click"))
        }
        return entries
    }

    private func field(_ name: String, _ type: String, _ kind: RecordKind) -> RecordField {
        if kind == .items {
            if name == "title" || name.hasSuffix("_title") { return RecordField(name: "title", value: .text) }
            if ["class", "genre", "genres", "category"].contains(name) {
                return RecordField(name: "categories", value: type == "token_seq" ? .words : .text)
            }
        }
        let value: RecordField.Value = switch type {
        case "float": .number
        case "float_seq": .numbers
        case "token_seq": .words
        default: .text
        }
        return RecordField(name: "\(RecordField.freeObject(of: kind)).\(name)", value: value)
    }
}
