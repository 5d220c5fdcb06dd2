import Evaluation
import Testing

/// That a choice in force stays while the data look about as they did, and gives way where they do not.
@Suite struct FormerChoiceTests {
    /// A shop whose visits are near the bound of baskets.
    private func shop(tied: Double, visit: Double = 2) -> DataLook {
        var look = DataLook()
        (look.events, look.users, look.items, look.spanDays) = (150_000, 5_000, 3_000, 60)
        (look.askedPairs, look.repeats, look.eventsPerUser, look.eventsPerItem, look.purchases) = (10_000, 0.1, 24, 40, 1)
        (look.tied, look.eventsPerVisit, look.orderPairs, look.order, look.orderRatio) = (tied, visit, 120_000, 0.02, 1.15)
        return look
    }

    private func former(_ look: DataLook, version: Int = 7, own: [String: String] = [:]) -> FormerChoice {
        FormerChoice(version: version, record: ChoiceRecord(look, own: own, likes: nil))
    }

    private func record(_ look: DataLook, after former: FormerChoice?, own: [String: String] = [:]) -> ChoiceRecord {
        ChoiceRecord(look, own: own, likes: nil, former: former)
    }

    private func value(_ record: ChoiceRecord, _ key: String) -> AutoDecision? { record.decisions.first { $0.key == key } }

    @Test func aFigureThatWandersAboutItsBoundChangesNothing() throws {
        let key = "train.targets_ahead"
        var last = former(shop(tied: 0.42))
        #expect(value(last.record, key)?.value == "10")
        for (night, tied) in [0.39, 0.41, 0.37, 0.4, 0.33].enumerated() {
            let next = record(shop(tied: tied), after: last)
            let kept = try #require(value(next, key), "\(tied)")
            #expect(kept.value == "10" && next.formerVersion == last.version)
            #expect(kept.why.hasPrefix("kept from version \(last.version): ") == (tied < 0.4), "\(kept.why)")
            last = FormerChoice(version: 8 + night, record: next)
        }
        #expect(value(record(shop(tied: 0.31), after: last), key) == nil, "clear of the bound")
    }

    @Test func whatWasNotChosenIsNotChosenForALittleEither() {
        let key = "train.targets_ahead", before = former(shop(tied: 0.38))
        let next = record(shop(tied: 0.45), after: before)
        #expect(value(next, key) == nil && next.advice.contains { $0.hasPrefix("\(key) is left as version 7 had it") }, "\(next.advice)")
        #expect(value(record(shop(tied: 0.51), after: before), key)?.why.hasPrefix("kept") == false)
        #expect(value(record(shop(tied: 0.45), after: nil), key)?.value == "10")
    }

    @Test func whatSomebodySetWinsOverWhatIsKept() {
        let next = record(shop(tied: 0.39), after: former(shop(tied: 0.42)), own: ["train.targets_ahead": "3"])
        #expect(value(next, "train.targets_ahead") == nil && next.overruled.contains { $0.key == "train.targets_ahead" })
    }

    @Test func aChoiceOfAnOlderProgramSpeaksByWhatItSaw() {
        var old = former(shop(tied: 0.42))
        old.record.signs = nil
        #expect(value(record(shop(tied: 0.39), after: old), "train.targets_ahead")?.why.hasPrefix("kept from version 7: ") == true)
        old.record.seen = DataLook()
        #expect(value(record(shop(tied: 0.39), after: old), "train.targets_ahead") == nil, "it saw nothing")
    }

    @Test func everySignIsKeptByNameAndUnknownNamesAreLeftOut() {
        let signs = AutoSigns(shop(tied: 0.42))
        #expect(AutoSigns(names: signs.names + ["of_tomorrow"]) == signs && signs.names.contains("together"))
        // Beside itself a look says what it says.
        for look in [shop(tied: 0.42), shop(tied: 0.1, visit: 9), DataLook()] {
            #expect(AutoSigns(look, former: AutoSigns(look)) == AutoSigns(look))
        }
        var odd = shop(tied: .nan)
        (odd.orderRatio, odd.repeats, odd.commonestGap) = (.infinity, .nan, .nan)
        #expect(!AutoSigns(odd).names.contains("together") && !AutoSigns(odd).names.contains("made_up_times"))
    }

