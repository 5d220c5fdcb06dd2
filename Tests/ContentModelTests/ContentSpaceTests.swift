import ContentModel
import FuzzInputs
import Tensors
import Testing

@Suite struct ContentSpaceTests {
    /// Items of six subjects, each described in one of two languages that share no word; users take items of one subject in either
    /// language. Only who takes what says that two words of different languages mean the same.
    private struct Library {
        static let subjects = 6, items = 360, users = 500
        var ids: [String] = [], contents: [ItemContent] = [], subject: [Int] = [], language: [Int] = []
        var events: [Int32] = [], users: [Range<Int>] = []
        let withheld: [Bool]

        init(seed: UInt64) {
            var random = SeededGenerator(seed: seed, stream: 7)
            for item in 0..<Library.items {
                let own = item % Library.subjects, tongue = item / Library.subjects % 2
                ids.append("i\(item)")
                subject.append(own)
                language.append(tongue)
                contents.append(
                    ItemContent(tags: (0..<4).map { _ in "t\(tongue)-\(own)-\(random.next(below: 8))" } + ["any\(random.next(below: 20))"]))
            }
            for user in 0..<Library.users {
                let start = events.count
                for _ in 0..<10 {
                    events.append(Int32(random.next(below: Library.items / Library.subjects) * Library.subjects + user % Library.subjects))
                }
                users.append(start..<events.count)
            }
            withheld = ids.indices.map { $0 % 5 == 0 }
        }

        func learning(threads: Int = 1, events changed: [Int32]? = nil) -> ContentLearning {
            (changed ?? events).withUnsafeBufferPointer {
                ContentLearning(
                    itemIDs: ids, contents: contents, users: users, events: $0, clock: 0, rules: ContentRules(), withheld: withheld,
                    threads: threads)
            }
        }
    }

    @Test func wordsThatTheSamePeopleReadMeanTheSame() throws {
        let library = Library(seed: 1), learning = library.learning()
        #expect(try #require(learning.channel.space).dimension >= 16)
        var channel = learning.channel
        channel.weights = ContentChannel.Part.allCases.map { $0 == .affinity ? 1 : 0 }
        var blind = learning.channel
        blind.weights = ContentChannel.Part.allCases.map { $0 == .similarity ? 1 : 0 }
        // A reader of one language, asked about new items of the other.
        let asked = library.ids.indices.filter { library.withheld[$0] && library.language[$0] == 1 }
        var right = 0, rightBlind = 0
        for subject in 0..<Library.subjects {
            let history = library.ids.indices.filter {
                !library.withheld[$0] && library.language[$0] == 0 && library.subject[$0] == subject
            }.prefix(5)
            let profile = learning.profile(history)
            func best(_ channel: ContentChannel) -> Int {
                asked.map { (channel.score(learning.items[$0], profile: profile, tower: 0, level: 0), $0) }
                    .sorted { $0 > $1 }.prefix(3).count { library.subject[$0.1] == subject }
            }
            right += best(channel)
            rightBlind += best(blind)
        }
        #expect(right >= 16, "\(right) of 18 first places by the space")
        #expect(rightBlind <= 9, "\(rightBlind) of 18 by common words, which there are none of")
    }

    @Test func directionsHaveLengthOneAndThreadsChangeNothing() throws {
        let library = Library(seed: 2), one = library.learning(threads: 1), two = library.learning(threads: 2)
        #expect(one.channel.encoded() == two.channel.encoded())
        for item in one.items {
            let square = item.direction.reduce(0) { $0 + $1 * $1 }
            #expect(abs(square - 1) < 1e-4)
        }
    }

    @Test func whatIsWithheldTeachesNothing() {
        let library = Library(seed: 3)
        // Other people take the withheld items: what is learned stays the same, bit for bit.
        let new = library.ids.indices.filter { library.withheld[$0] }
        var changed = library.events
        for (place, item) in changed.enumerated() where library.withheld[Int(item)] { changed[place] = Int32(new[place % new.count]) }
        #expect(changed != library.events)
        #expect(library.learning().channel.encoded() == library.learning(events: changed).channel.encoded())
    }

    @Test func aSpaceIsReadAsItWasWritten() throws {
        let channel = Library(seed: 4).learning().channel, part = channel.encoded()
        let read = try ContentChannel(encoded: part)
        #expect(read.space != nil && read.encoded() == part)
        let content = ItemContent(tags: ["t0-1-2", "t0-1-3"])
        func place(_ channel: ContentChannel) -> [Float] {
            channel.item(content, own: channel.vector(of: content, id: "new"), linked: []).direction
        }
        let before = place(channel), after = place(read)
        // Tables are kept in 16 bits a number.
        #expect(zip(before, after).allSatisfy { abs($0 - $1) < 0.01 })
        for damage in PartDamage.all(of: part) {
            #expect(throws: PartFormatError.self, "\(damage.what)") { try ContentChannel(encoded: damage.part) }
        }
    }
}
