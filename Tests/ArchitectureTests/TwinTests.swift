import Testing

@Suite("Each thing stands once")
struct TwinTests {
    /// Twins that are meant, by the names of their files and why; nothing else may repeat six lines.
    static let deliberate: [(files: Set<String>, reason: String)] = [
        (["CandidateLoss.swift", "SoftmaxLoss.swift"], "two losses with the same arguments, each named where it is read"),
        (["LiveItemsCommands.swift", "BenchCommand.swift"], "the options of a command stand in the command"),
        (["TeacherVectors.swift", "SequenceInspection.swift"], "a tower's pointers are opened where it runs, in its order"),
        (["ColdRun.swift", "TailCurveRun.swift"], "what an evaluation is given stands in the evaluation"),
    ]

    @Test("no run of six lines stands twice in Sources, but for the twins that are meant")
    func twins() throws {
        var rules = TwinRules()
        for path in Checkout.swiftSources() { rules.add(path, try Checkout.text(path)) }
        for twin in rules.twins() {
            let files = Set([twin.first.path, twin.second.path].compactMap { $0.split(separator: "/").last.map(String.init) })
            #expect(Self.deliberate.contains { $0.files == files }, "\(twin)")
        }
    }

    @Test("the rule finds a planted twin at its full length, and what says nothing does not count")
    func planted() {
        let run = (1...7).map { "    let v\($0) = f(\($0))" }
        var rules = TwinRules()
        rules.add("A.swift", (["import B"] + run + ["g()"]).joined(separator: "\n"))
        rules.add(
            "B.swift", (["h()"] + run[..<3] + ["", "}", "  } else {"] + run[3...] + ["i()"]).map { $0 + "  " }.joined(separator: "\n"))
        let found = rules.twins()
        #expect(found.count == 1)
        #expect(found.first?.lines == 7 && found.first?.first.line == 2 && found.first?.second.line == 2)

        var short = TwinRules()
        short.add("A.swift", run[..<5].joined(separator: "\n"))
        short.add("B.swift", run[..<5].joined(separator: "\n") + "\n}\n]\n)\n")
        #expect(short.twins().isEmpty)

        var inOne = TwinRules()
        inOne.add("A.swift", (run + ["x()"] + run).joined(separator: "\n"))
        #expect(inOne.twins().count == 1)
    }
}
