/// Makes nodes, and refuses those that are of unknown names, too many, too deep or of types that never go together.
struct NodeBuilder {
    private(set) var nodes: [Node] = []
    private let checksTypes: Bool

    init(checksTypes: Bool) { self.checksTypes = checksTypes }

    /// Words that no variable may be named.
    static let reserved: Set<String> = [
        "in", "true", "false", "null", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop",
        "package", "namespace", "return", "var", "void", "while",
    ]

    static func tooDeep(_ column: Int) -> ExpressionProblem {
        ExpressionProblem(column, "brackets and operators stand more than \(ExpressionLimits.maxDepthLevels) deep: make it flatter")
    }

    func type(_ node: Int32) -> StaticType { nodes[Int(node)].type }
    private func operation(_ node: Int32) -> Node.Operation { nodes[Int(node)].operation }

    mutating func add(_ operation: Node.Operation, _ type: StaticType, _ column: Int) throws(ExpressionProblem) -> Int32 {
        guard nodes.count < ExpressionLimits.maxNodes else {
            throw ExpressionProblem(
                column, "the expression has more than \(ExpressionLimits.maxNodes) names, literals and operators: make it shorter")
        }
        var node = Node(operation: operation, column: Int32(column), depth: 1, type: type)
        for child in node.children {
            try complete(child)
            node.depth = max(node.depth, nodes[Int(child)].depth + 1)
        }
        guard node.depth <= Int32(ExpressionLimits.maxDepthLevels) else { throw Self.tooDeep(column) }
        nodes.append(node)
        return Int32(nodes.count - 1)
    }

    /// Refuses `item` and `cart` as a whole: they are no values.
    func complete(_ node: Int32) throws(ExpressionProblem) {
        if case .fact(let path) = operation(node), path.member == nil, path.root == .item || path.root == .cart {
            throw ExpressionProblem(
                Int(nodes[Int(node)].column), "\(path.root.rawValue) is no value by itself; name a field, as in "
                    + (path.root == .item ? "item.price" : "cart.categories"))
        }
    }

    func refuse(_ column: Int, _ reason: @autoclosure () -> String) throws(ExpressionProblem) {
        if checksTypes { throw ExpressionProblem(column, reason()) }
    }

    /// Refuses a type that is known to be another than one of those that are taken.
    func need(_ node: Int32, _ types: [StaticType], for what: String) throws(ExpressionProblem) {
        let type = type(node)
        guard type != .any, !types.contains(type) else { return }
        let wanted = types.map(\.rawValue).joined(separator: " or ")
        try refuse(Int(nodes[Int(node)].column), "\(what) takes \(wanted), and this is \(type.rawValue)")
    }

    mutating func constant(_ value: ExpressionValue, _ column: Int) throws(ExpressionProblem) -> Int32 {
        try add(.constant(value), StaticType(rawValue: value.typeName) ?? .any, column)
    }

    mutating func variable(_ slot: Int, _ column: Int) throws(ExpressionProblem) -> Int32 {
        try add(.variable(slot), .any, column)
    }

    /// A name that stands at the beginning.
    mutating func root(_ name: String, _ column: Int, _ variables: [String]) throws(ExpressionProblem) -> Int32 {
        guard let root = FactRoot(rawValue: name) else {
            throw ExpressionProblem(column, FactNames.unknown(name, kind: "name", among: FactRoot.allCases.map(\.rawValue) + variables))
        }
        return try add(.fact(FactPath(root)), root == .now ? .timestamp : .map, column)
    }

    mutating func select(_ value: Int32, _ name: String, _ column: Int) throws(ExpressionProblem) -> Int32 {
        if case .fact(let path) = operation(value), let longer = try longer(path, name, column) { return try longerFact(longer, column) }
        try need(value, [.map], for: "'.\(name)'")
        return try add(.select(value, name), .any, column)
    }

    private mutating func longerFact(_ longer: (path: FactPath, type: StaticType), _ column: Int) throws(ExpressionProblem) -> Int32 {
        try add(.fact(longer.path), longer.type, column)
    }

    /// The fact that is one name further; nil where that is a member of a value.
    private func longer(_ path: FactPath, _ name: String, _ column: Int) throws(ExpressionProblem) -> (path: FactPath, type: StaticType)? {
        switch (path.root, path.member, path.attribute) {
        case (.item, nil, _):
            guard let type = FactNames.item[name] else {
                let hint = "; attributes are item.attributes.NAME"
                throw ExpressionProblem(column, FactNames.unknown(name, kind: "field of an item named", among: FactNames.item.keys) + hint)
            }
            return (FactPath(.item, name), type)
        case (.cart, nil, _):
            guard let type = FactNames.cart[name] else {
                throw ExpressionProblem(column, FactNames.unknown(name, kind: "field of the cart named", among: FactNames.cart.keys))
            }
            return (FactPath(.cart, name), type)
        case (.item, "attributes", nil): return (FactPath(.item, "attributes", attribute: name), .any)
        case (.user, nil, _), (.context, nil, _): return (FactPath(path.root, name), .any)
        default: return nil
        }
    }

    mutating func has(_ argument: Int32, _ column: Int) throws(ExpressionProblem) -> Int32 {
        switch operation(argument) {
        case .fact(let path) where path.member != nil: return try add(.hasFact(path), .bool, column)
        case .select(let value, let name): return try add(.hasMember(value, name), .bool, column)
        default: throw ExpressionProblem(column, "has() asks for a field, as in has(item.price)")
        }
    }

    mutating func index(_ value: Int32, _ place: Int32, _ column: Int) throws(ExpressionProblem) -> Int32 {
        try need(value, [.list, .map], for: "[…]")
        // A name in brackets is the same fact as the name behind a point.
        if case .constant(.string(let name)) = operation(place), case .fact(let path) = operation(value),
            path.member == "attributes" || path.root == .user || path.root == .context, let longer = try longer(path, name, column)
        {
            return try longerFact(longer, column)
        }
        return try add(.index(value, place), .any, column)
    }

    mutating func list(_ values: [Int32], _ column: Int) throws(ExpressionProblem) -> Int32 {
        let constants = values.compactMap { value -> ExpressionValue? in
            if case .constant(let constant) = operation(value) { constant } else { nil }
        }
        return try constants.count == values.count ? constant(.list(constants), column) : add(.list(values), .list, column)
    }

    mutating func each(
        _ macro: Macro, range: Int32, variable: Int, body: Int32, transform: Int32?, _ column: Int
    ) throws(ExpressionProblem) -> Int32 {
        try need(range, [.list, .map], for: "'\(macro.rawValue)'")
        try need(body, [.bool], for: "the condition of '\(macro.rawValue)'")
        let type: StaticType = macro == .filter || macro == .map ? .list : .bool
        return try add(.each(macro, range: range, variable: variable, body: body, transform: transform), type, column)
    }
}
