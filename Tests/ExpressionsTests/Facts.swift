import Expressions

/// Facts by their paths, as tests write them.
struct Facts: ExpressionFacts {
    var values: [String: ExpressionValue] = [:]

    func value(of path: FactPath) -> ExpressionValue? {
        switch (path.root, path.member, path.attribute) {
        case (.item, "attributes", let name?): attributes[name]
        case (.user, let name?, _): members("user")[name]
        case (.context, let name?, _): members("context")[name]
        default: values[path.description]
        }
    }

    private var attributes: [String: ExpressionValue] { members("item.attributes") }

    private func members(_ name: String) -> [String: ExpressionValue] {
        if case .map(let members)? = values[name] { members } else { [:] }
    }

    /// An item, a user and a moment that most tests ask about.
    static let shoe = Facts(values: [
        "item.item_id": .string("i9"), "item.title": .string("Trail shoe"),
        "item.categories": .list([.string("shoes"), .string("outdoor")]),
        "item.tags": .list([.string("grip")]), "item.price": .double(89.9), "item.currency": .string("EUR"),
        "item.attributes": .map([
            "brand": .string("Acme"), "weight": .double(310), "cites": .list([.string("i3"), .string("i5")]), "vegan": .bool(true),
            "none": .null, "size": .map(["eu": .double(43)]),
        ]),
        "item.published_at": .timestamp(1_795_132_800_000), "item.hidden": .bool(false), "item.stock": .int(12),
        "user": .map(["gender": .string("F"), "age": .string("25")]),
        "context": .map(["device": .string("phone"), "country": .string("DE")]),
        "cart.categories": .list([.string("outdoor")]), "cart.item_ids": .list([.string("i3")]), "cart.tags": .list([]),
        "now": .timestamp(1_795_305_600_000),
    ])
}

/// What an expression says of the shoe: its value, or the code of its failure.
func said(_ text: String, checksTypes: Bool = true, of facts: Facts = .shoe) throws -> String {
    let expression = try RuleExpression(text, checksTypes: checksTypes)
    do {
        return shown(try expression.value(facts))
    } catch {
        return error.code
    }
}

/// A value on one line, its type included where that is not plain.
func shown(_ value: ExpressionValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .int(let value): "\(value)"
    case .uint(let value): "\(value)u"
    case .double(let value): "\(value)"
    case .string(let value): "\"\(value)\""
    case .timestamp(let value): "timestamp \(value)"
    case .duration(let value): "duration \(value)"
    case .list(let values): "[" + values.map(shown).joined(separator: ", ") + "]"
    case .map(let values): "{" + values.sorted { $0.key < $1.key }.map { "\($0.key): \(shown($0.value))" }.joined(separator: ", ") + "}"
    }
}

/// Where and why a text is no expression.
func refusal(_ text: String) -> String? {
    do {
        _ = try RuleExpression(text)
        return nil
    } catch {
        return error.description
    }
}
