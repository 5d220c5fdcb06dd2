import Bytes
import Interactions

/// Reads the mapping of one topic, and says what is wrong with it: where, and with the nearest known name.
struct TopicMappingReader {
    /// Paths of one field.
    static let pathsLimit = 16
    /// Conditions of a topic, and members of `context` or `attributes`.
    static let entriesLimit = 100

    let topic: String
    /// The file and line, the variable or the flag.
    let source: String
    /// The file alone, where lines inside are known.
    let file: String?

    private static let keys = ["kind", "format", "each", "when", "fields"]

    func mapping(_ node: MappingNode) throws(ConfigurationError) -> TopicMapping {
        try checkTopic(node)
        let entries = try map(node, "", keys: Self.keys, "{kind: events, fields: {user_id: user.id}}")
        let kinds = MappedKind.allCases.map(\.rawValue)
        guard let kindNode = entries["kind"] else { throw refusal(node, "", "has no kind: write kind: events, items or users") }
        guard let kind = MappedKind(rawValue: try text(kindNode, "kind")) else {
            throw refusal(kindNode, "kind", "is \(kindNode.shape), but takes \(kinds.joined(separator: ", "))", among: kinds, kindNode.text)
        }
        guard let fieldsNode = entries["fields"] else { throw refusal(node, "", "has no fields: write fields: {user_id: user.id}") }
        let sources = FieldSourceReader(reader: self, kind: kind)
        var mapping = TopicMapping(kind: kind, fields: try sources.fields(fieldsNode), format: try format(entries["format"]))
        if let each = entries["each"] { mapping.each = try lines(each) }
        if let when = entries["when"] { mapping.conditions = try conditions(when) }
        try check(mapping, fieldsNode)
        return mapping
    }

    /// What the parts of a mapping must have together.
    private func check(_ mapping: TopicMapping, _ node: MappingNode) throws(ConfigurationError) {
        let missing = mapping.kind.fields.filter { $0.isRequired && mapping.fields[$0.name] == nil }.map(\.name)
        guard missing.isEmpty else {
            throw refusal(
                node, "fields", "has no \(missing.joined(separator: ", ")), without which no record of \(mapping.kind.rawValue) counts")
        }
        if mapping.kind == .events, mapping.fields["user_id"] == nil, mapping.fields["session_id"] == nil {
            throw refusal(node, "fields", "has neither user_id nor session_id: an event needs one of them")
        }
        if let json = mapping.fields["id_space"]?.otherwise, let space = JSONText.string("v", inObject: "{\"v\":\(json)}"),
            let problem = DecodingRules.problem(ofIDSpace: space)
        {
            throw refusal(node, "fields", "has an id_space that \(problem)")
        }
        let object = mapping.kind.object
        if mapping.fields[object] != nil, let member = mapping.fields.keys.sorted().first(where: { $0.hasPrefix(object + ".") }) {
            throw refusal(node, "fields", "has \(object) as a whole and \(member): leave one out")
        }
        if mapping.format == .debezium, mapping.kind == .events, mapping.fields["event_id"] == nil {
            throw refusal(
                node, "fields",
                "has no event_id, but a row comes again with every change of it: map the row's own id, so that it counts once")
        }
        guard mapping.each != nil else {
            if let path = allPaths(mapping).first(where: { $0.description.hasPrefix("@") }) {
                throw refusal(node, "fields", "has the path \(path), which is the line, but there is no each: write $ for the record")
            }
            return
        }
        if mapping.kind == .events, mapping.fields["event_id"] == nil {
            throw refusal(
                node, "fields", "has no event_id, but with each it needs the id of the whole record, such as event_id: $.order_id: "
                    + "the id of each event is made of it and the line's place, so that a repeated record counts once")
        }
    }

    /// What records are written in; JSON without a word.
    private func format(_ node: MappingNode?) throws(ConfigurationError) -> RecordFormat {
        guard let node else { return .json }
        let known = RecordFormat.allCases.map(\.rawValue)
        guard let format = RecordFormat(rawValue: try text(node, "format")) else {
            throw refusal(
                node, "format", "is \(node.shape), but takes \(known.joined(separator: ", ")); without this line it is json", among: known,
                node.text)
        }
        return format
    }

    private func allPaths(_ mapping: TopicMapping) -> [RecordPath] {
        mapping.fields.values.flatMap(\.paths) + mapping.conditions.map(\.path)
    }

