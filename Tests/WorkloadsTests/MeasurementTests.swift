import Foundation
import Interactions
import Simulation
import Testing

import Workloads

@Suite struct MeasurementTests {
    @Test func percentilesAreOfTheNearestRank() {
        var sample = LatencySample()
        #expect(sample.percentile(50).isNaN && sample.count == 0)
        for milliseconds in (1...100).reversed() { sample.add(.milliseconds(milliseconds)) }
        #expect(sample.percentile(50) == 50 && sample.percentile(99) == 99)
        #expect(sample.percentile(0) == 1 && sample.percentile(100) == 100)
        var other = LatencySample()
        other.add(.milliseconds(1_000))
        sample.merge(other)
        #expect(sample.count == 101 && sample.percentile(100) == 1_000)
    }

    @Test func anItemMayBeShownAsItIsOrWasWhileItChanges() {
        let ledger = ItemLedger()
        #expect(!ledger.mayShow("a", category: nil, since: ledger.now), "nobody added it")
        ledger.began("a", category: "shoes")
        #expect(ledger.mayShow("a", category: nil, since: ledger.now), "it may be stored before its sender hears of it")
        ledger.ended("a")
        let asked = ledger.now
        #expect(ledger.mayShow("a", category: "shoes", since: asked) && !ledger.mayShow("a", category: "hats", since: asked))
        ledger.began("a", category: "hats")
        #expect(ledger.mayShow("a", category: "shoes", since: asked) && ledger.mayShow("a", category: "hats", since: asked))
        ledger.ended("a")
        #expect(!ledger.mayShow("a", category: "shoes", since: ledger.now))
        ledger.began("a", category: nil)
        #expect(ledger.mayShow("a", category: nil, since: ledger.now))
        ledger.ended("a")
        #expect(!ledger.mayShow("a", category: nil, since: ledger.now))
        #expect(ledger.mayShow("a", category: "shoes", since: asked), "an answer to an earlier question may have it")
    }

    @Test func slotsOfNewItemsAreNoDifference() throws {
        func answer(_ items: [(String, Double, Bool)]) throws -> ServiceClient.Answer {
            let list = items.map { #"{"item_id":"\#($0.0)","score":\#($0.1),"reason":"personal","exploration":\#($0.2)}"# }
            return try JSONDecoder().decode(
                ServiceClient.Answer.self, from: Data(#"{"request_id":"r","items":[\#(list.joined(separator: ","))]}"#.utf8))
        }
        let before = try answer([("a", 2, false), ("b", 1, false), ("c", 0.5, false)])
        #expect(try !answer([("a", 2, false), ("new", 9, true), ("b", 1, false)]).differs(from: before, inScores: true))
        #expect(try answer([("b", 2, false), ("a", 1, false), ("c", 0.5, false)]).differs(from: before, inScores: false))
        let rescored = try answer([("a", 2, false), ("b", 1.5, false), ("c", 0.5, false)])
        #expect(rescored.differs(from: before, inScores: true) && !rescored.differs(from: before, inScores: false))
        #expect(try answer([]).differs(from: before, inScores: false))
    }

    @Test func madeEventsAreTheSameForTheSameSeedAndAllAreTaken() {
        var first = SyntheticEvents(seed: 7), same = SyntheticEvents(seed: 7), other = SyntheticEvents(seed: 8)
        let decoder = RecordDecoder(rules: DecodingRules())
        var purchases = 0, bytes = 0, differs = false
        for number in 0..<2_000 {
            let event = first.next()
            #expect(event.json == same.next().json)
            if event.json != other.next().json { differs = true }
            let origin = RecordOrigin(source: "t", cluster: "t", position: Position(partition: 0, offset: Int64(number)))
            let result = Array(event.json.utf8).withUnsafeBytes {
                decoder.interaction($0, origin: origin, now: EventTime(milliseconds: 1_900_000_000_000))
            }
            guard case .success(let interaction) = result else {
                Issue.record("\(event.json) is refused")
                continue
            }
            #expect(interaction.userID == event.key)
            if interaction.type == .purchase { purchases += 1 }
            bytes += event.json.utf8.count
        }
        #expect(differs)
        #expect(60...180 ~= purchases, "6 % are purchases: \(purchases)")
        #expect(170...240 ~= bytes / 2_000, "an event has about 200 bytes: \(bytes / 2_000)")
    }

    @Test func vectorsOfTheIndexWorkloadAreOfUnitLengthAndFilesOfOtherSizesAreRefused() throws {
        let made = IndexBenchData.mixture(vectors: 1_000, queries: 10, dimension: 16, seed: 1)
        #expect(made.vectors.count == 16_000 && made.queries.count == 160)
        for start in stride(from: 0, to: 16_000, by: 16) {
            let length = made.vectors[start..<start + 16].reduce(0) { $0 + $1 * $1 }
            #expect(abs(length - 1) < 1e-4)
        }
        #expect(made.vectors == IndexBenchData.mixture(vectors: 1_000, queries: 10, dimension: 16, seed: 1).vectors)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("index-\(UInt64.random(in: .min ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try made.vectors.withUnsafeBytes { Data($0) }.write(to: folder.appendingPathComponent("vectors.f32"))
        try made.queries.withUnsafeBytes { Data($0) }.write(to: folder.appendingPathComponent("queries.f32"))
        let read = try IndexBenchData.read(folder: folder.path, dimension: 16)
        #expect(read.vectors == made.vectors && read.queries == made.queries)
        let error = #expect(throws: IndexBenchError.self) { try IndexBenchData.read(folder: folder.path, dimension: 48) }
        #expect(error?.description.contains("vectors.f32 has 64000 bytes") == true)
    }

    @Test func aDemonstrationGoesOnWithItsShop() async throws {
        let name = "demo-\(UInt64.random(in: .min ... .max))/a/demo.json"
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        #expect(DemoState.read(from: path) == nil)
        let state = DemoState(openingMilliseconds: 1_800_000_000_000, seed: 7)
        try state.write(to: path)
        let again = try #require(DemoState.read(from: path))
        #expect(again.openingMilliseconds == state.openingMilliseconds && again.seed == 7)
        #expect(again.shop.users().map(\.userID) == state.shop.users().map(\.userID))
        try FileManager.default.removeItem(atPath: path)
    }

    @Test func shoppersOfADemonstrationActNowAndNameEachEventOnce() async throws {
        let shop = Shop(
            configuration: ShopConfiguration(users: 20, items: 50, opening: EventTime(milliseconds: 1_700_000_000_000)), seed: 3)
        let items = shop.catalogue(openedBy: EventTime(milliseconds: 1_700_000_000_000)).map(\.itemID)
        let demo = DemoShop(shop: shop, run: "t")
        let decoder = RecordDecoder(rules: DecodingRules())
        var ids: Set<String> = [], events = 0
        for number in 0..<200 {
            let visit = await demo.shopper()
            for json in await demo.browse(visit) + demo.react(visit, shown: Array(items.prefix(10)), requestID: "r\(number)") {
                let origin = RecordOrigin(source: "t", cluster: "t", position: Position(partition: 0, offset: Int64(events)))
                let result = Array(json.utf8).withUnsafeBytes { decoder.interaction($0, origin: origin, now: .now) }
                guard case .success(let interaction) = result else {
                    Issue.record("\(json) is refused")
                    continue
                }
                events += 1
                ids.insert(interaction.eventID)
            }
        }
        #expect(events > 50 && ids.count == events)
    }
}
