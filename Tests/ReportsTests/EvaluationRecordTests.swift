import Evaluation
import Interactions
import Reports
import Testing

@Suite("What was found of a model, typed, as the registry keeps it")
struct EvaluationRecordTests {
    static func report(_ ndcg: Double, users: Int = 40) -> MetricsReport {
        MetricsReport(
            users: users, truthPairs: 55, catalogueSize: 300,
            metrics: ["NDCG@10": MetricValue(mean: ndcg, standardError: 0.01), "Recall@10": MetricValue(mean: 0.25, standardError: 0.02)],
            coverageAt10: 0.5, giniAt10: 0.75,
            slices: ["head": MetricsReport.SliceReport(users: 30, metrics: ["NDCG@10": MetricValue(mean: 0.4, standardError: 0.1)])])
    }

    static var full: EvaluationRecord {
        var record = EvaluationRecord()
        record.split = "the newest 10 %"
        record.users = 40
        record.model = MetricsRecord(report(0.3), perUser: [0.1, 0.3, 0.5])
        record.popularity = MetricsRecord(report(0.1), perUser: [0, 0.1, 0.2])
        record.promotedVersion = 7
        let gate = PromotionGate(margin: .share(0.02), confidence: 0.95)
        let decision = GateDecision(passes: true, reasons: ["good enough"])
        record.gate = gate.record(
            passes: true, reasons: ["good <enough>"],
            comparisons: [GateRecord.Comparison(role: "promoted", version: 7, basis: "later", decision: decision)],
            rivals: RivalGate(.warn).compared(
                (0..<60).map { Double($0 % 5) / 10 },
                with: [
                    (.ease, "lambda 50", (0..<60).map { Double($0 % 3) / 10 }),
                    (.buyAgain, "", (0..<60).map { 0.6 + Double($0 % 2) / 10 }),
                ]))
        var ranking = RankingRecord()
        (ranking.blend, ranking.towersAlone) = (true, 0.25)
        ranking.weights = NamedNumbers([.init("tower", 1), .init("recent", -0.5)])
        ranking.carriers = NamedNumbers([.init("goes_with", 0.25), .init("own", 0.75)])
        ranking.newcomers = [.init(historyLimitEvents: 3, kept: true, questions: 9, everybody: 0.1, newcomers: 0.2)]
        ranking.counters = .init(
            used: true, network: false, questions: 700, borders: 8, rankingShare: 0.25, without: 0.2, with: 0.3, seconds: 4)
        ranking.counters?.newcomers = [
            .init(historyLimitEvents: 2, questions: 120, rankingShare: 0.9, kept: true, everybody: 0.125, newcomers: 0.25)
        ]
        record.ranking = ranking
        record.domains = [DomainRecord(domain: "country=n", users: 3, interactions: 9, asked: 2, kept: false, adapter: true)]
        var objectives = ObjectivesRecord()
        objectives.examples = 12
        objectives.points = [
            ObjectivesRecord.Point(0, clickHead: false, click: 1, conversion: 0, value: 0.5, report: report(0.3), front: true)
        ]
        objectives.clickReliability = [[0.1, 0.2]]
        (objectives.conversionPower, objectives.valuePower) = (0, 0.5)
        record.objectives = objectives
        record.tailCurve = TailCurveRecord(
            points: [TailCurveRecord.Point(dial: 0, lift: 0, report: report(0.3))], recommended: (0.1, 0), used: (0, 0))
        record.contentChannel = ContentChannelRecord(weights: NamedNumbers([.init("similarity", 0.5)]), constants: [0.25, 1])
        record.adaptation = AdaptationRecord(categories: 4, unadapted: 1, fineTuned: 0.9, meta: 0.8, fineTuneRate: 0.1, metaSteps: 20)
        record.data = [DataNote("interactions", .integer(9)), DataNote("share", .number(0.25)), DataNote("first", .text("today"))]
        record.dataProfile = DataRecord(all: DataProfile(), recent: nil)
        record.curves = [LearningCurve(stage: "on everything", epochs: [.init(epoch: 1, loss: 2.5, seconds: 3, validation: 0.2)])]
        record.timings = [StepTiming(name: "reading", seconds: 1.5)]
        record.model?.report.concentration = ListConcentration(
            lists: 40, mostShownItem: "mat <1>", mostShownShare: 0.125, tenMostShownShare: 0.5, distinctItems: 77, repeatShare: 0.25,
            newShare: 0.05)
        var share = ItemShareRecord(limit: 0.1, bound: 0.15, before: 0.7, beforeNDCG: 0.3)
        (share.after, share.afterNDCG, share.askedCost, share.priced) = (0.15, 0.297, 0.05, 3)
        record.itemShare = share
        record.listShares = ListSharesRecord(
            repeats: "0-20", discoveries: nil, newItems: "10-100",
            lists: ListConcentration(
                lists: 40, mostShownItem: "mat", mostShownShare: 0.1, tenMostShownShare: 0.4, distinctItems: 80, repeatShare: 0.2,
                newShare: 0.1, discoveryShare: 0.35),
            ndcg: 0.27, ndcgWithout: 0.3)
        record.rivalSettings = ["popularity": "everything <ever>"]
        return record
    }

