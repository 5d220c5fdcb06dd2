import FeatureStore
import Interactions
import RecommendationAPI
import Recommending
import Serving
import Testing
import VectorIndex

/// What changes in a catalogue, as the snapshot takes it over.
@Suite struct SnapshotTests {
    private func item(
        _ id: String, version: Int64 = 1, hidden: Bool = false, isDeleted: Bool = false, title: String? = nil
    ) -> CatalogueItem {
        var record = ItemRecord(itemID: id, title: title)
        record.hidden = hidden
        return CatalogueItem(record: record, isDeleted: isDeleted, catalogueVersion: version)
    }

    private let now = EventTime(milliseconds: 1_700_000_000_000)
    private let empty = ServingSnapshot(catalogue: [], catalogueVersion: 0)

    @Test func changesAddHideAndRemoveItems() {
        let first = empty.applying([item("a"), item("b", hidden: true), item("c")], encodedBy: nil, catalogueVersion: 3, at: now)
        #expect(first.catalogueVersion == 3 && first.itemCount == 3 && first.availableCount == 2)
        let next = first.applying(
            [item("b", version: 4), item("c", version: 5, isDeleted: true)], encodedBy: nil, catalogueVersion: 5, at: now)
        #expect(next.state(of: "b") != .hidden && next.state(of: "c") == .hidden && next.availableCount == 2)
        #expect(first.availableCount == 2 && first.state(of: "c") != .hidden, "the former one is as it was")
    }

    @Test func anotherDatabasesCatalogueLeavesNothingOfTheFormer() {
        let first = empty.applying([item("a", title: "A"), item("b"), item("c")], encodedBy: nil, catalogueVersion: 30, at: now)
        let other = first.becoming(
            [item("a", version: 2, title: "A"), item("d", version: 2), item("b", version: 1, isDeleted: true)], encodedBy: nil,
            catalogueVersion: 2, at: now)
        #expect(other.catalogueVersion == 2, "its versions are its own")
        let isGone = ["a", "b", "c", "d"].map { other.state(of: $0) == .hidden || other.state(of: $0) == .unknown }
        #expect(isGone == [false, true, true, false])
        #expect(other.entry("a")?.title == "A")
    }

    private func variant(_ id: String, of group: String?, _ attributes: String? = nil, version: Int64 = 1) -> CatalogueItem {
        CatalogueItem(
            record: ItemRecord(itemID: id, title: "T \(id)", attributes: attributes, groupID: group), isDeleted: false,
            catalogueVersion: version)
    }