    @Test func likesStayWhileRatingsLookAboutAlike() throws {
        var look = shop(tied: 0)
        (look.commonestGap, look.commonestEnd) = (0.78, 0.6)
        let ratings = RatingLook((0..<500).map { Double($0 % 5 + 1) })
        let first = try #require(AutoChoice.likes(look, ratings: ratings, own: [:]))
        (look.commonestGap, look.commonestEnd) = (0.7, 0.45)
        #expect(AutoChoice.likes(look, ratings: ratings, own: [:]) == nil)
        let kept = AutoChoice.likes(look, ratings: ratings, own: [:], former: (7, first))
        #expect(kept?.value == "4" && kept?.why.hasPrefix("kept from version 7: ") == true)
        #expect(AutoChoice.likes(look, ratings: ratings, own: ["train.positive_ratings_from": "3"], former: (7, first)) == nil)
        let halves = RatingLook((0..<500).map { Double($0 % 10 + 1) / 2 })
        (look.commonestGap, look.commonestEnd) = (1, 1)
        #expect(AutoChoice.likes(look, ratings: halves, own: [:], former: (7, first))?.value == "4", "3.9 would have been chosen anew")
        let tens = RatingLook((0..<500).map { Double($0 % 10 + 1) })
        #expect(AutoChoice.likes(look, ratings: tens, own: [:], former: (7, first))?.value == "7.75", "another scale")
        look.commonestEnd = 0.1
        #expect(AutoChoice.likes(look, ratings: ratings, own: [:], former: (7, first)) == nil)
    }

    // MARK: Alternatives

    /// Histories near those of which a transformer learns.
    private var films: DataLook {
        var look = shop(tied: 0.05)
        (look.repeats, look.eventsPerUser, look.order, look.orderRatio, look.eventsPerVisit) = (0, 24, 0.4, 1.4, 1.5)
        return look
    }

