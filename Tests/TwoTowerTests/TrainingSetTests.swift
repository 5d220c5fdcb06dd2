import Testing
import TwoTower

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
}