    private func checkTopic(_ node: MappingNode) throws(ConfigurationError) {
        let isName = topic.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || "._-".utf8.contains(byte)
        }
        guard isName, (1...249).contains(topic.utf8.count), topic != ".", topic != ".." else {
            throw ConfigurationError(
                "\(place(node)): ingest.topics names \(JSONText.quoted(String(topic.prefix(64)))), which no topic of Kafka is called: "
                    + "letters, digits, dots, underscores and hyphens, at most 249")
        }
    }

    private func lines(_ node: MappingNode) throws(ConfigurationError) -> TopicMapping.Lines {
        guard case .map = node.content else { return TopicMapping.Lines(path: try linesPath(node, "each")) }
        let entries = try map(node, "each", keys: ["path", "id"], "a path, or {path: lines, id: line_no}")
        guard let pathNode = entries["path"] else { throw refusal(node, "each", "has no path: write {path: lines, id: line_no}") }
        var lines = TopicMapping.Lines(path: try linesPath(pathNode, "each.path"))
        if let id = entries["id"] {
            let path = try path(id, "each.id")
            guard !path.isOfRecord else {
                throw refusal(id, "each.id", "is \(path), the same for every line: name what tells a line from the others")
            }
            lines.id = path
        }
        return lines
    }

    /// The array stands in the record, whether its path says so or not.
    private func linesPath(_ node: MappingNode, _ name: String) throws(ConfigurationError) -> RecordPath {
        let path = try path(node, name)
        guard !path.steps.isEmpty else { throw refusal(node, name, "is \(path), the record itself, which is an object and no array") }
        return path
    }

    // MARK: Conditions

    private func conditions(_ node: MappingNode) throws(ConfigurationError) -> [TopicMapping.Condition] {
        guard case .list(let items) = node.content else { return [try condition(node, "when")] }
        guard items.count <= Self.entriesLimit else { throw refusal(node, "when", "has more than \(Self.entriesLimit) conditions") }
        var result: [TopicMapping.Condition] = []
        for (number, item) in items.enumerated() { result.append(try condition(item, "when[\(number)]")) }
        return result
    }

    private func condition(_ node: MappingNode, _ name: String) throws(ConfigurationError) -> TopicMapping.Condition {
        let tests = ["in", "not_in", "exists"]
        let entries = try map(node, name, keys: ["path"] + tests, "{path: name, in: [view_item, purchase]}")
        guard let pathNode = entries["path"] else { throw refusal(node, name, "has no path: write {path: name, in: [view_item]}") }
        let path = try path(pathNode, name + ".path")
        let asked = tests.filter { entries[$0] != nil }
        guard asked.count == 1, let value = entries[asked[0]] else {
            let found = asked.isEmpty ? "no test" : asked.joined(separator: " and ")
            throw refusal(node, name, "has \(found): write one of in, not_in and exists")
        }
        switch asked[0] {
        case "exists":
            guard let word = value.text.flatMap(BooleanText.word) else {
                throw refusal(value, name + ".exists", "is \(value.shape), but takes true or false")
            }
            return TopicMapping.Condition(path: path, .exists(word == "true"))
        case "in": return TopicMapping.Condition(path: path, .isOneOf(try texts(value, name + ".in")))
        default: return TopicMapping.Condition(path: path, .isNoneOf(try texts(value, name + ".not_in")))
        }
    }

    private func texts(_ node: MappingNode, _ name: String) throws(ConfigurationError) -> [String] {
        guard case .list(let items) = node.content else { return [try text(node, name)] }
        guard !items.isEmpty else { throw refusal(node, name, "is an empty list, so that no record could be told by it") }
        var result: [String] = []
        for (number, item) in items.enumerated() { result.append(try text(item, "\(name)[\(number)]")) }
        return result
    }

    // MARK: Shared with the fields

    func path(_ node: MappingNode, _ name: String) throws(ConfigurationError) -> RecordPath {
        let text = try text(node, name)
        do throws(RecordPath.Problem) {
            return try RecordPath(text)
        } catch {
            throw refusal(node, name, "is \(JSONText.quoted(String(text.prefix(64)))), which \(error.detail)")
        }
    }

    /// A plain value as it was written.
    func text(_ node: MappingNode, _ name: String) throws(ConfigurationError) -> String {
        guard let text = node.text else { throw refusal(node, name, "is \(node.shape), but takes one value") }
        return text
    }

    /// The entries of a mapping whose names are known, those that say nothing left out.
    func map(
        _ node: MappingNode, _ name: String, keys: [String]?, _ example: String
    ) throws(ConfigurationError) -> [String: MappingNode] {
        guard case .map(let entries) = node.content else { throw refusal(node, name, "is \(node.shape), but takes \(example)") }
        var found: [String: MappingNode] = [:]
        for entry in entries {
            if let keys, !keys.contains(entry.name) {
                let word = JSONText.quoted(String(entry.name.prefix(64)))
                throw refusal(
                    entry.value, name, "has \(word), but knows only \(keys.joined(separator: ", "))", among: keys, entry.name)
            }
            if case .null = entry.value.content { continue }
            found[entry.name] = entry.value
        }
        return found
    }

    /// A sentence about a part of the mapping.
    ///
    /// - Parameter word: what was written where one of some names was wanted: the nearest one is told.
    func refusal(
        _ node: MappingNode, _ name: String, _ what: String, among known: [String] = [], _ word: String? = nil
    ) -> ConfigurationError {
        let hint = word.flatMap { NearestName.of($0.lowercased(), among: known) }.map { "; did you mean \($0)?" } ?? ""
        return ConfigurationError("\(place(node)): ingest.topics.\(topic)\(name.isEmpty ? "" : "." + name) \(what)\(hint)")
    }

    private func place(_ node: MappingNode) -> String {
        if let file, let line = node.line { return "\(file):\(line)" }
        return source
    }
}
