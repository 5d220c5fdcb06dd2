import Recommending
import Testing

struct RebuildPolicyTests {
    private var snapshot: ServingSnapshot {
        ServingSnapshot(
            catalogue: (0..<10).map { CatalogueEntry(itemID: "i\($0)", available: $0 > 0) }, catalogueVersion: 1, model: meanModel(1),
            itemVectors: [Float](repeating: 1, count: 10))
    }

    private func changed(_ changes: [CatalogueChange]) -> ServingSnapshot { snapshot.applying(changes, catalogueVersion: 2) }

    @Test func newItemsAreCountedAndSoIsWhatWentOrChanged() {
        let policy = RebuildPolicy(maxFreshItems: 3, maxRemovedShare: 0.2)
        #expect(!policy.isDue(for: snapshot))
        let new = (0..<4).map { CatalogueChange.upsert(CatalogueEntry(itemID: "n\($0)"), vector: [1], origin: .content) }
        #expect(!policy.isDue(for: changed(Array(new.prefix(3)))))
        #expect(policy.isDue(for: changed(new)))
        #expect(changed([.delete(itemID: "i1"), .delete(itemID: "i1"), .delete(itemID: "none")]).removedCount == 1)
        #expect(!policy.isDue(for: changed([.delete(itemID: "i1"), .delete(itemID: "i2")])))
        let three: [CatalogueChange] = [
            .delete(itemID: "i1"), .delete(itemID: "i2"), .upsert(CatalogueEntry(itemID: "i3"), vector: [2], origin: .trained),
        ]
        #expect(policy.isDue(for: changed(three)))
        // One that came back is no longer gone; a hidden one never was.
        let back = changed(three).applying(
            [
                .upsert(CatalogueEntry(itemID: "i1"), vector: nil, origin: .trained),
                .upsert(CatalogueEntry(itemID: "i4", available: false), vector: nil, origin: .trained),
            ],
            catalogueVersion: 3)
        #expect(back.removedCount == 2 && !policy.isDue(for: back))
    }
}
