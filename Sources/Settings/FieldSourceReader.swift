import Bytes
import Interactions

/// Reads what the fields of a mapped topic are made of.
struct FieldSourceReader {
    let reader: TopicMappingReader
    let kind: MappedKind

    private static let keys = ["path", "first", "constant", "default", "map", "unit", "zone", "minor_units", "prefix", "scale"]
    private static let example = "a path, a list of paths, or {path: …, default: …}"

    func fields(_ node: MappingNode) throws(ConfigurationError) -> [String: FieldSource] {
        let entries = try reader.map(node, "fields", keys: nil, "{user_id: user.id, item_id: sku}")
        let beginning = kind.object + ".", known = kind.fields.map(\.name)
        var sources: [String: FieldSource] = [:]
        for (name, value) in entries.sorted(by: { ($0.value.line ?? 0, $0.key) < ($1.value.line ?? 0, $1.key) }) {
            if name.hasPrefix(beginning), name.utf8.count > beginning.utf8.count {
                sources[name] = try source(value, "fields.\(name)", takes: .other)
            } else if let field = kind.field(name) {
                sources[name] = try source(value, "fields.\(name)", takes: field.takes)
            } else {
                throw reader.refusal(
                    value, "fields", "has \(JSONText.quoted(String(name.prefix(64)))), which no record of \(kind.rawValue) has: "
                        + "\(known.joined(separator: ", ")), \(beginning)NAME", among: known, name)
            }
        }
        guard sources.count <= known.count + TopicMappingReader.entriesLimit else {
            throw reader.refusal(node, "fields", "has more than \(TopicMappingReader.entriesLimit) members of \(kind.object)")
        }
        return sources
    }

    private func source(_ node: MappingNode, _ name: String, takes: MappedField.Takes) throws(ConfigurationError) -> FieldSource {
        switch node.content {
        case .scalar:
            if let value = node.value, value.first != "\"" {
                throw reader.refusal(
                    node, name, "is \(node.shape), which is no path: write {constant: \(node.shape)} for every record's value")
            }
            return FieldSource(paths: [try reader.path(node, name)])
        case .list: return FieldSource(paths: try paths(node, name))
        case .null: throw reader.refusal(node, name, "is nothing: write \(Self.example)")
        case .map: return try detailed(node, name, takes)
        }
    }

    private func paths(_ node: MappingNode, _ name: String) throws(ConfigurationError) -> [RecordPath] {
        guard case .list(let items) = node.content else { return [try reader.path(node, name)] }
        guard (1...TopicMappingReader.pathsLimit).contains(items.count) else {
            throw reader.refusal(
                node, name,
                "lists \(items.count) paths, but takes 1 to \(TopicMappingReader.pathsLimit), of which the first with a value counts")
        }
        var paths: [RecordPath] = []
        for (number, item) in items.enumerated() { paths.append(try reader.path(item, "\(name)[\(number)]")) }
        return paths
    }

    private func detailed(_ node: MappingNode, _ name: String, _ takes: MappedField.Takes) throws(ConfigurationError) -> FieldSource {
        let entries = try reader.map(node, name, keys: Self.keys, Self.example)
        let places = ["path", "first", "constant"].filter { entries[$0] != nil }
        guard places.count == 1 else {
            throw reader.refusal(
                node, name, "has \(places.isEmpty ? "no path" : places.joined(separator: " and ")): write one of path, first and constant")
        }
        var source = FieldSource()
        if let path = entries["path"] { source.paths = try paths(path, name + ".path") }
        if let first = entries["first"] { source.paths = try paths(first, name + ".first") }
        if let constant = entries["constant"] {
            source.otherwise = try json(constant, name + ".constant")
            try check(source.otherwise, constant, name + ".constant", takes)
            if let other = entries.keys.sorted().first(where: { $0 != "constant" }) {
                throw reader.refusal(node, name, "has constant and \(other): a constant is every record's value as it stands")
            }
        }
        if let fallback = entries["default"] {
            source.otherwise = try json(fallback, name + ".default")
            try check(source.otherwise, fallback, name + ".default", takes)
        }
        if source.otherwise != nil, name == "fields.event_id" {
            throw reader.refusal(node, name, "has one value for many records, but each event has an id of its own")
        }
        if let words = entries["map"] { source.words = try self.words(words, name + ".map") }
        try convert(&source, entries, node, name, takes)
        return source
    }

