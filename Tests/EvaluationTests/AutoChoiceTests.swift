import Evaluation
import Testing

/// What is chosen for each kind of log, and that what somebody set always wins.
@Suite struct AutoChoiceTests {
    /// A log of a kind, large enough to choose by.
    private func look(_ change: (inout DataLook) -> Void) -> DataLook {
        var look = DataLook()
        (look.events, look.users, look.items, look.spanDays) = (150_000, 5_000, 3_000, 200)
        (look.askedPairs, look.eventsPerUser, look.eventsPerItem, look.eventsPerVisit) = (10_000, 24, 40, 1.5)
        (look.orderPairs, look.order, look.orderRatio) = (120_000, 0.02, 1.15)
        change(&look)
        return look
    }

    private func madeUp(_ look: inout DataLook) { (look.commonestGap, look.commonestEnd) = (1, 1) }

    private func values(_ look: DataLook, own: [String: String] = [:], likes: AutoDecision? = nil) -> [String: String] {
        Dictionary(uniqueKeysWithValues: AutoChoice(look, own: own, likes: likes).decisions.map { ($0.key, $0.value) })
    }

    private var films: DataLook {
        look {
            madeUp(&$0)
            ($0.events, $0.eventsPerUser, $0.order, $0.orderRatio, $0.eventsPerVisit) = (980_000, 95, 0.63, 1.4, 51)
            ($0.content.titles, $0.content.texts, $0.content.categories) = (1, 1, 1)
        }
    }

