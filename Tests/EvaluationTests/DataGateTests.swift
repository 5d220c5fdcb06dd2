import Evaluation
import Testing

@Suite struct DataGateTests {
    /// A day or more of a shop's interactions with what may be planted in it.
    struct Day {
        var users = 600
        var start: Int64 = 1_700_006_400_000
        var days: Int64 = 3
        var seed: UInt64 = 1
        var itemShift = 0
        var type: (Int) -> UInt8 = { $0 % 10 == 0 ? 3 : 1 }
        var hourShift: Int64 = 0
        var perUser = 8
        var oneItemShare = 0
        var repeats = false
        var hasContent = true
        var attributes: (Int) -> [Int] = { [$0 % 4, 10 + $0 % 3] }

        var profile: DataProfile {
            let items = (0..<300).map { DataProfile.Item(group: ($0 * 37 + itemShift) % DataProfile.groupCount, hasContent: hasContent) }
            var counter = DataProfile.Counter(items: items)
            var state = seed
            func random(_ bound: Int) -> Int {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int((state >> 33) % UInt64(bound))
            }
            for user in 0..<users {
                var events: [(item: Int32, type: UInt8, time: Int64)] = []
                for number in 0..<(1 + random(perUser)) {
                    // People sleep at night, and some things are popular.
                    let hour = Int64(8 + random(12)) + hourShift, day = Int64(random(Int(days)))
                    let item = random(100) < oneItemShare ? 0 : random(2) == 0 ? random(10) : random(300)
                    events.append(
                        (Int32(item), type(user * 7 + number), start + day * 86_400_000 + hour * 3_600_000 + Int64(random(3_600_000))))
                }
                if repeats { events += events }
                events.sort { ($0.time, $0.item, $0.type) < ($1.time, $1.item, $1.type) }
                counter.add(
                    attributeGroups: attributes(user), items: events.map(\.item), types: events.map(\.type), times: events.map(\.time))
            }
            return counter.profile
        }
    }

    private let gate = DataGate()

    private func failures(_ recent: Day, after former: Day = Day(seed: 2), suspicious: Int = 0) -> [String] {
        let profile = recent.profile
        return gate.checks(all: profile, suspicious: suspicious, recent: profile, former: former.profile).filter { !$0.passes }.map(\.name)
    }

    private func expect(_ found: [String], only word: String, at location: SourceLocation = #_sourceLocation) {
        #expect(found.count == 1 && found.first?.contains(word) == true, "\(found)", sourceLocation: location)
    }

    @Test(arguments: [UInt64](3...12)) func cleanDataPass(seed: UInt64) {
        #expect(failures(Day(seed: seed)).isEmpty)
        #expect(failures(Day(users: 200, days: 1, seed: seed)).isEmpty)
    }

    @Test func aTypeThatStoppedIsRefused() {
        let only = Day(seed: 3, type: { _ in 1 })
        expect(failures(only, after: Day(seed: 2, type: { $0 % 2 == 0 ? 3 : 1 })), only: "types")
    }

    @Test func anotherTimeZoneIsRefused() { expect(failures(Day(seed: 3, hourShift: -8)), only: "hours") }

    @Test func otherIDsAreRefused() {
        var other = Day(seed: 3)
        // The same items under ids that fall into other groups.
        other.itemShift = 11
        expect(failures(other), only: "of items")
    }

    @Test func otherAttributesAreRefused() {
        expect(failures(Day(seed: 3, attributes: { [20 + $0 % 4, 40 + $0 % 3] })), only: "attributes")
    }

    @Test func mergedUsersAreRefused() { #expect(failures(Day(seed: 3, perUser: 64)).contains { $0.contains("a user") }) }

    @Test func missingContentIsRefused() { expect(failures(Day(seed: 3, hasContent: false)), only: "item has no content") }

    @Test func missingAttributesAreRefused() { expect(failures(Day(seed: 3, attributes: { _ in [] })), only: "user has no attributes") }

    @Test func repetitionsAreRefused() { #expect(failures(Day(seed: 3, repeats: true)).contains { $0.contains("repeated") }) }

    @Test func oneItemForEverythingIsRefused() {
        #expect(failures(Day(seed: 3, oneItemShare: 70)).contains { $0.contains("most interactions") })
    }

    @Test func tooManyMachinesAreRefused() { expect(failures(Day(seed: 3), suspicious: 5_000), only: "suspicious") }

    @Test func fewUsersAreComparedWithNothing() {
        let found = gate.checks(
            all: Day(seed: 3).profile, suspicious: 0, recent: Day(users: 50, seed: 3, type: { _ in 1 }).profile,
            former: Day(seed: 2).profile)
        #expect(found.count == 3 && found.allSatisfy(\.passes))
    }

    @Test func aReasonSaysWhatIsWrongAndWhatToDo() throws {
        let profile = Day(seed: 3).profile
        let check = try #require(DataGate(maxSuspiciousShare: 0.25).checks(all: profile, suspicious: profile.events).first { !$0.passes })
        #expect(
            check.reason
                == "the share of suspicious users' interactions is 0.5000, and at most 0.2500 is let pass: that many machines are rare; "
                    + "look at who sends, or raise the bounds of what one user may do"
        )
    }

    @Test func machinesAreFound() {
        let bounds = UserBounds(maxEventsPerMinute: 60, maxEventsPerDay: 500, maxItemEventsPerDay: 20)
        func look(_ count: Int, every: Int64, item: (Int) -> Int32 = { Int32($0) }) -> UserBounds.Suspicion? {
            bounds.suspicion(times: (0..<count).map { Int64($0) * every }, items: (0..<count).map(item))
        }
        #expect(look(61, every: 900) == .tooManyAMinute)
        #expect(look(60, every: 900) == nil, "as many as are allowed")
        #expect(look(501, every: 60_000) == .tooManyADay)
        #expect(look(500, every: 60_000) == nil)
        #expect(look(21, every: 3_600_000, item: { _ in 7 }) == .oneItem)
        #expect(look(1_000, every: 7_200_000, item: { _ in 7 }) == nil, "twelve a day, whenever the day begins")
        #expect(look(0, every: 1) == nil)
    }
}