    @Test("members of a group are one item, whichever of them changes, joins or leaves")
    func groups() {
        let shoes = [variant("s41", of: "shoe", #"{"size":41}"#), variant("s42", of: "shoe", #"{"size":42}"#), item("a")]
        let first = empty.applying(shoes, encodedBy: nil, catalogueVersion: 1, at: now)
        #expect(first.itemCount == 2 && first.availableCount == 2 && first.itemIDs.sorted() == ["a", "s41", "s42"])
        #expect(first.entry("s42")?.title == "T s42" && first.state(of: "s41") == .unencoded)
        // A member leaves and is an item of its own; a third joins that was one.
        let moved = first.applying([variant("s41", of: nil, version: 2)], encodedBy: nil, catalogueVersion: 2, at: now)
        #expect(moved.availableCount == 3 && moved.entry("s41")?.variants.isEmpty == true)
        let joined = moved.applying(
            [variant("a", of: "shoe", version: 3), variant("s42", of: "shoe", #"{"size":42}"#)], encodedBy: nil, catalogueVersion: 3,
            at: now)
        #expect(joined.availableCount == 2 && joined.state(of: "a") == .unencoded)
        // The last member takes the group along; another database's catalogue knows neither.
        let rest = joined.applying(
            [item("a", version: 4, isDeleted: true), item("s42", version: 4, isDeleted: true)], encodedBy: nil, catalogueVersion: 4,
            at: now)
        #expect(rest.availableCount == 1 && rest.state(of: "a") == .hidden && rest.state(of: "s42") == .unknown)
        let other = joined.becoming(
            [variant("s42", of: "shoe"), variant("s43", of: "shoe")], encodedBy: nil, catalogueVersion: 1, at: now)
        #expect(other.availableCount == 1 && Set(other.itemIDs).isSuperset(of: ["s42", "s43"]))
        let known = ["a", "s41", "s42", "s43"].map { [.unencoded].contains(other.state(of: $0)) }
        #expect(known == [false, false, true, true])
    }

    @Test("stock and times hide and show without another record")
    func offers() {
        func offered(_ id: String, from: Int64? = nil, until: Int64? = nil, stock: Int32? = nil) -> CatalogueItem {
            CatalogueItem(
                record: ItemRecord(
                    itemID: id, availableFrom: from.map { EventTime(milliseconds: now.milliseconds + $0) },
                    availableUntil: until.map { EventTime(milliseconds: now.milliseconds + $0) }, stock: stock), isDeleted: false,
                catalogueVersion: 1)
        }
        let items = [
            offered("sold", stock: 0), offered("some", stock: 3), offered("soon", from: 500), offered("ending", until: 500),
            offered("between", from: 500, until: 600), offered("over", until: -1), offered("begun", from: -1),
            offered("never", from: 9, until: 5),
        ]
        var snapshot = empty.applying(items, encodedBy: nil, catalogueVersion: 1, at: now)
        func shown() -> [String] { items.map(\.record.itemID).filter { snapshot.state(of: $0) != .hidden } }
        #expect(shown() == ["some", "ending", "begun"])
        for (later, expected) in [
            (Int64(499), ["some", "ending", "begun"]), (500, ["some", "soon", "between", "begun"]), (600, ["some", "soon", "begun"]),
        ] {
            snapshot = snapshot.advanced(to: EventTime(milliseconds: now.milliseconds + later))
            #expect(shown() == expected, "after \(later) ms")
        }
        #expect(snapshot.nextChange == nil, "time changes nothing any more")
    }

    @Test func longTitlesAreCutForAnswers() {
        let title = String(repeating: "ü", count: ShownText.maxTitleBytes)
        let entry = item("a", title: title).entry(at: now)
        #expect((entry.title?.utf8.count ?? 0) <= ShownText.maxTitleBytes && entry.title?.isEmpty == false)
    }

    @Test func savedRowsServeWhatIsAsItWasAndTakeTheRestLater() {
        let saved = SavedVectors(itemIDs: ["a", "b", "c"], vectors: [0, 1, 2, 3, 4, 5], dimension: 2, catalogueVersion: 10)
        let rows = IndexedRows(
            saved,
            of: [
                item("a", version: 4), item("b", version: 12), item("c", version: 11, isDeleted: true), item("e", version: 13),
                item("d", version: 3),
            ])
        #expect(rows.itemIDs == ["a", "b", "c"] && rows.vectors == [0, 1, 2, 3, 4, 5] && rows.index == nil)
        #expect(rows.items.map { $0?.record.itemID } == ["a", "b", nil], "c is gone")
        // Changed since, and unknown then, in the order in which they changed.
        #expect(rows.later.map(\.record.itemID) == ["d", "b", "e"])
    }

    @Test func warningsSayWhyNothingIsLeft() {
        let snapshot = empty.applying([item("a"), item("b", hidden: true)], encodedBy: nil, catalogueVersion: 1, at: now)
        func codes(_ query: RecommendationQuery, answered: Int, in snapshot: ServingSnapshot) -> [String] {
            AnswerWarning.of(query, answered: answered, snapshot: snapshot).map(\.code)
        }
        #expect(codes(RecommendationQuery(), answered: 1, in: snapshot) == [])
        #expect(codes(RecommendationQuery(), answered: 0, in: empty) == ["empty_catalogue"])
        #expect(codes(RecommendationQuery(category: "x"), answered: 0, in: snapshot) == ["no_items_left"])
        #expect(codes(RecommendationQuery(items: ["a", "z"]), answered: 1, in: snapshot) == ["unknown_items"])
        #expect(codes(RecommendationQuery(items: ["y", "z"]), answered: 0, in: snapshot) == ["unknown_items"], "they are the reason")
        let many = AnswerWarning.of(RecommendationQuery(items: (0..<9).map { "z\($0)" }), answered: 0, snapshot: snapshot)
        #expect(many.first?.detail == "none of the 9 ids under items is in the catalogue: z0, z1, z2, z3, z4, …")
    }
}