    /// Refuses a value for many records that no record may have. Types are checked where they are used: `ingest.event_types` adds some.
    private func check(
        _ json: String?, _ node: MappingNode, _ name: String, _ takes: MappedField.Takes
    ) throws(ConfigurationError) {
        guard let json else { return }
        let text = json.first == "\"" ? String(json.dropFirst().dropLast()) : json
        let wanted: String?
        switch takes {
        case .money, .number:
            let number = Double(text)
            wanted = number.map { $0.isFinite && $0 >= 0 } == true ? nil : "a number that is not negative"
        case .time: wanted = EventTime(rfc3339: text) != nil || Int64(text) != nil ? nil : "a time (RFC 3339, or milliseconds since 1970)"
        case .boolean: wanted = text == "true" || text == "false" ? nil : "true or false"
        case .word where name.hasPrefix("fields.currency."):
            let isCode = text.utf8.count == 3 && text.utf8.allSatisfy { (0x41...0x5A).contains($0) }
            wanted = isCode ? nil : "a currency's code of three capitals, such as EUR"
        case .id, .word, .object, .other: wanted = nil
        }
        if let wanted { throw reader.refusal(node, name, "is \(node.shape), but takes \(wanted)") }
    }

    private func convert(
        _ source: inout FieldSource, _ entries: [String: MappingNode], _ node: MappingNode, _ name: String, _ takes: MappedField.Takes
    ) throws(ConfigurationError) {
        for (key, fitting, what) in [
            ("unit", MappedField.Takes.time, "times"), ("zone", .time, "times"), ("minor_units", .money, "amounts of money"),
            ("prefix", .id, "ids"), ("scale", .money, "amounts of money"),
        ] {
            guard let entry = entries[key] else { continue }
            guard takes == fitting else { throw reader.refusal(entry, "\(name).\(key)", "is for \(what) only") }
            guard source.words == nil else {
                throw reader.refusal(node, name, "has map and \(key): values that are replaced need no \(key)")
            }
        }
        if name == "fields.event_id", source.words != nil {
            throw reader.refusal(node, name, "has map, but each event has an id of its own")
        }
        if let unit = entries["unit"] {
            let units = TimeUnit.allCases.map(\.rawValue)
            guard let known = TimeUnit(rawValue: try reader.text(unit, name + ".unit")) else {
                throw reader.refusal(
                    unit, name + ".unit", "is \(unit.shape), but takes \(units.joined(separator: ", "))", among: units, unit.text)
            }
            source.unit = known
        }
        if let zone = entries["zone"] {
            if let unit = source.unit, unit != .rfc3339 {
                throw reader.refusal(node, name, "has zone and unit \(unit.rawValue): what counts from 1970 is in no zone")
            }
            source.zone = try self.zone(zone, name + ".zone")
        }
        if let minor = entries["minor_units"] {
            guard let word = minor.text.flatMap(BooleanText.word) else {
                throw reader.refusal(minor, name + ".minor_units", "is \(minor.shape), but takes true or false")
            }
            source.isInMinorUnits = word == "true"
        }
        if let scale = entries["scale"] {
            guard let digits = scale.text.flatMap({ Int($0) }), (0...TypedText.scaleLimit).contains(digits) else {
                throw reader.refusal(
                    scale, name + ".scale", "is \(scale.shape), but takes digits behind the point, 0 to \(TypedText.scaleLimit)")
            }
            guard !source.isInMinorUnits else {
                throw reader.refusal(node, name, "has minor_units and scale: a decimal's scale says where its point is")
            }
            source.scale = digits
        }
        if let prefix = entries["prefix"] { source.prefix = try reader.text(prefix, name + ".prefix") }
    }

    private func zone(_ node: MappingNode, _ name: String) throws(ConfigurationError) -> LocalZone {
        let text = try reader.text(node, name)
        guard let zone = ZoneTable.zone(text) else {
            throw reader.refusal(
                node, name, "is \(node.shape), but takes the name of a time zone, such as Europe/Berlin, or an offset, such as +01:00"
                    + (ZoneTable.nearest(text).map { "; did you mean \($0)?" } ?? ""))
        }
        return zone
    }

    private func words(_ node: MappingNode, _ name: String) throws(ConfigurationError) -> [String: String] {
        let entries = try reader.map(node, name, keys: nil, "{view_item: click, purchase: purchase}")
        guard !entries.isEmpty else { throw reader.refusal(node, name, "is empty, so that every value would be refused") }
        var words: [String: String] = [:]
        for (word, value) in entries { words[word] = try json(value, "\(name).\(word)") }
        return words
    }

    /// A plain value, or a list of plain values, as JSON.
    private func json(_ node: MappingNode, _ name: String) throws(ConfigurationError) -> String {
        if let value = node.value { return value }
        guard case .list(let items) = node.content else {
            throw reader.refusal(node, name, "is \(node.shape), but takes one value or a list")
        }
        var values: [String] = []
        for (number, item) in items.enumerated() {
            guard let value = item.value else { throw reader.refusal(item, "\(name)[\(number)]", "is \(item.shape), but takes one value") }
            values.append(value)
        }
        return "[\(values.joined(separator: ","))]"
    }
}
