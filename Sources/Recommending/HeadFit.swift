import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Examples to fit the heads on.
public struct HeadExamples: Sendable {
    /// `[count, HeadFeature.count]`, row-major.
    public private(set) var features: [Float] = []
    /// The impressions to learn from.
    public private(set) var examples: [HeadExample] = []
    /// The group of each example, such as a half of the users.
    public private(set) var groups: [Int] = []

    /// No examples.
    public init() {}

    /// Examples so far.
    public var count: Int { examples.count }

    /// Adds one with its ``HeadFeature/count`` features.
    public mutating func append(_ features: some Collection<Float>, _ example: HeadExample, group: Int) {
        precondition(features.count == HeadFeature.count, "\(features.count) features of an example; \(HeadFeature.count) are needed")
        self.features.append(contentsOf: features)
        examples.append(example)
        groups.append(group)
    }
}

/// How the three losses are weighed against each other.
public enum HeadBalance: Sendable, Equatable {
    /// As given: click, conversion, value.
    case fixed([Float])
    /// By learned uncertainty: Σ e^(−s) · loss + s / 2 with an s for each loss (Kendall, Gal and Cipolla 2018, arXiv 1705.07115, eq. 10).
    case uncertainty
}

/// Fits a ``HeadNetwork`` by Adam in small batches on one thread: the same examples and seed give the same network.
public struct HeadFit: Sendable {
    /// How the goals share the trunk.
    public var balance: HeadBalance
    /// The same seed gives the same heads.
    public var seed: UInt64
    /// Passes over the examples.
    public var epochs = 8
    /// Examples of one step.
    public var batchSize = 256
    /// The step size of Adam.
    public var learningRate: Float = 0.005
    /// Decoupled weight decay.
    public var weightDecay: Float = 0.002

    /// Makes a fit.
    public init(balance: HeadBalance = .uncertainty, seed: UInt64 = 1) {
        self.balance = balance
        self.seed = seed
    }

    /// A network, and the weights of the losses as they were in the end.
    ///
    /// - Parameter uses: which examples count, by place. Without any the network says the same of everything.
    public func network(for examples: HeadExamples, uses: (Int) -> Bool = { _ in true }) -> (network: HeadNetwork, weights: [Float]) {
        let used = (0..<examples.count).filter(uses)
        var random = SeededGenerator(seed: seed, stream: 0x4845_4144)
        var network = Self.start(examples, used, &random)
        var weights: [Float] = [1, 1, 1]
        if case .fixed(let given) = balance { weights = given }
        guard !used.isEmpty else { return (network, weights) }
        let decays = Self.decays(network)
        var doubts: [Float] = [0, 0, 0]
        var first = [Float](repeating: 0, count: network.parameters.count), second = first
        var doubtFirst = SIMD3<Float>(repeating: 0), doubtSecond = doubtFirst
        var order = used, step = 0
        let steps = epochs * ((used.count + batchSize - 1) / batchSize)
        for _ in 0..<epochs {
            random.shuffle(&order)
            for start in stride(from: 0, to: order.count, by: batchSize) {
                step += 1
                if balance == .uncertainty { weights = doubts.map { exp(-$0) } }
                let batch = order[start..<min(start + batchSize, order.count)]
                let (losses, gradient) = Self.gradient(network, examples, batch, HeadLoss(weights: weights))
                // Falls along a cosine, so that the end is not noise.
                let rate = learningRate * (1 + cos(Float.pi * Float(step) / Float(steps))) / 2
                let one = 1 - pow(0.9, Float(step)), two = 1 - pow(0.999, Float(step))
                for place in gradient.indices {
                    first[place] += 0.1 * (gradient[place] - first[place])
                    second[place] += 0.001 * (gradient[place] * gradient[place] - second[place])
                    let direction = first[place] / one / ((second[place] / two).squareRoot() + 1e-8)
                    network.parameters[place] -= rate * (direction + (decays[place] ? weightDecay * network.parameters[place] : 0))
                }
                guard balance == .uncertainty else { continue }
                for place in 0..<3 {
                    let slope = 0.5 - weights[place] * losses[place]
                    doubtFirst[place] += 0.1 * (slope - doubtFirst[place])
                    doubtSecond[place] += 0.001 * (slope * slope - doubtSecond[place])
                    doubts[place] -= rate * doubtFirst[place] / one / ((doubtSecond[place] / two).squareRoot() + 1e-8)
                    doubts[place] = min(max(doubts[place], -4), 4)
                }
            }
        }
        return (network, weights)
    }