    @Test func theOtherSideOfANearBoundIsTriedAndNothingThatSomebodySet() {
        let choice = AutoChoice(films, own: [:])
        #expect(choice.alternatives().map(\.name) == ["sequence tower"])
        let sequence = choice.alternatives()[0]
        #expect(sequence.appetite == 1 && sequence.values.contains { $0 == ("train.epochs", "14") })
        #expect(sequence.values.contains { $0 == ("train.mask_history", "true") }, "the other rules go by it")
        #expect(AutoChoice(films, own: ["train.user_tower": "pooled"]).alternatives().isEmpty)
        #expect(AutoChoice(films, own: ["train.teacher": "3"]).alternatives().isEmpty)
        let half = AutoChoice(films, own: ["train.epochs": "2"]).alternatives()[0]
        #expect(!half.values.contains { $0.key == "train.epochs" } && half.values.contains { $0.key == "train.user_tower" })
        var long = films
        long.eventsPerUser = 95
        #expect(AutoChoice(long, own: [:]).alternatives().first.map { ($0.name, $0.appetite) } ?? ("", 0) == ("pooled tower", -1))
        #expect(AutoChoice(DataLook(), own: [:]).alternatives().isEmpty, "too little to choose by")
        let baskets = AutoChoice(shop(tied: 0.3, visit: 4), own: [:]).alternatives().map(\.name)
        #expect(baskets == ["a visit's targets"])
        var rare = shop(tied: 0.3, visit: 4)
        (rare.repeats, rare.eventsPerUser) = (0.01, 8)
        #expect(AutoChoice(rare, own: [:]).alternatives().map(\.name) == ["default size", "history masked", "a visit's targets"])
        #expect(AutoChoice(rare, own: [:]).alternatives(former: "a visit's targets").map(\.name)
            == ["a visit's targets", "default size", "history masked"])
    }

    @Test func whatWasTakenOnTheHoldoutStaysAndTheRulesAreTriedAgain() throws {
        let record = ChoiceRecord(films, own: [:], likes: nil)
        let contestants = record.contestants(own: [:], former: nil)
        #expect(contestants.map(\.name) == ["rules", "sequence tower"] && contestants[0].decisions == record.decisions)
        let taken = record.judged(
            ChoiceComparison(budgetSeconds: 180, taken: "sequence tower", reason: "It was better."), of: contestants)
        #expect(value(taken, "train.user_tower")?.why.hasPrefix("It was better. 24 events") == true)
        #expect(value(taken, "train.mask_history")?.why.hasPrefix("It was better.") == false, "the rules have it, too")
        let before = FormerChoice(version: 9, record: taken)
        // A little further from the bound than what would be tried anew.
        var night = films
        night.eventsPerUser = 14
        #expect(AutoChoice(night, own: [:]).alternatives().first?.name != "sequence tower")
        let next = ChoiceRecord(night, own: [:], likes: nil, former: before), again = next.contestants(own: [:], former: before)
        #expect(again.map(\.name).prefix(2) == ["sequence tower", "rules"] && again.count <= 4)
        let kept = again[0].decisions.first { $0.key == "train.user_tower" }
        #expect(kept?.why.hasPrefix("kept from version 9: It was better. 24 events") == true, "\(kept?.why ?? "")")
        let third = FormerChoice(
            version: 10, record: next.judged(ChoiceComparison(budgetSeconds: 180, taken: "sequence tower"), of: again))
        let last = ChoiceRecord(films, own: [:], likes: nil, former: third).contestants(own: [:], former: third)[0]
        let why = last.decisions.first { $0.key == "train.user_tower" }?.why ?? ""
        #expect(why.hasPrefix("kept from version 10: It was better. 24 events"), "\(why)")
        night.eventsPerUser = 6
        let gone = ChoiceRecord(night, own: [:], likes: nil, former: before).contestants(own: [:], former: before)
        #expect(gone.first?.name == "rules", "such histories are not for it any more")
        #expect(next.contestants(own: ["train.user_tower": "pooled"], former: before).first?.name == "rules")
    }

    // MARK: The verdict

    private func answered(_ name: String, _ appetite: Int = 0, _ values: [Double]) -> ChoiceVerdict.Answered {
        ChoiceVerdict.Answered(name: name, appetite: appetite, values: values)
    }

    /// Questions that are answered more or less well, the same way in every run.
    private func values(_ count: Int = 400, plus gain: Double = 0, noise: Double = 0) -> [Double] {
        (0..<count).map { question in
            let own = Double(question * 37 % 100) / 250
            let chance = Double((question * 7_919 + 13) % 101) / 50 - 1
            return 0.2 + own + gain + noise * chance
        }
    }

    @Test func onlyWhatIsBetterByMoreThanChanceIsTaken() {
        let choice = answered("rules", 0, values())
        let noise = answered("noise", 0, values(noise: 0.3)), mask = answered("mask", 0, values(plus: 0.001))
        let noisy = ChoiceVerdict(choice, [noise, mask], isWhole: true)
        #expect(noisy.taken == nil && noisy.rows.allSatisfy { !$0.isBetter }, "\(noisy.rows)")
        #expect(noisy.rows[1].low ?? 0 > 0, "sure, and less than another seed would move it")
        let better = ChoiceVerdict(
            choice, [answered("good", 0, values(plus: 0.03, noise: 0.1)), answered("best", 1, values(plus: 0.05, noise: 0.1))],
            isWhole: true)
        #expect(better.taken == "best" && better.rows.allSatisfy(\.isBetter))
        let worse = ChoiceVerdict(choice, [answered("worse", 0, values(plus: -0.05))], isWhole: true)
        #expect(worse.taken == nil && worse.rows[0].isWorse)
        let few = ChoiceVerdict(answered("rules", 0, values(49)), [answered("good", 0, values(49, plus: 0.1))], isWhole: true)
        #expect(few.taken == nil && few.rows[0].difference == nil)
        for odd in [[Double.nan] + values(399), values(399), []] {
            #expect(ChoiceVerdict(choice, [answered("odd", 0, odd)], isWhole: true).taken == nil)
        }
        #expect(ChoiceVerdict(choice, [], isWhole: true).taken == nil)
    }

    @Test func whatHasLessToLearnIsTakenWhereItIsAsGoodWithEverybody() {
        let choice = answered("rules", 1, values()), small = answered("small", 0, values(plus: 0.0001))
        #expect(ChoiceVerdict(choice, [small], isWhole: true).taken == "small")
        let lucky = answered("small", 0, values(plus: 0.1))
        #expect(ChoiceVerdict(choice, [lucky], isWhole: false).taken == nil, "with few users it looks better")
        #expect(ChoiceVerdict(choice, [answered("small", 0, values(plus: -0.01))], isWhole: true).taken == nil)
        #expect(ChoiceVerdict(choice, [answered("large", 2, values(plus: 0.0001))], isWhole: true).taken == nil)
    }
}
