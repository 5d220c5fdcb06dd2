import Expressions

/// Makes expressions that CEL's checker would take, and facts for them, from a seed: those of which the versions of CEL say the same.
struct ExpressionSource {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    private mutating func next(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }

    private mutating func pick(_ texts: String...) -> String { texts[next(texts.count)] }

    enum Kind { case bool, int, uint, double, string, list, timestamp, duration }

    mutating func expression() -> String {
        let kinds: [Kind] = [.bool, .bool, .bool, .int, .uint, .double, .string]
        return text(kinds[next(kinds.count)], 1 + next(4))
    }

    private mutating func text(_ kind: Kind, _ depth: Int) -> String {
        guard depth > 0, next(8) > 0 else { return leaf(kind) }
        let less = depth - 1
        switch kind {
        case .bool: return bool(less)
        case .int:
            switch next(7) {
            case 0: return "size(\(text(.string, less)))"
            case 1: return "size(\(text(.list, less)))"
            case 2: return "int(\(text(.double, less)))"
            case 3:
                let part = pick("getFullYear", "getMonth", "getDate", "getDayOfWeek", "getHours", "getSeconds")
                return "\(text(.timestamp, less)).\(part)()"
            case 4: return "(\(text(.bool, less)) ? \(text(.int, less)) : \(text(.int, less)))"
            default: return "(\(text(.int, less)) \(pick("+", "-", "*", "/", "%")) \(text(.int, less)))"
            }
        case .uint: return "(\(text(.uint, less)) \(pick("+", "-", "*", "/", "%")) \(text(.uint, less)))"
        case .double:
            if next(4) == 0 { return "double(\(text(.int, less)))" }
            return "(\(text(.double, less)) \(pick("+", "-", "*")) \(text(.double, less)))"
        case .string:
            if next(4) == 0 { return "string(\(text(.int, less)))" }
            return next(3) == 0 ? "(\(text(.bool, less)) ? \(text(.string, less)) : \(text(.string, less)))"
                : "(\(text(.string, less)) + \(text(.string, less)))"
        case .list:
            switch next(3) {
            case 0: return "\(text(.list, less)).filter(s\(depth), s\(depth) \(pick("==", "!=", "<", ">")) \(text(.string, less)))"
            case 1: return "\(text(.list, less)).map(s\(depth), s\(depth) + \(text(.string, less)))"
            default: return "[\(text(.string, less)), \(text(.string, less))]"
            }
        case .timestamp: return "(\(text(.timestamp, less)) \(pick("+", "-")) \(text(.duration, less)))"
        case .duration: return "(\(text(.timestamp, less)) - \(text(.timestamp, less)))"
        }
    }

    private mutating func bool(_ less: Int) -> String {
        switch next(13) {
        case 0, 1: return "(\(text(.bool, less)) && \(text(.bool, less)))"
        case 2, 3: return "(\(text(.bool, less)) || \(text(.bool, less)))"
        case 4: return "!\(text(.bool, less))"
        case 5: return "(\(text(.bool, less)) ? \(text(.bool, less)) : \(text(.bool, less)))"
        case 6: return "(\(text(.string, less)) in \(text(.list, less)))"
        case 7:
            let range = text(.list, less), macro = pick("exists", "all", "exists_one")
            return "\(range).\(macro)(e\(less), e\(less) \(pick("==", "<")) \(text(.string, less)))"
        case 8: return "\(text(.string, less)).\(pick("startsWith", "endsWith", "contains"))(\(text(.string, less)))"
        case 9: return "\(text(.string, less)).matches('\(pick("^a", "a+b?$", "[a-c]{2}", "(ab|é)+", "^$", "x.z", "\\\\d+"))')"
        case 10: return "(size(\(text(.list, less))) \(pick("<", ">=")) \(text(.int, less)))"
        default:
            let kinds: [Kind] = [.int, .uint, .double, .string, .timestamp, .duration], kind = kinds[next(kinds.count)]
            return "(\(text(kind, less)) \(pick("==", "!=", "<", "<=", ">", ">=")) \(text(kind, less)))"
        }
    }

    private mutating func leaf(_ kind: Kind) -> String {
        switch kind {
        case .bool: return pick("true", "false", "item.hidden", "has(item.price)", "has(item.title)", "has(item.attributes.s)",
            "has(user.age)", "item.attributes.b")
        case .int: return pick("0", "1", "-3", "7", "9223372036854775807", "item.stock", "item.attributes.i", "0x10")
        case .uint: return pick("0u", "1u", "3u", "18446744073709551615u")
        case .double: return pick("0.0", "1.5", "-2.25", "1e10", "item.price", "item.attributes.d")
        case .string:
            return pick("''", "'a'", "'ab'", "'é'", "'x\\nz'", "item.title", "item.item_id", "item.attributes.s", "user.age",
                "context.device", "r'a\\b'", "\"abc\"")
        case .list: return pick("item.tags", "item.categories", "cart.categories", "['a', 'b']", "[item.title]", "item.attributes.l")
        case .timestamp: return pick("now", "item.published_at", "timestamp('2024-02-29T12:30:45Z')", "timestamp('1969-12-31T23:59:59Z')")
        case .duration: return pick("duration('1h')", "duration('-90s')", "duration('1h30m')", "duration('36h')")
        }
    }

    /// An item, a user and a moment of which something is missing here and there.
    mutating func facts() -> Facts {
        func list(_ count: Int, _ names: [String]) -> ExpressionValue { .list(names.prefix(count).map { .string($0) }) }
        var facts = Facts(values: [
            "item.item_id": .string("i\(next(3))"), "item.tags": list(next(4), ["a", "b", "ab"]),
            "item.categories": list(next(3), ["x", "é"]),
            "cart.categories": list(next(2), ["x"]), "item.hidden": .bool(next(2) == 0), "now": .timestamp(1_795_305_600_000),
        ])
        if next(4) > 0 { facts.values["item.title"] = .string(["abc", "ab", "x\nz", "été"][next(4)]) }
        if next(4) > 0 { facts.values["item.price"] = .double([0, 1.5, 89.9][next(3)]) }
        if next(4) > 0 { facts.values["item.stock"] = .int([0, 1, 12][next(3)]) }
        if next(4) > 0 { facts.values["item.published_at"] = .timestamp([1_795_132_800_000, 0][next(2)]) }
        var attributes: [String: ExpressionValue] = [:]
        if next(3) > 0 { attributes["s"] = .string(["a", "Acme"][next(2)]) }
        if next(3) > 0 { attributes["i"] = .int([3, -1][next(2)]) }
        if next(3) > 0 { attributes["d"] = .double([2.5, -0.5][next(2)]) }
        if next(3) > 0 { attributes["b"] = .bool(next(2) == 0) }
        if next(3) > 0 { attributes["l"] = list(next(3), ["a", "abc"]) }
        facts.values["item.attributes"] = .map(attributes)
        facts.values["user"] = .map(next(2) == 0 ? ["age": .string("25")] : [:])
        facts.values["context"] = .map(next(2) == 0 ? ["device": .string("phone")] : [:])
        return facts
    }
}
