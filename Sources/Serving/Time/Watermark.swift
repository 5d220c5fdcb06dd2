import Interactions

/// Places in the events topic: `partition@offset`, comma-separated. Whoever posts an event gets one, and may wait for it.
package struct Watermark: Sendable, Equatable {
    /// The highest offset of each partition.
    package private(set) var offsets: [Int32: Int64] = [:]

    /// No place.
    package init() {}

    /// The highest of some places; those of files are none.
    package init(_ positions: some Sequence<Position>) {
        for position in positions where position.partition >= 0 { add(position) }
    }

    /// Reads the text form; nil if it is none.
    package init?(parsing text: String) {
        for part in text.split(separator: ",") {
            let halves = part.split(separator: "@", omittingEmptySubsequences: false)
            guard halves.count == 2, let partition = Int32(halves[0]), let offset = Int64(halves[1]), partition >= 0, offset >= 0
            else { return nil }
            add(Position(partition: partition, offset: offset))
        }
        if offsets.isEmpty { return nil }
    }

    /// Takes a place in.
    package mutating func add(_ position: Position) {
        offsets[position.partition] = max(position.offset, offsets[position.partition] ?? position.offset)
    }

    /// The text form, partitions in order; nil without any.
    package var text: String? {
        guard !offsets.isEmpty else { return nil }
        return offsets.sorted { $0.key < $1.key }.map { "\($0.key)@\($0.value)" }.joined(separator: ",")
    }
}
