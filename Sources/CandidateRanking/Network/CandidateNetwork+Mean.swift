extension CandidateNetwork {
    /// The network whose scores are the mean of those of others: fits that differ by their seeds alone agree on what is there and not on
    /// what chance gave them (Breiman 1996, bagging without the bootstrap).
    ///
    /// Its hidden layers are the others' side by side; between them the weights from one to another are 0.
    ///
    /// - Parameter networks: at least one, of the same signals, scaling, layers and goals.
    /// - Complexity: a pass costs, for `k` networks, `k` times the first layer and `k²` times the later ones.
    public static func mean(of networks: [CandidateNetwork]) -> CandidateNetwork {
        let first = networks[0], count = networks.count
        guard count > 1 else { return first }
        precondition(
            networks.allSatisfy { $0.layout == first.layout && $0.scaling == first.scaling }, "a mean of networks of different shapes")
        let hidden = first.hidden.map { $0 * count }, share = 1 / Float(count)
        let layout = NetworkLayout(width: first.width, hidden: hidden, goals: first.goals)
        var parameters = [Float](repeating: 0, count: layout.count)
        for (place, network) in networks.enumerated() {
            for weight in 0..<first.goals * first.width { parameters[weight] += share * network.parameters[weight] }
            for (number, layer) in layout.layers.enumerated() {
                let own = first.layout.layers[number]
                // The first layer reads what all read; each later one reads its own network's alone.
                let firstInput = number == 0 ? 0 : place * own.inputs
                for input in 0..<own.inputs {
                    let from = own.weights + input * own.units, to = layer.weights + (firstInput + input) * layer.units + place * own.units
                    for unit in 0..<own.units { parameters[to + unit] = network.parameters[from + unit] }
                }
                for unit in 0..<own.units { parameters[layer.biases + place * own.units + unit] = network.parameters[own.biases + unit] }
            }
            let units = first.layout.lastUnits
            for goal in 0..<first.goals {
                for unit in 0..<units {
                    parameters[layout.output + goal * layout.lastUnits + place * units + unit] =
                        share * network.parameters[first.layout.output + goal * units + unit]
                }
            }
        }
        return CandidateNetwork(scaling: first.scaling, hidden: hidden, goals: first.goals, parameters: parameters)
    }
}
