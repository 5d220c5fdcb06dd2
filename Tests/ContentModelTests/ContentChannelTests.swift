import ContentModel
import FuzzInputs
import Tensors
import Testing

@Suite struct ContentChannelTests {
    /// Items of eight subjects, each with words of its subject and words of none; users who take items of one subject. The last
    /// quarter of the items is new: nobody took them yet.
    private struct Shelf {
        static let subjects = 8, items = 320, users = 400
        var ids: [String] = [], contents: [ItemContent] = [], subject: [Int] = []
        var events: [Int32] = [], users: [Range<Int>] = [], taste: [Int] = []
        var warm: Int { Shelf.items * 3 / 4 }

        init(seed: UInt64) {
            var random = SeededGenerator(seed: seed, stream: 1)
            for item in 0..<Shelf.items {
                let own = item % Shelf.subjects
                subject.append(own)
                ids.append("i\(item)")
                contents.append(
                    ItemContent(
                        tags: (0..<4).map { _ in "subject\(own)-word\(random.next(below: 12))" }
                            + (0..<4).map { _ in "common\(random.next(below: 40))" }))
            }
            for user in 0..<Shelf.users {
                let own = user % Shelf.subjects, start = events.count
                taste.append(own)
                for _ in 0..<8 {
                    let item = random.next(below: warm / Shelf.subjects) * Shelf.subjects + own
                    events.append(Int32(random.next(below: 10) == 0 ? random.next(below: warm) : item))
                }
                users.append(start..<events.count)
            }
        }

        func learning(rules: ContentRules = ContentRules()) -> ContentLearning {
            events.withUnsafeBufferPointer {
                ContentLearning(itemIDs: ids, contents: contents, users: users, events: $0, clock: 0, rules: rules)
            }
        }
    }

    @Test func newItemsOfTheUsersSubjectAreRecalled() {
        let shelf = Shelf(seed: 3), learning = shelf.learning()
        let channel = learning.channel
        var hits = 0, places = 0
        for (user, rows) in shelf.users.enumerated() {
            let profile = channel.profile(rows.map { learning.vectors[Int(shelf.events[$0])] })
            let scores = (shelf.warm..<Shelf.items).map {
                ($0, channel.score(learning.items[$0], profile: profile, tower: 0, level: 0))
            }
            for (item, _) in scores.sorted(by: { $0.1 > $1.1 }).prefix(10) {
                places += 1
                if shelf.subject[item] == shelf.taste[user] { hits += 1 }
            }
        }
        // One in eight by chance; a subject has ten new items.
        #expect(Double(hits) / Double(places) > 0.7)
    }

    @Test func packedItemsHaveTheSameScores() {
        let shelf = Shelf(seed: 6), learning = shelf.learning()
        var channel = learning.channel
        channel.weights = [8, -3, 1.5, 0.7, 0.2, -4, 5, 0.6]
        var packed = PackedContents(dimension: channel.space?.dimension ?? 0)
        for item in learning.items { packed.append(item) }
        #expect(packed.count == Shelf.items && channel.space != nil)
        var scores = [Float](repeating: .nan, count: packed.count)
        let user = shelf.users[5].map { learning.vectors[Int(shelf.events[$0])] }
        for profile in [
            nil, channel.profile(user), channel.profile(user, taste: learning.items[9].direction),
            channel.profile([], taste: learning.items[9].direction),
        ] {
            scores.withUnsafeMutableBufferPointer { packed.score(channel, profile: profile, level: 0.3, into: $0.baseAddress!) }
            #expect(scores == learning.items.map { channel.score($0, profile: profile, tower: 0, level: 0.3) })
            // And under the towers' word.
            packed.withReader(channel, profile: profile, level: -0.4) { reader in
                for place in stride(from: 0, to: packed.count, by: 7) {
                    let tower = Float(place) / 9 - 11
                    let alone = channel.score(learning.items[place], profile: profile, tower: tower, level: -0.4)
                    #expect(reader.score(place, tower: tower) == alone)
                }
            }
        }
        for place in stride(from: 0, to: packed.count, by: 11) {
            let item = packed.item(place), own = learning.items[place]
            #expect(item.vector == own.vector && item.direction == own.direction && item.worth == own.worth)
            #expect(item.background == own.background && item.popularity == own.popularity && packed.worth(place) == own.worth)
        }
    }

    @Test func anItemWithoutContentIsFoundByWhatItLinksTo() {
        var shelf = Shelf(seed: 4)
        for item in shelf.warm..<Shelf.items {
            let own = shelf.subject[item]
            shelf.contents[item] = ItemContent(attributes: (0..<3).map { "cites=i\(own + Shelf.subjects * $0)" } + ["kind=\(item)"])
        }
        let learning = shelf.learning(rules: ContentRules(linkAttributes: ["cites"]))
        let user = 2, item = shelf.warm + 2, other = shelf.warm + 3
        #expect(shelf.subject[item] == shelf.taste[user] && shelf.subject[other] != shelf.taste[user])
        #expect(learning.channel.links(of: shelf.contents[item]).count == 3)
        let profile = learning.channel.profile(shelf.users[user].map { learning.vectors[Int(shelf.events[$0])] })
        func score(_ row: Int) -> Float { learning.channel.score(learning.items[row], profile: profile, tower: 0, level: 0) }
        #expect(score(item) > score(other) + 1)
        let blind = shelf.learning()
        #expect(blind.items[item].vector.isEmpty, "without the rule, ids in attributes are tokens of no other item's")
    }

