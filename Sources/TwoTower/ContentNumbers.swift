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

    var mean = [Float](repeating: 0, count: count)
    /// 1 / standard deviation; 0 for a number that never differs.
    var scale = [Float](repeating: 0, count: count)
    /// Milliseconds since 1970 that ages are measured to.
    var clock: Int64

    init(clock: Int64) { self.clock = clock }

    /// Learns means and deviations.
    init(_ contents: [ItemContent], clock: Int64) {
        self.clock = clock
        var sums = [Double](repeating: 0, count: Self.count), squares = sums, counts = sums
        for content in contents {
            for (place, value) in raw(content).enumerated() {
                guard let value else { continue }
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
        }
    }

    /// The standardised numbers, ``count`` of them; 0 where one is not known.
    func values(of content: ItemContent) -> [Float] {
        raw(content).enumerated().map { place, value in
            value.map { min(Self.limit, max(-Self.limit, ($0 - mean[place]) * scale[place])) } ?? 0
        }
    }

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
            Float(content.categories.count), log(Float(content.attributes.count) + 1), content.priceMicros.map { log(Float(max(0, $0)) / 1e6 + 1) },
            content.publishedAt.map { log(Float(max(0, Double(clock) - Double($0)) / 86_400_000) + 1) },
            content.publishedAt.map { Float(max(0, Double(clock) - Double($0)) / 86_400_000 / 365) },
        ]
    }
}
