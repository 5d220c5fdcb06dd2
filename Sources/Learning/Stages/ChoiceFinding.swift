import Evaluation
import TrainingFiles

/// What trials have come to so far, and what follows from it.
struct ChoiceFinding {
    /// Trials that ended.
    var table: TrialTable
    /// The choice that is to be beaten.
    let choice: String
    /// Whether something was left out for time.
    var isTimeDecided = false
    /// What was not begun, and about how many seconds it would have taken.
    var skipped: [String: Double] = [:]
    /// Why nothing could be compared.
    var problem: String?

    /// The name under which the time stands that the logs themselves took.
    static let preparing = "preparing"
    /// What is said of a trial that was given up.
    static let cut = "it did not end within the budget"

    /// Nothing yet beside what a training that was stopped has left.
    init(_ table: TrialTable, choice: String) {
        self.table = table
        self.choice = choice
    }

    /// What all trials took.
    var seconds: Double { table.seconds }

    /// Whether a trial ended with answers.
    func hasEnded(_ name: String, _ oneIn: Int) -> Bool { table.trial(name, oneIn)?.values != nil }

    /// How those stand that were asked the same questions; nil where the choice itself has no answers there.
    func verdict(_ contestants: [AutoAlternative], _ oneIn: Int) -> ChoiceVerdict? {
        let answered = contestants.compactMap { contestant in
            table.trial(contestant.name, oneIn)?.values.map {
                ChoiceVerdict.Answered(name: contestant.name, appetite: contestant.appetite, values: $0)
            }
        }
        guard let first = answered.first, first.name == choice else { return nil }
        return ChoiceVerdict(first, Array(answered.dropFirst()), isWhole: oneIn == 1)
    }

    /// For the registry. What decides is the most users on which the choice and an alternative have answers.
    func comparison(_ contestants: [AutoAlternative], budgetSeconds: Double) -> ChoiceComparison {
        let widest = Set(table.trials.map(\.oneIn)).sorted().first { oneIn in
            hasEnded(choice, oneIn) && contestants.dropFirst().contains { hasEnded($0.name, oneIn) }
        }
        let verdict = widest.flatMap { self.verdict(contestants, $0) }
        var comparison = ChoiceComparison(budgetSeconds: budgetSeconds, taken: verdict?.taken ?? choice)
        comparison.seconds = seconds
        comparison.isTimeDecided = isTimeDecided
        comparison.trials = contestants.map { row($0, beside: contestants.first, widest: widest, verdict) }
        comparison.reason = reason(comparison)
        return comparison
    }

    private func row(
        _ contestant: AutoAlternative, beside first: AutoAlternative?, widest: Int?, _ verdict: ChoiceVerdict?
    ) -> ChoiceComparison.Trial {
        var row = ChoiceComparison.Trial(name: contestant.name)
        let isChoice = contestant.name == choice
        if !isChoice {
            row.settings = contestant.decisions.filter { mine in
                !(first?.decisions.contains { $0.key == mine.key && $0.value == mine.value } ?? false)
            }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        }
        let own = table.trials.filter { $0.name == contestant.name }
        row.seconds = own.reduce(0) { $0 + $1.seconds }
        guard let shown = own.filter({ $0.values != nil }).min(by: { $0.oneIn < $1.oneIn }), let values = shown.values else {
            row.note = own.last?.failure ?? skipped[contestant.name].map { "not begun: about \(Int($0.rounded())) s did not fit" }
                ?? problem ?? "not tried"
            return row
        }
        (row.oneIn, row.questions) = (shown.oneIn, values.count)
        let alone = PairedComparison(candidate: values, other: values.map { _ in 0 }, confidence: 0.9)
        (row.ndcg, row.standardError) = (alone.candidateMean, alone.standardError)
        guard !isChoice else {
            row.note = "the choice that the others were held against"
            return row
        }
        guard shown.oneIn == widest, let found = verdict?.rows.first(where: { $0.name == contestant.name }) else {
            // Of fewer users than what decided: its difference there.
            let there = self.verdict([first, contestant].compactMap { $0 }, shown.oneIn)?.rows.first
            (row.difference, row.low, row.high) = (there?.difference, there?.low, there?.high)
            let hasLess = contestant.appetite < first?.appetite ?? 0
            row.note = there?.isWorse == true && contestant.appetite <= first?.appetite ?? 0 ? Self.lost
                : hasLess ? Self.undecided : "there was no time to try it with more users"
            return row
        }
        (row.difference, row.low, row.high) = (found.difference, found.low, found.high)
        row.note = note(found, of: contestant, beside: first, oneIn: shown.oneIn, questions: values.count)
        return row
    }

    private func note(
        _ found: ChoiceVerdict.Row, of contestant: AutoAlternative, beside first: AutoAlternative?, oneIn: Int, questions: Int
    ) -> String {
        if found.isBetter { return "better by more than chance" }
        if found.isCheaper { return Self.asGood }
        if found.difference == nil { return "too few questions to tell: \(questions) of \(ChoiceVerdict.leastQuestions)" }
        if found.isWorse { return "worse by more than chance" }
        if oneIn > 1, contestant.appetite < first?.appetite ?? 0 {
            return Self.undecided
        }
        return (found.low ?? 0) > 0 ? "better by so little that another seed would move it as much" : "no better than chance"
    }

    private func reason(_ comparison: ChoiceComparison) -> String {
        guard let taken = comparison.trials.first(where: { $0.name == comparison.taken }), taken.name != choice,
            let mine = comparison.trials.first(where: { $0.name == choice })
        else {
            let ended = comparison.trials.filter { $0.ndcg != nil }
            return problem.map { "Nothing was compared: \($0)." }
                ?? (ended.count < 2 ? "No comparison ended within the budget of time: \(Self.title(choice)) stay." : nil)
                ?? "No alternative was better by more than chance: \(Self.title(choice)) stay."
        }
        func four(_ value: Double?) -> String { decimal(value ?? 0, places: 4) }
        let users = taken.oneIn == 1 ? "all users" : "one in \(taken.oneIn ?? 1) users"
        let verdict = taken.note == Self.asGood ? "are as good with less to learn" : "are better"
        return "On what was held out \(Self.title(taken.name)) \(verdict): NDCG@10 \(four(taken.ndcg)) for \(four(mine.ndcg)) (difference "
            + "\(four(taken.low)) to \(four(taken.high)), \(taken.questions ?? 0) questions, \(users))."
    }

    private static let asGood = "as good, with less to learn"
    private static let lost = "worse with few users, and it has no more to learn: not tried with more"
    private static let undecided = "with few users what has less to learn looks better than it is: nothing is concluded"

    private static func title(_ name: String) -> String {
        name == AutoAlternative.rules ? "the settings of the rules" : "the settings of \"\(name)\""
    }
}
