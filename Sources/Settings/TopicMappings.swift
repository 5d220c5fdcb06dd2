import Bytes
import Interactions
import Yams

/// `ingest.topics` among the settings: a mapping of a topic is kept as JSON text, by the topic.
enum TopicMappings {
    /// What a document says for `ingest.topics`, or for one topic below it; nil where all that it says is null.
    ///
    /// - Parameter source: the file and its line; lines of what is wrong inside are told instead.
    static func value(of node: Node, key: String, source: String) throws(ConfigurationError) -> Configuration.Value? {
        let file = file(of: source), root = try MappingNode(node, source: source)
        if let entry = Configuration.mapEntry(of: key) {
            guard let text = try text(entry.name, root, file: file, source: source) else { return nil }
            return .scalar(text)
        }
        switch root.content {
        case .null: return nil
        case .map(let entries):
            var texts: [String: String] = [:]
            for entry in entries {
                guard let text = try text(entry.name, entry.value, file: file, source: source) else { continue }
                texts[entry.name] = text
            }
            return texts.isEmpty && !entries.isEmpty ? nil : .map(texts)
        default:
            throw ConfigurationError(
                "\(source): ingest.topics is \(root.shape), but takes a mapping of topics, such as "
                    + "{shop.users: {kind: users, fields: {user_id: id}}}")
        }
    }

    private static func text(
        _ topic: String, _ node: MappingNode, file: String?, source: String
    ) throws(ConfigurationError) -> String? {
        if case .null = node.content { return nil }
        _ = try TopicMappingReader(topic: topic, source: source, file: file).mapping(node)
        return node.json
    }

    /// A text for one topic, checked, as it is kept.
    static func checked(_ text: String, of topic: String, source: String) throws(ConfigurationError) -> String {
        guard let node = try MappingNode.parsed(text, source: source) else {
            throw ConfigurationError("\(source): ingest.topics.\(topic) is empty: write {kind: events, fields: {user_id: user.id}}")
        }
        _ = try TopicMappingReader(topic: topic, source: source, file: nil).mapping(node)
        return node.json
    }

    /// `freshet.yaml` of `freshet.yaml:12`; nil where there is no line.
    private static func file(of source: String) -> String? {
        guard let colon = source.lastIndex(of: ":"), Int(source[source.index(after: colon)...]) != nil else { return nil }
        return String(source[..<colon])
    }
}

extension Configuration {
    /// Whether a key is `ingest.topics`, or a topic below it.
    static func isTopicMapping(_ key: String) -> Bool { (mapEntry(of: key)?.key.id ?? ConfigurationKey.byName[key]?.id) == .ingestTopics }

    /// How the records of mapped topics become Freshet's own, by topic.
    public var topicMappings: [String: TopicMapping] {
        var mappings: [String: TopicMapping] = [:]
        for (topic, text) in map(.ingestTopics) {
            let reader = TopicMappingReader(topic: topic, source: "", file: nil)
            guard let node = try? MappingNode.parsed(text, source: ""), let mapping = try? reader.mapping(node) else {
                preconditionFailure("the mapping of \(topic) was not checked when it was set")
            }
            mappings[topic] = mapping
        }
        return mappings
    }
}
