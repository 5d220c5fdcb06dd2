#if canImport(Glibc)
    import Glibc
#endif

/// How many lists a search looks at, by how deep it goes: a search for the best hundred of every tenth row goes as deep as one
/// for the best thousand of all.
public struct ProbePlan: Sendable, Equatable {
    /// Probes that were found to be enough for a depth.
    public struct Step: Sendable, Equatable {
        /// How many candidates a search asks for.
        public var depth: Int
        /// How many lists such a search reads.
        public var probes: Int

        /// Makes a step.
        public init(depth: Int, probes: Int) {
            self.depth = max(depth, 1)
            self.probes = max(probes, 1)
        }
    }

    /// Where nothing deeper was measured, probes grow like this power of the depth.
    private static let growth = 0.6
    /// The most steps of a plan.
    static let maxSteps = 3

    /// At least one, by depth.
    public let steps: [Step]

    /// Makes a plan. Without steps it looks at 64 lists for the best hundred.
    public init(_ steps: [Step]) {
        let sorted = steps.sorted { $0.depth < $1.depth }.suffix(Self.maxSteps)
        self.steps = sorted.isEmpty ? [Step(depth: 100, probes: 64)] : Array(sorted)
    }

    /// Lists to look at; between and beyond the steps along a power of the depth.
    public func probes(depth: Double, lists: Int) -> Int {
        guard let first = steps.first, let last = steps.last, depth > Double(first.depth) else {
            return min(lists, steps.first?.probes ?? lists)
        }
        var low = last
        var power = Self.growth
        for (lower, upper) in zip(steps, steps.dropFirst()) where upper.depth > lower.depth {
            power = max(0, log(Double(upper.probes) / Double(lower.probes)) / log(Double(upper.depth) / Double(lower.depth)))
            low = lower
            if depth <= Double(upper.depth) { break }
        }
        let probes = Double(low.probes) * pow(depth / Double(low.depth), power)
        return probes < Double(lists) ? Int(probes.rounded(.up)) : lists
    }
}
