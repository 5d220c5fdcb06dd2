import Evaluation

/// A counter as a ranker has it: the sum of a few signals as they are, each times a number, as somebody who counts adds them up.
///
/// Counts of people are taken relative to those of the most popular item of the same tables. What links add up to is less exact than in
/// the rival itself: of each item the strongest are kept, under one regularisation.
public struct CounterForm: Sendable, Equatable {
    /// A signal and what one of it counts.
    public struct Term: Sendable, Equatable {
        /// Which signal.
        public var signal: CandidateSignal
        /// What it is multiplied by.
        public var weight: Float

        /// Both.
        public init(_ signal: CandidateSignal, _ weight: Float) { (self.signal, self.weight) = (signal, weight) }
    }

    /// How it counts, for people.
    public let words: String
    /// What is added up.
    public let terms: [Term]

    /// A form; at least one term.
    public init(_ words: String, _ terms: [Term]) {
        precondition(!terms.isEmpty, "a counter counts something")
        (self.words, self.terms) = (words, terms)
    }

    /// What popularity counts where it only stands behind everything else, and where it only tells equal counts apart.
    private static let behind: Float = 1e-4, between: Float = 0.999
    /// Links are signals of a hundred times their size.
    private static let ofLink: Float = 0.01

    /// The forms of a rival, the usual one first; none where it has none.
    ///
    /// - Parameter usesTimes: whether times say more than an order.
    public static func forms(of rival: EvaluationRecord.Contestant, usesTimes: Bool) -> [CounterForm] {
        switch rival {
        case .popularity: [CounterForm("people who ever took it", [Term(.users, 1)])]
        case .recentPopularity: usesTimes ? recent : []
        case .buyAgain: buyAgain(usesTimes)
        case .windowedMarkov:
            links([
                (.followers, "what follows the newest 40 within ten steps"),
                (.newestFollowers, "what follows the newest 8 within ten steps"),
                (.next, "what comes next after the newest 5"),
            ])
        case .ease:
            links(
                [(.ease, "what goes with all that they had"), (.easeOfNewest, "what goes with the newest that they had")]
                    + (usesTimes ? [(.easeOf60Days, "what goes with what they had, half after 60 days")] : []))
        case .itemItem: links([(.neighbours, "what people with the same items had")])
        case .model, .promoted: []
        }
    }

    private static var recent: [CounterForm] {
        [(CandidateSignal.users28, 28), (.users7, 7), (.users112, 112)].map { signal, days in
            CounterForm("people of the last \(days) days", [Term(signal, 1), Term(.users, behind)])
        }
    }

    private static func buyAgain(_ usesTimes: Bool) -> [CounterForm] {
        let recent = usesTimes ? CandidateSignal.users28 : .users, late = usesTimes ? "popularity of 28 days" : "popularity"
        let counts: [(CandidateSignal, String)] = [(.ownLines, "times they had it")] + (usesTimes ? [(.ownVisits, "days they had it")] : [])
        let fading: [(CandidateSignal, String)] = usesTimes
            ? [
                (.ownOf180Days, "half after 180 days"), (.ownOf60Days, "half after 60 days"), (.ownOf20Days, "half after 20 days"),
                (.ownByVisits, "0.8 a later visit"),
            ] : []
        let plain = counts.flatMap { signal, words in
            [CounterForm("\(words), ties by popularity", [Term(signal, 1), Term(.users, between)])]
                + [Float(0.01), 1, 2].map { weight in
                    let added = "plus \(decimal(Double(weight), places: 2)) times \(late)"
                    return CounterForm("\(words), \(added)", [Term(signal, 1), Term(recent, weight)])
                }
        }
        return plain + fading.flatMap { signal, words in
            [
                CounterForm("times they had it, \(words)", [Term(signal, 1), Term(recent, behind)]),
                CounterForm("times they had it, \(words), plus 0.6 times \(late)", [Term(signal, 1), Term(recent, 0.6)]),
            ]
        }
    }

    private static func links(_ signals: [(CandidateSignal, String)]) -> [CounterForm] {
        signals.map { CounterForm($1, [Term($0, ofLink), Term(.users, ofLink * behind)]) }
    }

    /// The network that adds up some forms, one a goal.
    ///
    /// - Parameters:
    ///   - forms: from 1 to 16.
    ///   - tables: whose most popular item counts of people are relative to.
    public static func network(_ forms: [CounterForm], for tables: CandidateTables) -> CandidateNetwork {
        let width = CandidateSignal.count
        var scale = [Float](repeating: 0, count: width), parameters = [Float](repeating: 0, count: width * forms.count)
        for (place, form) in forms.enumerated() {
            for term in form.terms {
                scale[term.signal.rawValue] = tables.unit(of: term.signal)
                parameters[place * width + term.signal.rawValue] = term.weight
            }
        }
        return CandidateNetwork(
            scaling: SignalScaling(mean: [Float](repeating: 0, count: width), scale: scale, isPlain: true), hidden: [], goals: forms.count,
            parameters: parameters)
    }
}

extension CandidateTables {
    /// What makes a signal's numbers comparable in a counter: one over the most popular item's count of people; 1 for other signals.
    fileprivate func unit(of signal: CandidateSignal) -> Float {
        let column: ItemCounts.Column
        switch signal {
        case .users7: column = .users7
        case .users28: column = .users28
        case .users112: column = .users112
        case .users: column = .users
        default: return 1
        }
        return 1 / max(1, items.columns[column.rawValue].max() ?? 0)
    }
}

extension RankerWeights {
    /// Whether these are of a counter and not of a network that learned.
    public var isCounter: Bool { network.scaling.isPlain }

    /// The same weights for tables that were counted anew: a counter's people are relative to those of the most popular item there.
    public func counting(_ tables: CandidateTables) -> RankerWeights {
        guard isCounter else { return self }
        var scale = network.scaling.scale
        for signal in CandidateSignal.allCases where scale[signal.rawValue] > 0 { scale[signal.rawValue] = tables.unit(of: signal) }
        var next = self
        next.network = CandidateNetwork(
            scaling: SignalScaling(mean: network.scaling.mean, scale: scale, isPlain: true), hidden: network.hidden, goals: network.goals,
            parameters: network.parameters)
        return next
    }
}