    @Test("what is written can be read, all of it")
    func roundTrip() throws {
        let read = EvaluationRecord(registry: Self.full.json)
        var expected = Self.full
        // Slices are kept without their errors, numbers by name without their order.
        for contestant in [EvaluationRecord.Contestant.model, .popularity] {
            expected[contestant]?.report.slices["head"]?.metrics["NDCG@10"]?.standardError = 0
        }
        expected.ranking?.weights?.entries.sort { $0.name < $1.name }
        #expect(read == expected)
    }

    @Test("a page says what was set of a rival")
    func settings() {
        let page = ReportPage(ReportPage.Subject(title: "t", subtitle: "s", status: nil), of: Self.full).html
        #expect(page.contains("popularity (everything &lt;ever&gt;)"))
        #expect(page.contains("What carries the lists") && page.contains("<dt>goes with</dt><dd>25.0 %</dd>"))
    }

    @Test("what shares cost stands in a sentence and beside the lists; a record of before they were counted has none")
    func shares() throws {
        let page = ReportPage(ReportPage.Subject(title: "t", subtitle: "s", status: nil), of: Self.full).html
        let words = "rules.repeats_percent: 0-20, rules.new_items_percent: 10-100 gives lists with 20.0 % repeats, 35.0 % discoveries and "
            + "10.0 % new items and costs 10.0 % of NDCG@10: 0.2700, and 0.3000 without."
        #expect(page.contains(words) && page.contains("this model, with the shares that are set"))
        #expect(page.contains("<td>25.0 %</td><td>–</td><td>5.0 %</td>") && page.contains("<td>20.0 %</td><td>35.0 %</td><td>10.0 %</td>"))
        let old = #"{"list_shares":{"repeats_percent":7,"NDCG@10":0.1},"model":{"users":1,"top_tens":{"lists":3}}}"#
        let read = EvaluationRecord(registry: old)
        #expect(read.listShares?.repeats == nil && read.listShares?.ndcg == 0.1 && read.listShares?.cost == nil)
    }

    @Test("keys and numbers as users have them, in order")
    func text() {
        var record = EvaluationRecord()
        record.split = "x"
        record.users = 2
        record.model = MetricsRecord(Self.report(0.5))
        #expect(
            record.json == #"{"split":"x","users":2,"model":{"users":40,"truth_pairs":55,"catalogue":300,"NDCG@10":0.5,"NDCG@10_se":0.01,"#
                + #""Recall@10":0.25,"Recall@10_se":0.02,"Coverage@10":0.5,"Gini@10":0.75,"head":{"users":30,"NDCG@10":0.4}}}"#)
        let json = Self.full.json
        #expect(json.contains(#""newcomers_up_to_3_events":{"kept":true,"questions":9,"everybody_NDCG@10":0.1,"newcomers_NDCG@10":0.2}"#))
        #expect(json.contains(#""content_channel":{"similarity":0.5,"constants":[0.25,1.0]}"#))
        let gate = #""gate":{"passes":true,"reasons":["good <enough>"],"confidence_percent":95.0,"margin_percent":2.0,"#
        #expect(json.contains(gate))
    }

    @Test("a row of an older program says what it knew")
    func oldRows() {
        let record = EvaluationRecord(
            registry: #"{"model":{"users":3,"NDCG@10":0.25,"Gini@10":null},"gate":{"passes":false,"reasons":["worse"]},"unknown":[1]}"#)
        #expect(record.model?["NDCG@10"] == 0.25 && record.model?.interval == nil && record.model?["NDCG@10_se"] == 0)
        #expect(record.model?.main == ["ndcg@10": 0.25, "coverage@10": 0])
        #expect(record.gate?.passes == false && record.gate?.comparisons == nil && record.ranking == nil)
    }

    @Test("one part of another kind takes no other with it", arguments: ["[]", "7", #""text""#, "{\"curves\":1}", "null"])
    func damaged(part: String) {
        let parts = ["model", "gate", "curves", "data"].map { "\"\($0)\":\(part)" }.joined(separator: ",")
        let record = EvaluationRecord(registry: "{\"split\":\"kept\",\(parts)}")
        #expect(record.split == "kept")
        #expect(record.model?["NDCG@10"] == nil)
        #expect(EvaluationRecord(registry: part) == EvaluationRecord() || part.hasPrefix("{"))
    }

    @Test("what is no number is null, and read as nothing")
    func notANumber() {
        var record = EvaluationRecord()
        record.curves = [LearningCurve(stage: nil, epochs: [.init(epoch: 1, loss: .nan, seconds: 1)])]
        #expect(record.json == #"{"curves":[{"epochs":[{"epoch":1,"loss":null,"seconds":1.0}]}]}"#)
        #expect(EvaluationRecord(registry: record.json).curves?.first?.epochs.first?.loss == nil)
    }
}
