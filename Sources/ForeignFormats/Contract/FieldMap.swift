/// Where a field of records comes from, as `--map FIELD=COLUMN` says.
public struct FieldMap: Sendable, Equatable {
    enum Source: Equatable {
        /// The column of this name.
        case column(String)
        /// The column at this place, counted from 1.
        case place(Int)
        /// The same text in every row.
        case constant(String)
    }

    /// The field: `user_id`, `attributes.brand`, or `attributes.weight:number`.
    var field: String
    var source: Source

    /// Reads `FIELD=COLUMN`, `FIELD=#3` or `FIELD="constant"`.
    ///
    /// - Throws: ``ForeignProblem``.
    public init(_ text: String) throws(ForeignProblem) {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw ForeignProblem("--map takes FIELD=COLUMN, not '\(text)'")
        }
        field = String(text[..<equals])
        let value = text[text.index(after: equals)...]
        if value.utf8.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") {
            source = .constant(String(value.dropFirst().dropLast()))
        } else if value.hasPrefix("#"), let place = Int(value.dropFirst()), place > 0 {
            source = .place(place)
        } else if value.isEmpty {
            throw ForeignProblem("--map \(text) names no column: --map \(field)=COLUMN, or \(field)='\"constant\"'")
        } else {
            source = .column(String(value))
        }
    }

    init(field: String, source: Source) {
        self.field = field
        self.source = source
    }
}