    @Test func longHistoriesWithAnOrderGetTheSequenceTower() {
        #expect(values(films) == [
            "train.holdout": "leave-one-out", "train.preset": "default", "train.user_tower": "sequence", "train.history_length": "100",
            "train.hidden": "128", "train.batch_size": "2048", "train.epochs": "14", "train.precision": "auto",
            "train.mask_history": "true",
        ])
        var large = films
        large.events = AutoChoice.sequenceLimitEvents + 1
        #expect(values(large)["train.user_tower"] == nil && values(large)["train.id_dropout"] == "0.3", "it would take too long unasked")
    }

    @Test func shortHistoriesGetASmallModel() {
        let sparse = look {
            madeUp(&$0)
            ($0.eventsPerUser, $0.order, $0.orderRatio, $0.content.tags) = (5, 0.18, 2.1, 1)
        }
        #expect(values(sparse) == ["train.holdout": "leave-one-out", "train.preset": "small", "train.mask_history": "true"])
    }

    @Test func collectionsWithoutAnOrderHaveAnyOtherItemAsTarget() {
        let papers = look {
            madeUp(&$0)
            ($0.eventsPerUser, $0.order, $0.orderRatio, $0.content.tags, $0.content.links) = (18, 0.04, 1.03, 0.8, ["cites"])
        }
        #expect(values(papers) == [
            "train.holdout": "leave-one-out", "train.preset": "default", "train.mask_history": "true", "train.targets_ahead": "100",
            "train.examples_per_user": "10", "train.history_dropout": "0.3", "train.epochs": "3", "train.id_dropout": "0.3",
            "content.links": "cites",
        ])
    }

    @Test func basketsThatRepeatHaveAnyItemOfTheNextPurchasesAsTarget() {
        for (tied, visit) in [(0.45, 1.8), (0.96, 23.0), (0.1, 8.0)] {
            let shop = look {
                ($0.tied, $0.eventsPerVisit, $0.repeats, $0.purchases, $0.valued) = (tied, visit, 0.12, 1, 1)
                ($0.newItems, $0.content.categories, $0.order, $0.orderRatio) = (0.17, 1, 0.49, 2.6)
            }
            #expect(
                values(shop) == [
                    "train.preset": "default", "train.targets_ahead": "10", "ranking.recent_half_life_days": "30",
                ] || tied == 0.1 && values(shop)["train.targets_ahead"] == "10")
            let choice = AutoChoice(shop, own: [:])
            #expect(choice.decisions.contains { $0.why.contains("12 % of what was bought was bought before") }, "\(choice.decisions)")
            #expect(choice.advice.contains { $0.contains("objectives.tune") })
            #expect(!AutoChoice(shop, own: ["objectives.tune": "value"]).advice.contains { $0.contains("objectives.tune") })
        }
    }

    @Test func visitsOfPeopleWhoComeOnceCountFashion() {
        let rated = look {
            ($0.tied, $0.eventsPerVisit, $0.eventsPerUser, $0.newUsers, $0.order, $0.orderRatio) = (0.51, 28, 63, 0.87, 0.42, 1.45)
            ($0.content.titles, $0.content.categories) = (0.8, 1)
            $0.ratings = RatingLook((0..<500).map { Double($0 % 5 + 1) })
        }
        #expect(values(rated) == [
            "train.preset": "default", "train.mask_history": "true", "train.targets_ahead": "4", "train.recency_half_life_days": "10",
            "ranking.recent_half_life_days": "7", "train.epochs": "3",
        ])
        #expect(AutoChoice.likes(rated, ratings: rated.ratings ?? RatingLook([]), own: [:]) == nil, "what was rated low was watched, too")
        #expect(AutoChoice(rated, own: [:]).advice.contains { $0.contains("train.positive_ratings_from: 4") })
        var young = rated
        young.spanDays = 2
        #expect(values(young)["train.recency_half_life_days"] == nil, "of two days nothing is out of fashion")
    }

    @Test func opinionsWithoutAClockAreLikedOrLeftOut() throws {
        let ratings = RatingLook((0..<500).map { Double($0 % 5 + 1) })
        let likes = try #require(AutoChoice.likes(films, ratings: ratings, own: [:]))
        #expect(likes.key == "train.positive_ratings_from" && likes.value == "4")
        let chosen = values(films, likes: likes)
        #expect(chosen == [
            "train.positive_ratings_from": "4", "train.holdout": "leave-one-out", "train.preset": "default", "train.mask_history": "true",
            "train.targets_ahead": "20", "train.epochs": "4", "train.id_dropout": "0.3",
        ])
        // What is left of them has gaps of every length.
        var left = films
        (left.commonestGap, left.commonestEnd, left.order, left.orderRatio) = (0.7, 0.61, 0.58, 1.43)
        #expect(values(left, likes: likes) == chosen)
        for key in ["train.positive_ratings_from", "train.negative_ratings_below"] {
            #expect(AutoChoice.likes(films, ratings: ratings, own: [key: "2"]) == nil)
        }
        #expect(values(films, own: ["train.positive_ratings_from": "3"])["train.targets_ahead"] == "20")
        #expect(AutoChoice.likes(films, ratings: RatingLook([nil, nil, nil, 5, 1]), own: [:]) == nil, "most events say nothing")
    }

    @Test func whatSomebodySetWinsAndTheRestGoesByIt() {
        let own = ["train.epochs": "2", "train.mask_history": "false", "train.holdout": "time", "train.preset": "small"]
        let choice = AutoChoice(films, own: own)
        #expect(choice.decisions.allSatisfy { own[$0.key] == nil })
        #expect(choice.overruled.map(\.key).sorted() == own.keys.sorted() && choice.overruled.allSatisfy { own[$0.key] == $0.value })
        #expect(choice.overruled.contains { $0.why.contains("14 would have been chosen") })
        // Of another tower's settings none.
        for own in [["train.user_tower": "pooled"], ["train.teacher": "3"]] {
            let chosen = values(films, own: own)
            #expect(chosen["train.epochs"] == nil && chosen["train.history_length"] == nil && chosen["train.user_tower"] == nil)
        }
        var sparse = films
        sparse.eventsPerUser = 5
        #expect(values(sparse, own: ["train.user_tower": "sequence"])["train.preset"] == "default")
    }

    @Test func wherePairsAreFewOrOrderIsChanceNothingIsConcluded() {
        let few = look {
            madeUp(&$0)
            ($0.askedPairs, $0.orderPairs, $0.order, $0.orderRatio) = (200, 900, 0.05, 0.4)
        }
        #expect(values(few) == ["train.holdout": "leave-one-out", "train.preset": "default"])
        let unknown = look {
            madeUp(&$0)
            ($0.eventsPerUser, $0.order, $0.orderRatio) = (40, 0.5, nil)
        }
        #expect(values(unknown)["train.user_tower"] == nil && values(unknown)["train.targets_ahead"] == nil)
    }

    @Test func aFirstTrainingOfFiveHundredUsersChoosesAndOneOfAHundredDoesNot() {
        var small = films
        (small.users, small.events, small.eventsPerUser) = (500, 9_000, 18)
        #expect(values(small)["train.mask_history"] == "true" && values(small)["train.user_tower"] == nil, "too little for a transformer")
        (small.users, small.events) = (100, 9_000)
        #expect(values(small) == ["train.holdout": "leave-one-out", "train.preset": "default"])
        #expect(AutoChoice(small, own: [:]).decisions.last?.why.contains("too few") == true)
    }
}
