#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Plain numbers of a content that tell how popular an item may become: a famous work has a longer description, more tags.
struct ContentNumbers: Sendable, Equatable {
    static let count = 10
    /// Standardised values are cut here, so that one absurd price or date cannot decide.
    private static let limit: Float = 3
    /// The share of the known items at either end beyond whose values nothing is told apart.
    private static let endPercent = 2

    var mean = [Float](repeating: 0, count: count)
    /// 1 / standard deviation; 0 for a number that never differs.
    var scale = [Float](repeating: 0, count: count)
    /// Standardised values are cut here too: what is newer, longer or dearer than (almost) all that was seen is taken for the
    /// last of it. A new item is newer than every known one, and a line through the ages of those says nothing of its own.
    var lowest = [Float](repeating: -limit, count: count)
    var highest = [Float](repeating: limit, count: count)
    /// Milliseconds since 1970 that ages are measured to.
    var clock: Int64

    init(clock: Int64) { self.clock = clock }

    /// Learns means and deviations.
    init(_ contents: [ItemContent], clock: Int64) {
        self.clock = clock
        var sums = [Double](repeating: 0, count: Self.count), squares = sums, counts = sums
        var seen = [[Float]](repeating: [], count: Self.count)
        for content in contents {
            for (place, value) in raw(content).enumerated() {
                guard let value else { continue }
                seen[place].append(value)
                sums[place] += Double(value)
                squares[place] += Double(value) * Double(value)
                counts[place] += 1
            }
        }
        for place in 0..<Self.count where counts[place] > 1 {
            let average = sums[place] / counts[place]
            let variance = squares[place] / counts[place] - average * average
            mean[place] = Float(average)
            scale[place] = variance > 1e-6 ? Float(1 / variance.squareRoot()) : 0
            seen[place].sort()
            let end = seen[place].count * Self.endPercent / 100
            lowest[place] = max(-Self.limit, standardised(seen[place][end], place))
            highest[place] = min(Self.limit, standardised(seen[place][seen[place].count - 1 - end], place))
        }
    }

    /// The standardised numbers, ``count`` of them; 0 where one is not known.
    func values(of content: ItemContent) -> [Float] {
        raw(content).enumerated().map { place, value in
            value.map { min(highest[place], max(lowest[place], standardised($0, place))) } ?? 0
        }
    }

    private func standardised(_ value: Float, _ place: Int) -> Float { (value - mean[place]) * scale[place] }

    private func raw(_ content: ItemContent) -> [Float?] {
        var words = 0, titleWords = 0, paragraphs = 0
        if let text = content.description {
            TextWords.forEach(in: text) { _ in words += 1 }
            paragraphs = text.utf8.reduce(0) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
        }
        if let text = content.title { TextWords.forEach(in: text) { _ in titleWords += 1 } }
        let length = log(Float(words) + 1)
        return [
            length, length * length, log(Float(paragraphs) + 1), Float(titleWords), log(Float(content.tags.count) + 1),
            Float(content.categories.count), log(Float(content.attributes.count) + 1),
            content.priceMicros.map { log(Float(max(0, $0)) / 1e6 + 1) },
            content.publishedAt.map { log(Float(max(0, Double(clock) - Double($0)) / 86_400_000) + 1) },
            content.publishedAt.map { Float(max(0, Double(clock) - Double($0)) / 86_400_000 / 365) },
        ]
    }
}
