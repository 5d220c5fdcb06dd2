import ArgumentParser
import ForeignFormats
import Interactions
import Settings

extension ForeignFormat: ExpressibleByArgument {}
extension RecordKind: ExpressibleByArgument {}
extension DecimalMark: ExpressibleByArgument {}
extension TimeRules.Order: ExpressibleByArgument {}

/// How another system's files are read.
struct ImportOptions: ParsableArguments {
    @Option(help: "What wrote the files: \(ForeignFormat.allCases.map(\.rawValue).joined(separator: ", ")).")
    var format: ForeignFormat
    @Option(help: "What the rows become: events, items or users; where it is missing the format or the file's name says it.")
    var kind: RecordKind?
    @Option(
        help: ArgumentHelp(
            "Where a field comes from: a column, #3 for the third, or a constant, '\"purchase\"'; may be repeated.",
            valueName: "field=column"))
    var map: [String] = []
    @Option(help: "What stands between cells: comma, semicolon, tab, bar or a character. Found in the first row otherwise.")
    var separator: String?
    @Flag(name: .customLong("no-header"), help: "The first row is a row like the others; columns are called #1, #2 and so on.")
    var noHeader = false
    @Option(name: .customLong("encoding"), help: "utf-8, utf-16le, utf-16be or windows-1252 (Latin-1). Found in the file otherwise.")
    var encodingName: String?
    @Option(help: "The decimal mark: auto, point or comma.") var decimal = DecimalMark.auto
    @Option(help: "What stands first in dates such as 3/4/2021: auto (by the file's other dates), mdy or dmy.")
    var dates = TimeRules.Order.auto
    @Option(
        name: .customLong("time-unit"),
        help: "What times that are numbers count: auto (by their size), s, ms, us or ns; rfc3339 takes no numbers.")
    var timeUnitName = "auto"
    @Option(help: "The zone of times that have no offset: Europe/Berlin, or an offset such as +02:00.") var zone = "UTC"
    @Option(name: .customLong("list-separator"), help: "What stands between the elements of a list in a cell.") var listSeparator = "|"

    func validate() throws {
        guard kind != .impressions else { throw ValidationError("--kind takes events, items or users") }
        guard encodingName == nil || encoding != nil else {
            throw ValidationError(
                "--encoding is \(encodingName ?? ""), but takes \(ForeignEncoding.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard timeUnitName == "auto" || TimeUnit(rawValue: timeUnitName) != nil else {
            let known = ["auto"] + TimeUnit.allCases.map(\.rawValue)
            throw ValidationError("--time-unit is \(timeUnitName), but takes \(known.joined(separator: ", "))")
        }
        guard ZoneTable.zone(zone) != nil else {
            let near = ZoneTable.nearest(zone).map { "; did you mean \($0)?" } ?? ""
            throw ValidationError(
                "--zone is \(zone), but takes a time zone's name, such as Europe/Berlin, or an offset, such as +02:00\(near)")
        }
        guard !listSeparator.isEmpty else { throw ValidationError("--list-separator is empty") }
        _ = try separatorByte()
    }

    /// How characters are written; nil finds out.
    var encoding: ForeignEncoding? { encodingName.flatMap(ForeignEncoding.init(name:)) }

    private func separatorByte() throws -> UInt8? {
        guard let separator else { return nil }
        let named: [String: UInt8] = [
            "comma": UInt8(ascii: ","), "semicolon": UInt8(ascii: ";"), "tab": 0x09, "\\t": 0x09, "bar": UInt8(ascii: "|"),
        ]
        if let byte = named[separator] { return byte }
        guard separator.utf8.count == 1, let byte = separator.utf8.first, byte >= 0x20 || byte == 0x09, byte != UInt8(ascii: "\"") else {
            throw ValidationError("--separator is '\(separator)', but takes comma, semicolon, tab, bar or one ASCII character")
        }
        return byte
    }

    /// The options as the reader takes them.
    func foreignOptions(_ rules: DecodingRules, now: EventTime) throws -> ForeignOptions {
        var own = ForeignOptions()
        do {
            own.maps = try map.map { try FieldMap($0) }
        } catch let problem as ForeignProblem {
            throw ValidationError(problem.description)
        }
        own.separator = try separatorByte()
        own.hasHeader = !noHeader
        own.decimalMark = decimal
        own.times = TimeRules(order: dates, unit: TimeUnit(rawValue: timeUnitName), zone: ZoneTable.zone(zone))
        own.listSeparator = listSeparator
        own.typeNames = rules.typeNames
        own.defaultCurrency = rules.defaultCurrency
        own.now = now
        own.rowLimitBytes = max(own.rowLimitBytes, rules.maxRecordBytes)
        return own
    }
}
