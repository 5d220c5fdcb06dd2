import CandidateRanking
import FuzzInputs
import Tensors
import Testing

@Suite("A network that scores candidates")
struct CandidateNetworkTests {
    @Test(
        "the fast pass agrees with the plain one",
        arguments: [([Int](), 1), ([], 2), ([16], 1), ([32, 16], 2), ([16, 48, 32], 1)])
    func reference(hidden: [Int], goals: Int) {
        var random = SeededGenerator(seed: 7)
        for width in [1, 5, 16, 45] {
            let network = CandidateNetwork.random(width: width, hidden: hidden, goals: goals, seed: UInt64(width))
            for candidates in [1, 3, 64, 65, 130] {
                let signals = (0..<candidates * width).map { _ in 20 * random.normal() }
                let fast = network.scores(of: signals), plain = network.referenceScores(signals)
                #expect(fast.count == candidates * goals && plain.count == fast.count)
                #expect(zip(fast, plain).allSatisfy { abs(Double($0) - $1) < 1e-4 * (1 + abs($1)) })
            }
        }
    }

    @Test("a candidate's scores do not depend on the others beside it, and none has none")
    func alone() {
        let network = CandidateNetwork.random(width: 9, hidden: [32, 16], goals: 2, seed: 3)
        var random = SeededGenerator(seed: 4)
        let signals = (0..<9 * 70).map { _ in random.normal() }
        let all = network.scores(of: signals)
        for candidate in 0..<70 {
            let own = network.scores(of: Array(signals[candidate * 9..<(candidate + 1) * 9]))
            #expect(zip(own, all[candidate * 2..<candidate * 2 + 2]).allSatisfy { abs($0 - $1) < 1e-5 })
        }
        #expect(network.scores(of: []) == [])
    }

    @Test("scores are finite whatever the signals and the parameters")
    func odd() {
        let odd: [Float] = [.nan, .infinity, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 0, .leastNonzeroMagnitude]
        let network = CandidateNetwork.random(width: 7, hidden: [16], goals: 2, seed: 5)
        #expect(network.scores(of: odd + odd.reversed()).allSatisfy { $0.isFinite })
        let large = CandidateNetwork(
            scaling: network.scaling, hidden: [16], goals: 2, parameters: network.parameters.map { $0 * 1e38 })
        #expect(large.scores(of: odd).allSatisfy { $0.isFinite })
    }

    @Test("the mean of networks scores as the mean of their scores", arguments: [[Int](), [16], [32, 16], [16, 48, 32]])
    func mean(hidden: [Int]) {
        var random = SeededGenerator(seed: 11)
        let first = CandidateNetwork.random(width: 9, hidden: hidden, goals: 2, seed: 12)
        let networks = [first] + (0..<2).map { _ in
            CandidateNetwork(
                scaling: first.scaling, hidden: hidden, goals: 2, parameters: first.parameters.map { $0 + 0.3 * random.normal() })
        }
        let signals = (0..<9 * 40).map { _ in 3 * random.normal() }
        let all = networks.map { $0.scores(of: signals) }, mean = CandidateNetwork.mean(of: networks).scores(of: signals)
        for (place, score) in mean.enumerated() {
            let sum = all.reduce(Float(0)) { $0 + $1[place] }
            #expect(abs(score - sum / 3) < 1e-4 * (1 + abs(score)))
        }
        let most = zip(all[0], all[1]).map { abs($0 - $1) }.max() ?? 0
        #expect(most > 0.1)
        let alone = CandidateNetwork.mean(of: [first])
        #expect(alone == first)
    }

    @Test("files give the network back", arguments: [[Int](), [32, 16]])
    func coding(hidden: [Int]) throws {
        let network = CandidateNetwork.random(width: 6, hidden: hidden, goals: 2, seed: 8)
        let part = network.encoded()
        let read = try CandidateNetwork(encoded: part)
        #expect(read == network)
        for damage in PartDamage.all(of: part) where damage.what != "hidden longer" {
            #expect(throws: PartFormatError.self, "\(damage.what)") { try CandidateNetwork(encoded: damage.part) }
        }
    }

    @Test("sizes that cannot be are refused before anything is computed from them")
    func sizes() {
        let network = CandidateNetwork.random(width: 6, hidden: [32, 16], goals: 1, seed: 9)
        func refused(_ name: String, _ values: PartTensors.Values) -> Bool {
            let tensors = network.encoded().tensors.map {
                $0.name == name ? PartTensors.Tensor(name: name, shape: [values.count], values: values) : $0
            }
            let part = PartTensors(tensors: tensors, texts: network.encoded().texts)
            return (try? CandidateNetwork(encoded: part)) == nil
        }
        for hidden: [Int64] in [[0], [-16, 16], [33, 16], [.max], [32, 16, 16], Array(repeating: 1_024, count: 9), [16, 32]] {
            #expect(refused("hidden", .int64(hidden)), "\(hidden)")
        }
        for goals: Int64 in [0, -1, 2, 17, .max, .min] { #expect(refused("goals", .int64([goals])), "\(goals)") }
        #expect(refused("scaling.mean", .float32([])))
        #expect(refused("scaling.scale", .float32([-1, 1, 1, 1, 1, 1])))
        #expect(refused("parameters", .float32(network.parameters.map { $0 * 1e9 })))
    }

    @Test("flipped bits are refused, or give a network whose scores are finite")
    func flippedBits() {
        let network = CandidateNetwork.random(width: 3, hidden: [16], goals: 1, seed: 10)
        let part = network.encoded()
        var random = SeededGenerator(seed: 11), kept = 0
        for _ in 0..<400 {
            let place = random.next(below: part.tensors.count), bit = random.next(below: 64)
            let tensors = part.tensors.enumerated().map { $0 == place ? Self.flipped($1, bit, &random) : $1 }
            guard let read = try? CandidateNetwork(encoded: PartTensors(tensors: tensors, texts: part.texts)) else { continue }
            kept += 1
            #expect(read.scores(of: [1, -2, 3, 4, 5, .nan]).allSatisfy { $0.isFinite })
        }
        #expect(kept > 50)
    }

    private static func flipped(_ tensor: PartTensors.Tensor, _ bit: Int, _ random: inout SeededGenerator) -> PartTensors.Tensor {
        let at = random.next(below: tensor.values.count)
        switch tensor.values {
        case .float32(var values):
            values[at] = Float(bitPattern: values[at].bitPattern ^ 1 << UInt32(bit % 32))
            return PartTensors.Tensor(name: tensor.name, shape: tensor.shape, values: .float32(values))
        case .int64(var values):
            values[at] ^= 1 << Int64(bit)
            return PartTensors.Tensor(name: tensor.name, shape: tensor.shape, values: .int64(values))
        default: return tensor
        }
    }
}
