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

    private let empty = ServingSnapshot(catalogue: [], catalogueVersion: 0)

    @Test func changesAddHideAndRemoveItems() {
        let first = empty.applying([item("a"), item("b", hidden: true), item("c")], encodedBy: nil, catalogueVersion: 3)
        #expect(first.catalogueVersion == 3 && first.itemCount == 3 && first.availableCount == 2)
        let next = first.applying([item("b", version: 4), item("c", version: 5, isDeleted: true)], encodedBy: nil, catalogueVersion: 5)
        #expect(next.state(of: "b") != .hidden && next.state(of: "c") == .hidden && next.availableCount == 2)
        #expect(first.availableCount == 2 && first.state(of: "c") != .hidden, "the former one is as it was")
    }

    @Test func anotherDatabasesCatalogueLeavesNothingOfTheFormer() {
        let first = empty.applying([item("a", title: "A"), item("b"), item("c")], encodedBy: nil, catalogueVersion: 30)
        let other = first.becoming(
            [item("a", version: 2, title: "A"), item("d", version: 2), item("b", version: 1, isDeleted: true)], encodedBy: nil,
            catalogueVersion: 2)
        #expect(other.catalogueVersion == 2, "its versions are its own")
        let isGone = ["a", "b", "c", "d"].map { other.state(of: $0) == .hidden || other.state(of: $0) == .unknown }
        #expect(isGone == [false, true, true, false])
        #expect(other.entry("a")?.title == "A")
    }

    @Test func longTitlesAreCutForAnswers() {
        let title = String(repeating: "ü", count: ShownText.maxTitleBytes)
        let entry = item("a", title: title).entry
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
        let snapshot = empty.applying([item("a"), item("b", hidden: true)], encodedBy: nil, catalogueVersion: 1)
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
