import Yams

/// Lists and mappings within a line, `[a, b]` and `{a: b}`, as variables and flags write them.
enum FlowText {
    /// Whether a text says that nothing is set.
    static func isNull(_ text: some StringProtocol) -> Bool { ["null", "Null", "NULL", "~"].contains { $0 == text } }

    /// A text that begins with a bracket as a value; nil where all that it holds is null.
    static func value(of text: String, key: String, source: String) throws(ConfigurationError) -> Configuration.Value? {
        let node: Node?
        do { node = try Yams.compose(yaml: text) } catch {
            // The text may be a secret.
            throw ConfigurationError("\(source): \(key) begins like a list or a mapping of YAML, but is none: write [a, b], {a: b} or a,b")
        }
        guard let node else { return nil }
        return try YAMLNode.value(of: node, key: key, source: source)
    }
}

/// What a node of a YAML document says as a value.
enum YAMLNode {
    /// The value; null says that nothing is set, also within lists and mappings.
    ///
    /// - Returns: nil for null, and for a list or a mapping of nothing but null.
    static func value(of node: Node, key: String, source: String) throws(ConfigurationError) -> Configuration.Value? {
        if Configuration.isTopicMapping(key) { return try TopicMappings.value(of: node, key: key, source: source) }
        switch node {
        case .scalar(let scalar):
            return isNull(node) ? nil : .scalar(scalar.string)
        case .sequence(let sequence):
            var items: [String] = []
            for item in sequence where !isNull(item) {
                guard let text = item.scalar?.string else {
                    throw ConfigurationError("\(source): \(key) takes a list of plain values, not of lists or mappings")
                }
                items.append(text)
            }
            return items.isEmpty && !sequence.isEmpty ? nil : .list(items)
        case .mapping(let mapping):
            guard !Configuration.isSecret(key) else {
                throw ConfigurationError("\(source): \(key) takes plain text or a list of it, not a mapping")
            }
            var entries: [String: String] = [:]
            for (name, value) in mapping {
                let entry = try word(name, source: source)
                guard !isNull(value) else { continue }
                guard let text = value.scalar?.string else {
                    // Below a secret's name stands the secret, whatever its shape.
                    let below = Configuration.isSecret("\(key).\(entry)") ? nil : value.mapping?.first.flatMap { $0.key.scalar?.string }
                    let inner = below.map { "; write \(Configuration.shownName(entry)).\(Configuration.shownName($0)): value" } ?? ""
                    throw ConfigurationError("\(source): \(key).\(Configuration.shownName(entry)) takes one value\(inner)")
                }
                entries[entry] = text
            }
            return entries.isEmpty && !mapping.isEmpty ? nil : .map(entries)
        case .alias:
            throw ConfigurationError("\(source): \(key) uses a YAML alias, which is not supported")
        }
    }

    /// A name in a mapping.
    static func word(_ node: Node, source: String) throws(ConfigurationError) -> String {
        guard let name = node.scalar?.string, !isNull(node) else { throw ConfigurationError("\(source): a key must be a plain word") }
        guard name != "<<" else {
            throw ConfigurationError(
                "\(source): merge keys (<<) are not supported: write the settings out, or give two files with --config")
        }
        return name
    }

    /// Whether a node is null: nothing, `~` or `null` without quotes.
    static func isNull(_ node: Node) -> Bool { node.tag == Tag(.null) }
}
