import Evaluation
import Interactions
import Reports
import Testing

/// Pages of records with values that nobody hopes for, and with names that come from outside.
@Suite("Pages of odd records")
struct OddPageTests {
    private static let evil = "<script>alert(\"x\")</script>&'"

    private func html(_ record: EvaluationRecord, settings: [(key: String, value: String)] = [], status: String? = nil) -> String {
        ReportPage(
            ReportPage.Subject(title: Self.evil, subtitle: Self.evil, status: status, settings: settings, defaults: [Self.evil: "1"]),
            of: record
        ).html
    }

    /// Whether tags are closed in the order in which they were opened, so that no text broke out of its place.
    private func isBalanced(_ html: String) -> Bool {
        var open: [Substring] = [], rest = html[...]
        while let start = rest.firstIndex(of: "<"), let end = rest[start...].firstIndex(of: ">") {
            let tag = rest[rest.index(after: start)..<end]
            rest = rest[rest.index(after: end)...]
            let name = tag.prefix { !$0.isWhitespace && $0 != "/" }
            if tag.hasPrefix("/") {
                guard open.popLast() == tag.dropFirst() else { return false }
            } else if !tag.hasSuffix("/"), name != "!DOCTYPE" {
                open.append(name)
            }
        }
        return open.isEmpty && rest.firstIndex(of: ">") == nil
    }

    @Test("every text that comes from outside is text on the page")
    func escaped() {
        var record = EvaluationRecordTests.full
        record.split = Self.evil
        record.domains = [DomainRecord(domain: Self.evil, users: 1, interactions: 1, asked: 1, kept: true, adapter: true)]
        record.gate?.reasons = [Self.evil]
        record.gate?.comparisons?[0].role = Self.evil
        record.gate?.comparisons?[0].basis = Self.evil
        record.objectives?.examplesFrom = Self.evil
        record.objectives?.sweep = [
            ObjectivesRecord.Weighting(Self.evil, weights: [1, 2, 3], losses: [0.1, 0.2, 0.3], front: true, picked: true)
        ]
        record.curves?[0].stage = Self.evil
        record.timings = [StepTiming(name: Self.evil, seconds: 2)]
        record.data = [DataNote(Self.evil, .text(Self.evil))]
        record.ranking?.weights = NamedNumbers([.init(Self.evil, 1)])
        let html = html(record, settings: [(Self.evil, Self.evil), ("train.epochs", "")], status: Self.evil)
        #expect(!html.contains("<script") && html.contains("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;"))
        #expect(isBalanced(html))
        #expect(html.contains("class=\"changed\"") && html.contains("<span>–</span>"), "a setting that is empty is told")
    }

