import Evaluation
import Foundation
import Reports
import Testing

@Suite("Pages of what was found")
struct ReportPageTests {
    private func page(_ record: EvaluationRecord) -> String {
        ReportPage(
            ReportPage.Subject(
                title: "Version <1>", subtitle: "from \"somewhere\"", status: "refused",
                settings: [("train.epochs", "3"), ("train.seed", "1")],
                defaults: ["train.epochs": "2", "train.seed": "1"]), of: record
        ).html
    }

    @Test("every part of a full record is on its page")
    func full() {
        let html = page(EvaluationRecordTests.full)
        for word in [
            "The gate let it pass", "good &lt;enough&gt;", "version 7, promoted before", "country=n", "Goals",
            "The tail dial", "Ranking blend", "Ranker over counters", "0.3000 with it, 0.2000 without", "700 questions at 8 borders",
            "NDCG@10 with 95 %", "on everything", "reading", "interactions", "popularity", "class=\"changed\"><code>train.epochs",
            "The towers alone reach NDCG@10 0.2500", "one that is better by more than chance refuses the model",
            "<td>buy it again</td><td>0.6500</td><td>−69.2 %</td>",
            "12.5 % <small>mat &lt;1&gt;</small></td><td>50.0 %</td><td>77</td><td>25.0 %</td><td>–</td><td>5.0 %</td>",
            "is in 15.0 % with prices on 3 items, which cost 1.0 % of NDCG@10 (held to 15.0 %",
            "<td>EASE</td><td>0.1000</td><td>+100.0 %</td>",
        ] {
            #expect(html.contains(word), "\(word) is missing")
        }
    }

    @Test("what stays out is told with reasons, and a set rule that costs with what it costs")
    func exclusion() {
        var record = EvaluationRecordTests.full
        var exclusion = ExclusionRecord()
        (exclusion.setting, exclusion.types, exclusion.reasons) = ("auto", ["click"], ["Of 9 things <few> came back."])
        (exclusion.categories, exclusion.categoryCount) = ((0..<20).map { "c\($0)" }, 30)
        (exclusion.removed, exclusion.ndcg, exclusion.ndcgWithout) = (0.4, 0.1, 0.35)
        record.exclusion = exclusion
        for word in ["What stays out", "met by click", "c11 and 18 more", "&lt;few&gt;", "40.0 %", "without the rule 0.3500"] {
            #expect(page(record).contains(word), "\(word) is missing")
        }
        #expect(exclusion.warning == nil)
        record.exclusion?.setting = "purchased"
        #expect(page(record).contains("rules.exclude: [purchased] removes 40 % of what people took next"))
        #expect(!page(EvaluationRecordTests.full).contains("What stays out"))
        #expect(EvaluationRecord(registry: record.json).exclusion == record.exclusion)
    }

    @Test("what comes from outside is text")
    func escaped() {
        let html = page(EvaluationRecordTests.full)
        #expect(html.contains("Version &lt;1&gt;") && html.contains("from &quot;somewhere&quot;") && !html.contains("<enough>"))
    }

    @Test("an empty record has a page, which says that nothing was measured")
    func empty() {
        let html = page(EvaluationRecord())
        #expect(html.contains("Nothing was held out, so nothing was measured.") && !html.contains("The gate") && !html.contains("NaN"))
    }

    @Test("a split is told in words, as JSON and as a page, with the same numbers")
    func split() throws {
        let found = SplitReport(
            version: 4, description: "each user's last interaction",
            contestants: [
                .init(contestant: .model, record: MetricsRecord(EvaluationRecordTests.report(0.3), perUser: [0.3, 0.3])),
                .init(contestant: .ease, record: MetricsRecord(EvaluationRecordTests.report(0.2), perUser: [0.2, 0.2])),
            ], watermark: #"{"newest_event_time":"2026-01-02T00:00:00Z"}"#)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(found.json.utf8)) as? [String: Any])
        #expect((object["model"] as? [String: Any])?["NDCG@10"] as? Double == 0.3 && object["version"] as? Int == 4)
        #expect(((object["trained_on"] as? [String: Any])?["newest_event_time"] as? String) == "2026-01-02T00:00:00Z")
        #expect(found.lines.contains { $0.hasPrefix("EASE") && $0.contains("0.2000") })
        #expect(found.page.html.contains("0.3000") && found.page.html.contains("up to 2026-01-02T00:00:00Z"))
    }

    @Test("a tail curve recommends what gains beyond the head and keeps the rest")
    func tailCurve() {
        var found = TailCurveReport(
            split: "s", users: 4, popularity: MetricsRecord(EvaluationRecordTests.report(0.1)), isBlended: true)
        func cell(_ all: Double, _ rare: Double) -> TailCurveReport.Cell {
            TailCurveReport.Cell(
                all: [Double](repeating: all, count: 40), beyondHead: [Double](repeating: rare, count: 40), tail: rare,
                coverage: 0.5, gini: 0.5)
        }
        found.add(cell(0.5, 0.1), seed: 1, outcome: MetricsRecord(EvaluationRecordTests.report(0.5)))
        found.add(cell(0.495, 0.2), of: .tailDial, value: 0.1)
        found.add(cell(0.3, 0.4), of: .tailDial, value: 0.5)
        #expect(found.json.contains(#""recommended":{"setting":"ranking.tail_dial","value":0.1}"#))
        #expect(found.page.html.contains("Rare items") && found.page.html.contains("polyline"))
        #expect(found.lines.last?.contains("ranking.tail_dial = 0.1") == true)
    }

    @Test("a setting for rare items is read with its values, or not at all")
    func tailSetting() {
        #expect(TailSetting.parse("train.tail_beta=0.9,0.99")?.values == [0.9, 0.99])
        for wrong in ["train.hidden=1", "train.tail_beta", "train.tail_beta=", "train.tail_beta=0", "train.tail_beta=a"] {
            #expect(TailSetting.parse(wrong) == nil, "\(wrong)")
        }
    }
}
