import Bytes
import ForeignFormats
import Interactions

/// What Metarank's `/rank` is asked.
package struct MetarankRanking: Sendable, Equatable {
    /// The items to be ranked, each once, in their order.
    package var items: [String]
    /// For whom; nil where nobody is named.
    package var user: String?
    /// In which session.
    package var session: String?

    /// Reads a request: a ranking event, with its `event` or without.
    package init(_ tree: JSONTree) throws(Rejection) {
        let object = try ForeignObject(tree)
        guard case .list(let list) = object["items"], !list.isEmpty else {
            throw Rejection(.malformedRow, field: "items", "must be an array of the items to be ranked, such as [{\"id\":\"p1\"}]")
        }
        var items: [String] = [], seen: Set<String> = []
        for item in list {
            let id = try ForeignObject(item).required("id")
            if seen.insert(id).inserted { items.append(id) }
        }
        self.items = items
        user = object.text("user")
        session = object.text("session")
    }
}

/// What Metarank's `/recommend` is asked.
package struct MetarankRecommendation: Sendable, Equatable {
    /// How many items, at least 0.
    package var count: Int
    /// For whom; nil where nobody is named.
    package var user: String?
    /// Items that others are to be like.
    package var items: [String]

    /// Reads a request; an empty body asks for ten.
    package init(_ tree: JSONTree) throws(Rejection) {
        let object = try ForeignObject(tree == .null ? .object([]) : tree)
        count = 10
        if case .number(let digits) = object["count"] {
            guard let number = Int(digits), number >= 0 else { throw Rejection(.outOfRange, field: "count", "must be a whole number") }
            count = number
        }
        user = object.text("user")
        var items: [String] = []
        if case .list(let list) = object["items"] {
            for item in list {
                switch item {
                case .text(let id): items.append(id)
                case .object: items.append(try ForeignObject(item).required("id"))
                default: throw Rejection(.wrongType, field: "items", "must be an array of ids")
                }
            }
        }
        self.items = items
    }
}

/// The items of an answer as Metarank writes them.
package enum MetarankAnswer {
    /// An item with its score.
    package struct Item: Sendable, Equatable {
        /// Which.
        package var id: String
        /// Higher is better.
        package var score: Double

        /// Makes one.
        package init(id: String, score: Double) { (self.id, self.score) = (id, score) }
    }

    /// An answer to `/rank`, or to `/recommend`, which has neither state nor features.
    ///
    /// - Parameter explains: nil for `/recommend`; true adds what each score is made of, as names with values.
    package static func json(_ items: [Item], tookMilliseconds: Int64, explains: Bool?) -> [UInt8] {
        var writer = JSONWriter(reservingBytes: 64 + items.count * 48)
        writer.object { answer in
            if let explains {
                answer.key("state")
                if explains {
                    answer.object { state in for name in ["session", "user", "global", "item"] { state.field(data: name, []) } }
                } else {
                    answer.null()
                }
            }
            answer.key("items")
            answer.array { list in
                for item in items {
                    list.object { object in
                        object.field("item", item.id)
                        object.key("score")
                        object.number(item.score)
                        if explains == true {
                            object.key("features")
                            object.object { features in
                                features.key("score")
                                features.number(item.score)
                            }
                        } else if explains == false {
                            object.key("features")
                            object.null()
                        }
                    }
                }
            }
            answer.field("took", tookMilliseconds)
        }
        return writer.bytes
    }
}

extension JSONWriter {
    fileprivate mutating func field(data name: String, _ values: [String]) {
        key(data: name)
        strings(values)
    }
}
