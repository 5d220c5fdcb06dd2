import Interactions
import Recommending
import TrainingFiles

/// A model of the simulated shop that ranks by one goal or by several.
package struct ShopModel {
    /// With the tail dial built into its blend.
    package let bundle: ModelBundle
    /// The dial that is built in.
    package let dial: TailDial

    /// A model, and the dial that its blend has.
    package init(bundle: ModelBundle, dial: TailDial) {
        self.bundle = bundle
        self.dial = dial
    }

    /// Recommends from all items: with one goal what is likely to be taken next, with several what is worth it, rare items lifted.
    func recommender(_ log: TrainingLog, _ records: [ItemRecord], arm: ShopBench.Arm) -> BatchRecommender {
        let byID = Dictionary(records.map { ($0.itemID, $0) }) { first, _ in first }
        let isSingle = arm == .singleObjective
        var served = bundle
        if isSingle { served.heads = nil }
        let entries = log.itemIDs.map { id in
            CatalogueEntry(
                itemID: id, title: byID[id]?.title, categories: byID[id]?.categories ?? [], priceMicros: byID[id]?.priceMicros,
                publishedAt: byID[id]?.publishedAt)
        }
        let vectors = served.vectors(of: Array(zip(log.itemIDs, log.contents)), threads: 2)
        return BatchRecommender(
            snapshot: served.snapshot(
                over: ServedCatalogue(entries: entries, contents: log.contents, version: 1, vectors: vectors), version: 1,
                settings: ServedSettings(tailDial: isSingle ? -dial : TailDial())))
    }
}