    /// Mean losses of some examples, and the derivative of their weighted sum by the parameters.
    public static func gradient(
        _ network: HeadNetwork, _ examples: HeadExamples, _ batch: some Collection<Int>, _ loss: HeadLoss
    ) -> (losses: SIMD3<Float>, gradient: [Float]) {
        let count = network.featureCount, width = HeadNetwork.width, outputs = HeadNetwork.outputs
        let tail = (count + 1) * width, hiddenStart = tail + (count + 1) * outputs
        var gradient = [Float](repeating: 0, count: network.parameters.count)
        var losses = SIMD3<Float>(repeating: 0), total: Float = 0
        var x = [Float](repeating: 1, count: count + 1), hidden = [Float](repeating: 0, count: width)
        let parameters = network.parameters
        for index in batch {
            for place in 0..<count { x[place] = (examples.features[index * count + place] - network.mean[place]) * network.scale[place] }
            for unit in 0..<width { hidden[unit] = 0 }
            var out = SIMD4<Float>(repeating: 0)
            for place in 0...count {
                for unit in 0..<width { hidden[unit] += x[place] * parameters[place * width + unit] }
                for output in 0..<outputs { out[output] += x[place] * parameters[tail + place * outputs + output] }
            }
            for unit in 0..<width where hidden[unit] > 0 {
                for output in 0..<outputs { out[output] += hidden[unit] * parameters[hiddenStart + unit * outputs + output] }
            }
            let bounded = HeadNetwork.bounded(out[3])
            var (lost, slope) = loss.evaluate(
                HeadOutput(click: out[0], conversion: out[1], location: out[2], logScale: bounded), examples.examples[index])
            if bounded != out[3] { slope[3] = 0 }
            losses += lost
            total += examples.examples[index].weight
            for place in 0...count {
                for output in 0..<outputs { gradient[tail + place * outputs + output] += x[place] * slope[output] }
            }
            for unit in 0..<width where hidden[unit] > 0 {
                var back: Float = 0
                for output in 0..<outputs {
                    gradient[hiddenStart + unit * outputs + output] += hidden[unit] * slope[output]
                    back += slope[output] * parameters[hiddenStart + unit * outputs + output]
                }
                for place in 0...count { gradient[place * width + unit] += x[place] * back }
            }
        }
        let share = 1 / max(total, 1e-9)
        for place in gradient.indices { gradient[place] *= share }
        return (losses * share, gradient)
    }

    /// Features standardised, small random hidden weights, outputs at the base rates.
    private static func start(_ examples: HeadExamples, _ used: [Int], _ random: inout SeededGenerator) -> HeadNetwork {
        let count = HeadFeature.count, width = HeadNetwork.width, outputs = HeadNetwork.outputs
        var sums = [Double](repeating: 0, count: count), squares = sums
        var clicks = 0.0, bought = 0.0, weight = 0.0
        for index in used {
            for place in 0..<count {
                let value = Double(examples.features[index * count + place])
                sums[place] += value
                squares[place] += value * value
            }
            let example = examples.examples[index]
            weight += Double(example.weight)
            clicks += Double(example.weight * example.click)
            bought += example.isBought ? Double(example.weight) : 0
        }
        let n = max(Double(used.count), 1)
        let mean = sums.map { Float($0 / n) }
        let scale = (0..<count).map { place -> Float in
            let deviation = max(0, squares[place] / n - sums[place] / n * sums[place] / n).squareRoot()
            return deviation > 1e-5 ? Float(1 / deviation) : 0
        }
        var parameters = [Float](repeating: 0, count: HeadNetwork.parameterCount(features: count))
        let spread = (1 / Float(count)).squareRoot()
        for place in 0..<count * width { parameters[place] = spread * random.normal() }
        let tail = (count + 1) * width
        parameters[tail + count * outputs] = logit(clicks / max(weight, 1))
        parameters[tail + count * outputs + 1] = logit(bought / max(clicks, 1))
        for place in tail + (count + 1) * outputs..<parameters.count { parameters[place] = 0.1 * random.normal() }
        return HeadNetwork(mean: mean, scale: scale, parameters: parameters)
    }

    private static func logit(_ share: Double) -> Float {
        let bounded = min(max(share, 1e-5), 1 - 1e-3)
        return Float(log(bounded / (1 - bounded)))
    }

    /// Biases do not decay.
    private static func decays(_ network: HeadNetwork) -> [Bool] {
        let count = network.featureCount, width = HeadNetwork.width, outputs = HeadNetwork.outputs
        let tail = (count + 1) * width
        return network.parameters.indices.map { place in
            !(count * width..<tail).contains(place) && !(tail + count * outputs..<tail + (count + 1) * outputs).contains(place)
        }
    }
}
