import Interactions
import Recommending
import TowerModel
import TrainingFiles

/// A model of the simulated shop that ranks by one goal or by several.
struct ShopModel {
    let model: TwoTowerModel
    /// With the tail dial built in.
    let blend: RankingBlend?
    let heads: RankingHeads?
    /// The dial that is built in.
    let dial: TailDial

    /// Recommends from all items: with one goal what is likely to be taken next, with several what is worth it, rare items lifted.
    func recommender(_ log: TrainingLog, _ records: [ItemRecord], arm: ShopBench.Arm) -> BatchRecommender {
        let vectors = model.encodeItems(log.contents, rows: log.itemIDs.map { model.row(of: $0) }, threads: 2)
        let byID = Dictionary(records.map { ($0.itemID, $0) }) { first, _ in first }
        let rowOf = Dictionary(log.itemIDs.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
        let rows = model.itemIDs.map { rowOf[$0] ?? -1 }
        let isSingle = arm == .singleObjective
        let snapshot = ServingSnapshot(
            catalogue: log.itemIDs.map { id in
                CatalogueEntry(
                    itemID: id, title: byID[id]?.title, categories: byID[id]?.categories ?? [], priceMicros: byID[id]?.priceMicros,
                    publishedAt: byID[id]?.publishedAt)
            }, catalogueVersion: 1, model: ItemEncoder(model: model).servingModel(version: 1),
            itemVectors: log.itemIDs.indices.flatMap { vectors.row($0) },
            blend: blend?.dialled(isSingle ? -dial : TailDial()).renumbered(rows, itemCount: log.itemIDs.count))
        return BatchRecommender(
            snapshot: snapshot.withHeads(isSingle ? nil : heads?.renumbered(rows, itemCount: log.itemIDs.count)))
    }
}
