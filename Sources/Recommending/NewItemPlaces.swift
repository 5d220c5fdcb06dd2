import ContentModel
import Features
import Interactions

/// What the places of lists are worth to known items, for a sample of users: what a new item must have to stand there.
///
/// It is asked of the snapshot itself, whatever ranks in it, once a build; then new items come and go, and only they are scored again.
struct NewItemPlaces: Sendable {
    /// Scores of new items that are computed for one constant at most, above ``leastUsers``.
    static let scoresLimit = 1_000_000
    /// Vectors that are looked at for all users together at most where nothing is indexed, above ``leastUsers``.
    static let vectorsLimit = 20_000_000
    /// So many users are asked whatever it costs.
    static let leastUsers = 50

    struct User: Sendable {
        /// Rows, oldest first; at most ``NewItemShare/historyLimitEvents``.
        var history: [Int32]
        /// ``ContentChannel/Part/level``.
        var level: Float
        /// The best scores of known items, best first; at most ``NewItemShare/listLength``.
        var others: [Float]
    }

    /// At most ``NewItemShare/questionsLimit``.
    let users: [User]

    /// Asks.
    ///
    /// - Parameters:
    ///   - questions: on rows of the snapshot; −1 for items that are gone.
    ///   - new: rows that are left out.
    /// - Complexity: O(users × a request); without an index O(``vectorsLimit`` × dimension).
    init(_ snapshot: ServingSnapshot, _ content: ContentSignals, questions: [NewItemShare.Question], new: [Int32]) {
        let bare = snapshot.withContent(nil)
        let looked = snapshot.index == nil ? snapshot.indexedCount : 1
        let asked = Self.spread(questions, limit: max(Self.leastUsers, Self.vectorsLimit / max(1, looked)))
        users = asked.compactMap { Self.user($0, bare, content, new) }
    }

    /// Those whom a constant asks, where so many new items are scored for each.
    func asked(new items: Int) -> [User] { Self.spread(users, limit: max(Self.leastUsers, Self.scoresLimit / max(1, items))) }

    private static func spread<Element>(_ all: [Element], limit: Int) -> [Element] {
        all.count > limit ? (0..<limit).map { all[$0 * all.count / limit] } : all
    }

    private static func user(
        _ question: NewItemShare.Question, _ snapshot: ServingSnapshot, _ content: ContentSignals, _ new: [Int32]
    ) -> User? {
        let taste = snapshot.taste(of: question)
        guard taste.vector != nil, !taste.isNewcomer else { return nil }
        let filter = RowFilter(
            snapshot.catalogue, category: nil, rows: new + question.excluded.filter { $0 >= 0 && Int($0) < snapshot.catalogue.count })
        let ranking = Ranking(snapshot: snapshot, taste: taste, objective: nil)
        let query = RecommendationQuery(count: NewItemShare.listLength)
        let scores = ranking.places(of: candidates(query, filter: filter, ranking: ranking))
        let others = scores.filter(\.isFinite).sorted(by: >).prefix(NewItemShare.listLength)
        return User(
            history: question.items.filter { $0 >= 0 && Int($0) < snapshot.catalogue.count },
            level: taste.isNewestItem ? 0 : content.level(of: taste.vector), others: Array(others))
    }
}

extension ContentSignals {
    /// Whether new items came or went so that their share should be set again: more than a twentieth of them.
    var isShareDue: Bool { channel.share != nil && presentCount > 0 && 20 * changedItems > sharedItems }

    /// Keeps whom to ask, on the snapshot's rows.
    ///
    /// - Parameter rows: of each of the model's rows the snapshot's, −1 where it is not there.
    mutating func keepQuestions(on rows: [Int32]) {
        func row(_ item: Int32) -> Int32 { Int(item) < rows.count ? rows[Int(item)] : -1 }
        questions = channel.share?.questions.map { question in
            var own = question
            own.items = question.items.map(row)
            own.excluded = question.excluded.map(row)
            return own
        } ?? []
    }

    /// Sets the constant under which the new items that are present fill their share of places. Where what was shown of them was poorly
    /// received, they are lifted no higher than training found to be worth what it costs.
    ///
    /// - Parameter known: trained items that may be shown.
    mutating func share(known: Int) {
        guard let share = channel.share, let places = newItemPlaces else { return }
        sharedItems = presentCount
        changedItems = 0
        let wanted = NewItemShare.share(worth: presentWorth, known: known)
        var plain = channel
        plain.weights[ContentChannel.Part.constant.rawValue] = 0
        var lists = FairShare(length: NewItemShare.listLength)
        for user in places.asked(new: scannedCount) {
            let best = bestNew(NewItemShare.listLength, plain, history: user.history, level: user.level)
            lists.add(others: user.others.map { ($0, false) }, new: best.map { ($0, false) }, wanted: wanted, hitWorth: 1)
        }
        guard lists.hasPlaces else { return }
        let fair = lists.constant(cost: 1)
        channel.weights[ContentChannel.Part.constant.rawValue] = share.reception == .poor ? min(fair, learnedConstant) : fair
    }
}

extension ServingSnapshot {
    /// What somebody wants who had what a question says.
    func taste(of question: NewItemShare.Question) -> UserTaste {
        // Only the distances of times count.
        let now = EventTime(milliseconds: 4_000_000_000_000)
        var history = UserHistory(limit: NewItemShare.historyLimitEvents)
        for (place, row) in question.items.enumerated() where row >= 0 && Int(row) < catalogue.count {
            history.insert(
                HistoryEntry(
                    itemID: catalogue[row].itemID, type: InteractionType(rawValue: question.types[place]) ?? .click,
                    time: EventTime(milliseconds: now.milliseconds - 1_000 * Int64(question.ages[place])),
                    position: Position(partition: Position.filePartition, offset: Int64(place))))
        }
        return UserTaste(history: history, attributes: nil, context: [:], snapshot: self, now: now)
    }

    /// The same snapshot, which knows whom to ask for the share of its new items, and has set it where there are any.
    ///
    /// - Parameter rows: of each of the model's rows this snapshot's, −1 where it is not there.
    package func sharing(_ rows: [Int32]) -> ServingSnapshot {
        guard content?.channel.share != nil else { return self }
        var next = self
        next.content?.keepQuestions(on: rows)
        if next.content?.isShareDue == true { next.shareAnew() }
        return next
    }

    /// The same snapshot, which has asked what the places of its lists are worth, so that the first new item does not wait for it.
    public func readyForNewItems() -> ServingSnapshot {
        var next = self
        next.askPlaces()
        return next
    }

    private mutating func askPlaces() {
        guard let content, content.channel.share != nil, content.newItemPlaces == nil else { return }
        let places = NewItemPlaces(self, content, questions: content.questions, new: content.presentRows)
        self.content?.newItemPlaces = places
    }

    /// Sets the share of the new items from what is there now.
    mutating func shareAnew() {
        askPlaces()
        let known = knownCount
        content?.share(known: known)
    }

    /// Items that may be shown and are neither new nor known for having been taken by nobody.
    private var knownCount: Int {
        guard let content else { return availableCount }
        return availableCount - content.presentCount - content.untakenRows.count { catalogue.available.contains($0) }
    }

    /// The constant that lifts or lowers all items without training together, and the share of lists that they are worth; nil without a
    /// content channel.
    public var newItems: (constant: Float, share: Double)? {
        guard let content else { return nil }
        return (
            content.channel.weights[ContentChannel.Part.constant.rawValue],
            NewItemShare.share(worth: content.presentWorth, known: knownCount)
        )
    }
}
