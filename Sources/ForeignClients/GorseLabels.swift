import Interactions

/// Where Gorse's `Labels` and `Comment` are kept in our records, so that they come back exactly as they were sent.
///
/// Named labels are attributes under their own names. Anything else, and names that are taken, stand whole under `labels`; an item's list
/// of words is its tags. A user's comment is the attribute `comment`, an item's is its title, as in imports.
package enum GorseLabels {
    /// The attribute that holds labels that are no plain attributes.
    package static let labels = "labels"
    /// The attribute that holds a comment.
    package static let comment = "comment"

    /// A longer comment is no title.
    static let titleLimitBytes = 256

    /// Says why labels are none: they may be null, a text, a number, a list all of texts or all of numbers, or an object of such values.
    static func check(_ labels: JSONTree?) throws(Rejection) {
        switch labels {
        case nil, .null, .text, .number: return
        case .list(let values):
            let isText = values.allSatisfy { if case .text = $0 { true } else { false } }
            let isNumber = values.allSatisfy { if case .number = $0 { true } else { false } }
            if isText || isNumber { return }
        case .object(let members):
            for member in members { try check(member.value) }
            return
        case .boolean: break
        }
        throw Rejection(
            .wrongType, field: "Labels", "must be null, a string, a number, an array of strings or of numbers, or an object of such values")
    }

    /// The attributes that hold labels and a comment; nil where there is nothing to hold.
    static func attributes(_ labels: JSONTree?, comment: String?) -> JSONTree? {
        var members: [JSONTree.Member] = []
        switch labels {
        case nil, .null: break
        case .object(let named) where isPlain(named): members = named
        case .some(let value): members = [JSONTree.Member(name: Self.labels, value: value)]
        }
        if let comment, !comment.isEmpty { members.append(JSONTree.Member(name: Self.comment, value: .text(comment))) }
        return members.isEmpty ? nil : .object(members)
    }

    private static func isPlain(_ members: [JSONTree.Member]) -> Bool {
        !members.isEmpty && Set(members.map(\.name)).count == members.count
            && !members.contains { $0.name == Self.labels || $0.name == comment }
    }

    /// What attributes hold of labels, and the comment.
    static func read(_ attributes: String?) -> (labels: JSONTree?, comment: String?) {
        guard let attributes else { return (nil, nil) }
        let tree = Array(attributes.utf8).withUnsafeBytes { RecordDecoder().tree($0, maxBytes: $0.count) }
        var members = (try? tree.get())?.members ?? []
        var comment: String?
        if let place = members.lastIndex(where: { $0.name == Self.comment }), case .text(let text) = members[place].value {
            comment = text
            members.remove(at: place)
        }
        if let whole = members.last(where: { $0.name == Self.labels }) { return (whole.value, comment) }
        return (members.isEmpty ? nil : .object(members), comment)
    }

    /// The names in attributes, so that a patch can remove those that go.
    static func names(in attributes: String?) -> [String] {
        guard let attributes else { return [] }
        let tree = Array(attributes.utf8).withUnsafeBytes { RecordDecoder().tree($0, maxBytes: $0.count) }
        return ((try? tree.get())?.members ?? []).map(\.name)
    }
}