    @Test(
        "numbers that are none are dashes, never a crash or a point that is not there",
        arguments: [Double.nan, .infinity, -.infinity, 1e300])
    func numbers(odd: Double) {
        var record = EvaluationRecordTests.full
        record.model?.report.metrics["NDCG@10"] = MetricValue(mean: odd, standardError: odd)
        record.popularity?.report.coverageAt10 = odd
        record.model?.interval = nil
        record.gate?.comparisons?[0].difference = odd
        record.gate?.comparisons?[0].lowerBound = odd
        record.tailCurve?.points?[0].ndcg = odd
        record.objectives?.points?[0].gainNDCG = odd
        record.objectives?.clickReliability = [[odd, 0.2], [0.1, odd], [0.5]]
        record.timings = [StepTiming(name: "reading", seconds: odd), StepTiming(name: "training", seconds: 5)]
        record.data = [DataNote("share", .number(odd)), DataNote("rows", .integer(.max))]
        record.curves = [
            LearningCurve(
                stage: "s", epochs: [
                    .init(epoch: 1, loss: 2, seconds: 1, examplesPerSecond: odd, validation: 0.2),
                    .init(epoch: 2, loss: odd, seconds: odd, validation: odd), .init(epoch: 3, loss: 1, seconds: 1, validation: 0.3),
                ])
        ]
        let html = html(record)
        #expect(!html.contains("nan") && !html.contains("inf\"") && !html.contains("NaN") && isBalanced(html))
        // A loss that is no number has no place on the line.
        if !odd.isFinite { #expect(html.components(of: "<circle class=\"dot a\"") == 4) }
    }

    @Test("a page says what its record says: decision, chip, best values, who was asked less")
    func decision() {
        var record = EvaluationRecordTests.full
        record.gate?.passes = false
        record.recentPopularity = MetricsRecord(EvaluationRecordTests.report(0.4, users: 12))
        let html = html(record, status: "refused")
        #expect(html.contains("<span class=\"chip bad\">refused</span>") && html.contains("The gate refused it."))
        #expect(html.contains("<small>on 12 users</small>"), "asked other questions")
        // Who was asked other questions is no rival, however good.
        #expect(html.contains("against the best rival") && html.contains("+200.0 %"))
        #expect(html.contains("popularity (everything &lt;ever&gt;): 0.1000"))
        #expect(self.html(EvaluationRecordTests.full, status: "promoted").contains("<span class=\"chip good\">promoted</span>"))
    }

    @Test("the gate's table has a row a model, by roles and bases in words")
    func gate() {
        var record = EvaluationRecord()
        let found = PairedComparison(candidate: [0.2, 0.4, 0.3], other: [0.1, 0.2, 0.1], confidence: 0.9)
        func compared(_ role: String, _ basis: String, passes: Bool) -> GateRecord.Comparison {
            GateRecord.Comparison(
                role: role, version: 1_234, basis: basis,
                decision: GateDecision(passes: passes, reasons: [], comparison: found, allowedLoss: 0.01))
        }
        record.gate = PromotionGate().record(
            passes: false, reasons: ["x"],
            comparisons: [compared("anchor", "recorded figure", passes: true), compared("remembered", "learned by both", passes: false)])
        let html = html(record)
        #expect(html.contains("version 1\u{202F}234, best of the last weeks") && html.contains("its recorded figure, of other questions"))
        #expect(html.contains("promoted before, on what it knew") && html.contains("both have learned from them"))
        #expect(html.contains("<td class=\"good\">let pass</td>") && html.contains("<td class=\"bad\">refused</td>"))
        #expect(html.contains("<td>0.3000</td><td>0.1333</td>") && html.contains("<td>−0.0100</td>"))
    }

    @Test("goals mark the mix in use, domains say why one is not kept, the tail dial the place that is built in")
    func sections() {
        var record = EvaluationRecord()
        var objectives = ObjectivesRecord()
        objectives.points = [0, 1].map { place in
            ObjectivesRecord.Point(
                place, clickHead: place == 1, click: 1, conversion: 0, value: Double(place) / 2, report: EvaluationRecordTests.report(0.3),
                front: place == 1)
        }
        (objectives.conversionPower, objectives.valuePower) = (0, 0.5)
        record.objectives = objectives
        record.domains = [
            DomainRecord(domain: "country=at", users: 5, interactions: 9, asked: 40, kept: true, adapter: true),
            DomainRecord(domain: "country=be", users: 5, interactions: 9, asked: 40, kept: false, adapter: true),
            DomainRecord(domain: "country=ch", users: 5, interactions: 9, asked: 0, kept: false, adapter: false),
        ]
        record.tailCurve = TailCurveRecord(
            points: [0, 0.1].map { TailCurveRecord.Point(dial: $0, lift: 0, report: EvaluationRecordTests.report(0.3)) },
            recommended: (0.1, 0), used: (0.1, 0))
        let html = html(record)
        #expect(html.contains("<tr class=\"own\"><td>1 ★</td><td>click head</td>") && html.contains("<tr><td>0</td><td>blend</td>"))
        #expect(html.contains("<tr class=\"own\"><td>country=at</td>") && html.contains("<td>dropped</td>"))
        #expect(html.contains("none was better than the shared model"))
        #expect(html.contains("<tr class=\"own\"><td>0.10</td><td>0.00</td>") && html.contains("λ 0.10, δ 0.00"))
    }

    @Test("learning curves name the best epoch, and steps add up to the whole run")
    func learning() {
        var record = EvaluationRecord()
        record.curves = [
            LearningCurve(
                stage: "without the held-out part",
                epochs: (1...3).map {
                    .init(epoch: $0, loss: 3 - Double($0) / 2, seconds: 2, examplesPerSecond: 1_500, validation: $0 == 2 ? 0.4 : 0.1)
                }),
            LearningCurve(stage: "on everything", epochs: (1...70).map { .init(epoch: $0, loss: 1 / Double($0), seconds: 2) }),
            LearningCurve(stage: "empty", epochs: []),
        ]
        record.timings = [StepTiming(name: "reading", seconds: 100), StepTiming(name: "training", seconds: 7_300)]
        let html = html(record)
        #expect(html.contains("best: 0.4000 in epoch 2") && html.contains("2 h 3 min") && html.contains("<dd>100 s</dd>"))
        #expect(html.contains("1\u{202F}500 examples/s") && !html.contains(">empty<"))
        // Of seventy points the line alone says enough.
        #expect(html.components(of: "<circle class=\"dot a\"") == 3 + 3 && html.components(of: "<circle class=\"dot f\"") == 0)
        #expect(html.contains("width:1.35%") && html.contains("width:98.65%"))
    }
}

extension String {
    /// How often a text is in it.
    fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
