import ContentModel
import Testing
import TowerTraining

@Suite struct TrainingSetTests {
    @Test func sortsGroupsAndLeavesOutWhatTeachesNothing() {
        var builder = TrainingSet.Builder()
        builder.addItem("never", content: ItemContent(title: "Never met"))
        builder.addItem("b", content: ItemContent(title: "B"))
        builder.addUser("silent", attributes: ["x=1"])
        builder.addUser("u2", attributes: ["age=3"])
        builder.append(user: "u2", item: "b", time: 30)
        builder.append(user: "u1", item: "a", type: 3, time: 5, weight: 2)
        builder.append(user: "u2", item: "a", time: 10)
        builder.append(user: "u2", item: "c", time: 10)
        builder.append(user: "u2", item: "a", type: 0, time: 99)  // an impression
        builder.append(user: "u2", item: "a", time: 99, weight: 0)
        builder.append(user: "u2", item: "a", time: 99, weight: .nan)
        let set = builder.build()
        #expect(set.itemIDs == ["a", "b", "c"] && set.userIDs == ["u1", "u2"])
        #expect(set.itemContents[1].title == "B" && set.userAttributes == [[], ["age=3"]])
        #expect((0..<3).map { set.userStarts[$0] } == [0, 1, 4])
        #expect((0..<4).map { set.items[$0] } == [0, 0, 2, 1])
        #expect((0..<4).map { set.times[$0] } == [5, 10, 10, 30])
        #expect(set.types[0] == 3 && set.weights[0] == 2 && set.clock == 30)
        #expect(set.eventsPerItem() == [2, 1, 1])
    }

    @Test func theOrderOfUsersDoesNotMatter() {
        func build(_ users: [Int]) -> TrainingSet {
            var builder = TrainingSet.Builder()
            for user in users { for time in 0..<3 { builder.append(user: "u\(user)", item: "i\((user + time) % 4)", time: Int64(time)) } }
            return builder.build()
        }
        let (a, b) = (build([0, 1, 2, 3]), build([3, 1, 0, 2]))
        #expect(a.itemIDs == b.itemIDs && a.userIDs == b.userIDs)
        #expect((0..<a.eventCount).map { a.items[$0] } == (0..<b.eventCount).map { b.items[$0] })
    }

    @Test func columnsGiveTheSetThatTheirEventsGive() throws {
        let built = PlantedShop(users: 40, types: true).set
        let set = TrainingSet(
            itemIDs: built.itemIDs, itemContents: built.itemContents, userIDs: built.userIDs, userAttributes: built.userAttributes,
            userStarts: built.userStarts, items: built.items, types: built.types, times: built.times)
        #expect(set.clock == built.clock && set.eventsPerItem() == built.eventsPerItem())
        let configuration = try PlantedShop.configuration([("epochs", "1")])
        let trainers = try [built, set].map { try Trainer($0, configuration: configuration) }
        for trainer in trainers { _ = trainer.runEpoch(now: { 0 }) }
        #expect(trainers[0].checkpoint() == trainers[1].checkpoint())
    }

    @Test func whatIsNoExampleIsLeftOutOfAnEpoch() throws {
        var builder = TrainingSet.Builder()
        for user in 0..<30 {
            // Five clicks, three purchases; the last event is a click.
            for time in 0..<8 {
                builder.append(user: "u\(user)", item: "i\((user + time) % 9)", type: time % 3 == 1 ? 3 : 1, time: Int64(time) * 1_000)
            }
        }
        let set = builder.build()
        func examples(_ settings: [(String, String)]) throws -> Int {
            let trainer = try Trainer(set, configuration: PlantedShop.configuration(settings + [("epochs", "2"), ("batch_size", "16")]))
            var reported: [Int] = []
            let summary = trainer.runEpoch(now: { 0 }, progress: { reported.append($0.examplesInEpoch) })
            #expect(reported.allSatisfy { $0 == summary.examples }, "\(reported)")
            return summary.examples
        }
        #expect(try examples([]) == 240)
        #expect(try examples([("click_weight", "0")]) == 90)
        #expect(try examples([("click_weight", "0"), ("examples_per_user", "2")]) == 60)
        #expect(try examples([("examples_per_user", "7")]) == 210)
        // A tenth of the users have their last event held out.
        #expect(try examples([("validation_users", "20")]) == 237)
        #expect(try examples([("validation_users", "20"), ("examples_per_user", "7")]) == 210)
        // Halved with every millisecond, so only the newest events of a user weigh anything.
        #expect(try examples([("recency_half_life_days", "0.000000011574")]) == 30)
    }
}
