import Bytes
import Interactions
import Yams

/// A mapping of a topic as it was written: names, lists and plain values, with the lines where they stand.
struct MappingNode {
    indirect enum Content {
        /// A plain value; in quotes it is text whatever it looks like.
        case scalar(String, isQuoted: Bool)
        case list([MappingNode])
        case map([(name: String, value: MappingNode)])
        /// Nothing, `~` or `null`.
        case null
    }

    /// Levels of lists and mappings in a mapping of a topic.
    static let depthLimit = 16
    /// Names and values in a mapping of a topic, those of aliases each time.
    static let partsLimit = 10_000

    let content: Content
    /// Counted from 1; nil where nobody knows.
    let line: Int?

    /// A YAML document's node.
    ///
    /// - Parameter source: the file without its line, the variable or the flag.
    init(_ node: Node, source: String) throws(ConfigurationError) {
        var parts = 0
        self = try Self.make(node, source: source, depth: 0, &parts)
    }

    private init(_ content: Content, _ line: Int?) {
        self.content = content
        self.line = line
    }

    private static func make(_ node: Node, source: String, depth: Int, _ parts: inout Int) throws(ConfigurationError) -> MappingNode {
        parts += 1
        guard depth < depthLimit, parts <= partsLimit else {
            let what = depth < depthLimit ? "has more than \(partsLimit) names and values" : "is nested more than \(depthLimit) deep"
            throw ConfigurationError("\(source): the mapping of a topic in ingest.topics \(what)")
        }
        let line = node.mark?.line
        switch node {
        case .scalar(let scalar):
            if YAMLNode.isNull(node) { return MappingNode(.null, line) }
            return MappingNode(.scalar(scalar.string, isQuoted: ![.any, .plain].contains(scalar.style)), line)
        case .sequence(let sequence):
            var items: [MappingNode] = []
            for item in sequence { items.append(try make(item, source: source, depth: depth + 1, &parts)) }
            return MappingNode(.list(items), line)
        case .mapping(let mapping):
            var entries: [(name: String, value: MappingNode)] = []
            for (key, value) in mapping {
                entries.append((try YAMLNode.word(key, source: source), try make(value, source: source, depth: depth + 1, &parts)))
            }
            return MappingNode(.map(entries), line)
        case .alias: throw ConfigurationError("\(source): ingest.topics uses a YAML alias that leads nowhere")
        }
    }

    /// A text within a line, as variables and flags have it.
    static func parsed(_ text: String, source: String) throws(ConfigurationError) -> MappingNode? {
        let node: Node?
        do { node = try Yams.compose(yaml: text) } catch {
            throw ConfigurationError("\(source): the mapping of a topic is no valid YAML: write {kind: events, fields: {user_id: user.id}}")
        }
        guard let node else { return nil }
        return try MappingNode(node, source: source)
    }

    /// The same as JSON, which is YAML too.
    var json: String {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.text
    }

    private func write(to writer: inout JSONWriter) {
        switch content {
        case .null: writer.null()
        case .scalar: writer.raw(value ?? "null")
        case .list(let items): writer.array { for item in items { item.write(to: &$0) } }
        case .map(let entries):
            writer.object { object in
                for entry in entries {
                    object.key(data: entry.name)
                    entry.value.write(to: &object)
                }
            }
        }
    }

    /// A plain value as JSON: numbers by JSON's grammar, `true` and `false`; all else is text. Nil of a list, a mapping and null.
    var value: String? {
        guard case .scalar(let text, let isQuoted) = content else { return nil }
        if !isQuoted {
            if let word = BooleanText.word(text) { return word }
            if text.wholeMatch(of: /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/) != nil { return text }
        }
        return JSONText.quoted(text)
    }

    /// A plain value as it was written.
    var text: String? { if case .scalar(let text, _) = content { text } else { nil } }

    /// What it is, for a person.
    var shape: String {
        switch content {
        case .scalar(let text, _): text.isEmpty ? "empty" : text
        case .list: "a list"
        case .map: "a mapping"
        case .null: "nothing"
        }
    }
}