    @Test func popularityIsPredictedFromTheLengthOfTheDescription() {
        var random = SeededGenerator(seed: 9, stream: 2)
        var contents: [ItemContent] = [], events: [Int32] = [], users: [Range<Int>] = []
        let lengths = (0..<300).map { _ in 10 + random.next(below: 200) }
        for length in lengths {
            contents.append(ItemContent(description: (0..<length).map { _ in "w\(random.next(below: 500))" }.joined(separator: " ")))
        }
        for (item, length) in lengths.enumerated() {
            for _ in 0..<(1 + length / 4 + random.next(below: 5)) {
                users.append(events.count..<events.count + 1)
                events.append(Int32(item))
            }
        }
        let ids = lengths.indices.map { "i\($0)" }
        let withheld = ids.map { ContentLearning.fold(of: $0) == 1 }
        let learning = events.withUnsafeBufferPointer {
            ContentLearning(itemIDs: ids, contents: contents, users: users, events: $0, clock: 0, rules: ContentRules(), withheld: withheld)
        }
        // The prediction comes from a regression that did not see the item.
        let asked = ids.indices.filter { withheld[$0] }
        #expect(asked.count > 30)
        let predicted = asked.map { Double(learning.items[$0].popularity) }, wanted = asked.map { Double(lengths[$0]) }
        #expect(correlation(predicted, wanted) > 0.8)
    }

    @Test func theFitGivesNewItemsTheirShare() {
        var random = SeededGenerator(seed: 21, stream: 3)
        let truth: [Float] = [4, -2, 1.5, 0.5, 0, 0.7, 1, 0], width = ContentChannel.Part.count
        var fit = ContentFit(ridge: 0.1), drawn = 0, asked = 0
        var kept: [(others: Double, parts: [Float])] = []
        for _ in 0..<4_000 {
            let parts = (0..<20).flatMap { _ in
                [0.3 * random.normal(), 0.3 * random.normal(), random.normal(), random.normal(), 0, 1, random.normal(), 0] as [Float]
            }
            let scores = (0..<20).map { candidate in (0..<width).reduce(0.0) { $0 + Double(truth[$1] * parts[candidate * width + $1]) } }
            let others = log(60 + 20 * random.uniformDouble())
            // One answer, drawn from the softmax over both kinds.
            var left = random.uniformDouble() * (exp64(others) + scores.reduce(0) { $0 + exp64($1) })
            var chosen: Int?
            for (candidate, score) in scores.enumerated() {
                left -= exp64(score)
                if left < 0 {
                    chosen = candidate
                    break
                }
            }
            asked += 1
            if chosen != nil { drawn += 1 }
            let answers = chosen.map { Array(parts[$0 * width..<($0 + 1) * width]) } ?? []
            let rest = (0..<20).filter { $0 != chosen }.flatMap { Array(parts[$0 * width..<($0 + 1) * width]) }
            fit.add(others: others, otherAnswers: chosen == nil ? 1 : 0, answers: answers, rest: rest, restCount: rest.count / width)
            kept.append((others, parts))
        }
        let weights = fit.weights()
        for place in [0, 1, 2, 3, 5, 6] { #expect(abs(weights[place] - truth[place]) < 0.35, "\(ContentChannel.Part.allCases[place])") }
        let share = kept.reduce(0.0) { sum, question in
            let own = (0..<20).reduce(0.0) { sum, candidate in
                sum + exp64((0..<width).reduce(0.0) { $0 + Double(weights[$1] * question.parts[candidate * width + $1]) })
            }
            return sum + own / (own + exp64(question.others))
        }
        #expect(abs(share / Double(drawn) - 1) < 0.02)
        #expect(drawn > asked / 10 && drawn < asked)
    }

    @Test func aChannelIsReadAsItWasWritten() throws {
        var channel = Shelf(seed: 5).learning(rules: ContentRules(linkAttributes: ["cites", "part_of"])).channel
        channel.weights = [1, 2, 3, 4, 5, 6, 7, 8]
        let part = channel.encoded()
        let read = try ContentChannel(encoded: part)
        #expect(read.encoded() == part)
        #expect(read.weights == channel.weights && read.tokenCount == channel.tokenCount)
        for damage in PartDamage.all(of: part) {
            #expect(throws: PartFormatError.self, "\(damage.what)") { try ContentChannel(encoded: damage.part) }
        }
    }

    @Test func nothingKnownIsNoProfile() {
        let learning = Shelf(seed: 6).learning()
        #expect(learning.channel.profile([SparseContent()]) == nil)
        let empty = learning.channel.item(ItemContent(), own: SparseContent(), linked: [])
        #expect(learning.channel.score(empty, profile: nil, tower: 0, level: 0).isFinite)
    }

    private func correlation(_ a: [Double], _ b: [Double]) -> Double {
        let n = Double(a.count), meanA = a.reduce(0, +) / n, meanB = b.reduce(0, +) / n
        var ab = 0.0, aa = 0.0, bb = 0.0
        for (x, y) in zip(a, b) {
            ab += (x - meanA) * (y - meanB)
            aa += (x - meanA) * (x - meanA)
            bb += (y - meanB) * (y - meanB)
        }
        return ab / (aa * bb).squareRoot()
    }

    private func exp64(_ value: Double) -> Double { Double(Kernels.exp(Float(value))) }
    private func log(_ value: Double) -> Double { Double(Kernels.log(Float(value))) }
}
