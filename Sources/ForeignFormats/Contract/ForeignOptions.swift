import Interactions

/// What the one who imports says of a file beyond its format.
public struct ForeignOptions: Sendable {
    /// Where fields come from, beside columns that are named like them.
    public var maps: [FieldMap] = []
    /// What stands between cells of a table; nil finds it in the first row.
    public var separator: UInt8?
    /// Whether the first row names the columns.
    public var hasHeader = true
    /// The decimal mark.
    public var decimalMark = DecimalMark.auto
    /// How times are read.
    public var times = TimeRules()
    /// What stands between the elements of a list in a cell.
    public var listSeparator = "|"
    /// What names of event types mean: a purchase of a negative quantity is a return.
    public var typeNames = DecodingRules.canonicalTypeNames
    /// The currency of amounts that name none, for what it has for cents.
    public var defaultCurrency = "USD"
    /// The moment of the import, for offers that are limited in time.
    public var now = EventTime(milliseconds: 0)
    /// The longest row, line or element in bytes of UTF-8; longer ones are refused.
    public var rowLimitBytes = 1 << 20

    /// Columns of a table at most.
    public static let columnsLimit = 4_096

    /// Nothing said.
    public init() {}
}

extension ForeignOptions {
    /// What was said, as a text: equal where a file is read into the same records. Names of types and the moment are not part of it.
    public var reading: String {
        let named = maps.map { map in
            switch map.source {
            case .column(let name): "\(map.field)=\(name)"
            case .place(let place): "\(map.field)=#\(place)"
            case .constant(let text): "\(map.field)=\"\(text)\""
            }
        }
        return (named.sorted() + [
            "\(separator ?? 0)", "\(hasHeader)", decimalMark.rawValue, times.order.rawValue, times.unit?.rawValue ?? "auto",
            times.zone?.name ?? "UTC", listSeparator,
        ]).joined(separator: "\n")
    }
}
