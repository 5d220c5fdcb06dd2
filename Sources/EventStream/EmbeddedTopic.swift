/// A topic of an embedded broker, with its size.
public struct EmbeddedTopic: Sendable, Equatable {
    /// Letters, digits, `.`, `_` and `-`, 1 to 249 of them, as in Kafka.
    public let name: String
    /// 1 to 1,024.
    public let partitions: Int

    /// Makes a topic.
    ///
    /// - Throws: ``StreamError`` with code `configuration` where the name or the number is none of a topic.
    public init(_ name: String, partitions: Int) throws(StreamError) {
        let isWritten = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isWritten, (1...249).contains(name.utf8.count), name != ".", name != ".." else {
            throw StreamError(
                .configuration, "'\(name)' is no name of a Kafka topic: 1 to 249 letters, digits, dots, underscores and hyphens.")
        }
        self.name = name
        self.partitions = try Self.checked(partitions: partitions)
    }

    /// Reads `NAME` or `NAME:PARTITIONS`.
    ///
    /// - Parameter partitions: where the text names none.
    /// - Throws: ``StreamError`` with code `configuration`.
    public init(parsing text: String, partitions: Int) throws(StreamError) {
        guard let colon = text.lastIndex(of: ":") else {
            try self.init(text, partitions: partitions)
            return
        }
        guard let count = Int(text[text.index(after: colon)...]) else {
            throw StreamError(.configuration, "'\(text)' is no topic with its partitions: write NAME:PARTITIONS, such as orders:16.")
        }
        try self.init(String(text[..<colon]), partitions: count)
    }

    /// The number, where a topic of an embedded broker may have as many.
    static func checked(partitions: Int) throws(StreamError) -> Int {
        guard (1...1_024).contains(partitions) else {
            throw StreamError(.configuration, "An embedded broker's topics have 1 to 1,024 partitions, not \(partitions).")
        }
        return partitions
    }
}
