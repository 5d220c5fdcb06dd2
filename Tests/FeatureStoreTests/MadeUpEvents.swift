import FeatureStore
import Features
import Interactions
import TestSupport

let start = EventTime(milliseconds: 1_790_000_000_000)

func time(_ milliseconds: Int64) -> EventTime { EventTime(milliseconds: start.milliseconds + milliseconds) }

/// An interaction with the fields that a test names.
func event(
    _ id: String, _ type: InteractionType = .click, user: String = "u1", item: String = "i1", at: Int64 = 0, partition: Int32 = 0,
    offset: Int64 = 0, hash: UInt64 = 1, request: String? = nil, slot: Int32? = nil, model: Int32? = nil
) -> Interaction {
    Interaction(
        eventID: id, type: type, userID: user, itemID: item, time: time(at), requestID: request, slot: slot, modelVersion: model,
        position: Position(partition: partition, offset: offset), payloadHash: hash)
}

/// Events of a small shop over 60 days, so that the landmarks of decayed counts move several times.
func madeUpEvents(_ count: Int, seed: UInt64, partition: Int32, users: Int = 25, items: Int = 15) -> [Interaction] {
    var numbers = SeededNumbers(state: seed)
    return (0..<count).map { index in
        let type = InteractionType.allCases[Int.random(in: 0..<4, using: &numbers)]
        var interaction = event(
            "e\(partition)-\(index)", type, user: "u\(Int.random(in: 0..<users, using: &numbers))",
            item: "i\(Int.random(in: 0..<items, using: &numbers))", at: Int64.random(in: 0..<5_184_000_000, using: &numbers),
            partition: partition, offset: Int64(index), hash: numbers.next())
        interaction.context = #"{"device":"phone"}"#
        interaction.sessionID = "s\(index % 7)"
        if type == .purchase {
            interaction.quantity = Int32.random(in: 1...3, using: &numbers)
            interaction.priceMicros = 19_990_000
            interaction.amountMinor = 1_999 * Int64(interaction.quantity)
            interaction.currency = Bool.random(using: &numbers) ? "EUR" : "USD"
        }
        return interaction
    }
}

/// Purchases and returns of few people and items, close in time, so that they meet: returns before their purchase, of more than was
/// bought, of what nobody bought, and some that name their purchase.
func madeUpTrades(_ count: Int, seed: UInt64, partition: Int32, users: Int = 4, items: Int = 3, minutes: Int64 = 60_000) -> [Interaction] {
    var numbers = SeededNumbers(state: seed)
    return (0..<count).map { index in
        let isReturn = Int.random(in: 0..<5, using: &numbers) < 2
        var trade = event(
            "t\(partition)-\(index)", isReturn ? .return : .purchase, user: "b\(Int.random(in: 0..<users, using: &numbers))",
            item: "i\(Int.random(in: 0..<items, using: &numbers))", at: Int64.random(in: 0..<minutes, using: &numbers) * 60_000,
            partition: partition, offset: Int64(100_000 + index), hash: numbers.next())
        trade.quantity = Int32.random(in: 1...6, using: &numbers)
        trade.priceMicros = [1_990_000, 3_330_000, nil].randomElement(using: &numbers)!
        trade.currency = trade.priceMicros == nil ? nil : "EUR"
        trade.amountMinor = trade.priceMicros.map { $0 / 10_000 * Int64(trade.quantity) }
        if isReturn, index.isMultiple(of: 7) { trade.context = #"{"purchase_event_id":"t\#(partition)-\#(index / 2)"}"# }
        return trade
    }
}

/// A batch with what a consumer would send: the offsets of one partition and the fold.
func batch(_ interactions: [Interaction], topic: String = "freshet.events", claim: PartitionClaim, next: Int64) -> IngestBatch {
    var delta = FeatureDelta(rules: FeatureRules())
    delta.fold(interactions)
    return IngestBatch(
        interactions: interactions,
        offsets: [ClaimedOffset(topic: topic, partition: claim.partition, epoch: claim.epoch, nextOffset: next)], prefolded: delta)
}

func origin(_ offset: Int64, source: String = "freshet.items", at: EventTime? = nil) -> RecordOrigin {
    RecordOrigin(source: source, cluster: "c1", position: Position(partition: 0, offset: offset), recordTime: at)
}

func upsert(_ id: String, title: String? = nil, updatedAt: Int64?, hidden: Bool = false, offset: Int64 = 0)
    -> (change: RecordChange<ItemRecord>, origin: RecordOrigin)
{
    (
        .upsert(
            ItemRecord(
                itemID: id, title: title, categories: ["shoes", "a \"quoted\" one"], tags: ["grip"], priceMicros: 89_900_000,
                currency: "EUR",
                attributes: #"{"brand": "Acme"}"#, embedding: [0.5, -1], updatedAt: updatedAt.map(time), hidden: hidden)), origin(offset)
    )
}
