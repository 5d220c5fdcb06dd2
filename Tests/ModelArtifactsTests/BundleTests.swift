import Features
import Foundation
import Interactions
import ModelArtifacts
import Recommending
import Tensors
import Testing

/// A model with its parts is written and read as one value, and answers the same afterwards.
struct BundleTests {
    private static let partFiles = ["adaptation", "blend", "content", "domains", "heads", "prices", "ranker"].map { $0 + ".safetensors" }

    /// The model's items and four that it never trained on.
    private static func catalogue(_ bundle: ModelBundle) -> ServedCatalogue {
        let ids = bundle.model.itemIDs + (0..<4).map { "new \($0)" }
        let contents = ids.indices.map { TinyBundle.content($0) }
        let entries = zip(ids, contents).map { id, content in
            CatalogueEntry(itemID: id, categories: content.categories, priceMicros: content.priceMicros)
        }
        return ServedCatalogue(
            entries: entries, contents: contents, version: 4, vectors: bundle.vectors(of: Array(zip(ids, contents))),
            trending: [TrendingItem(itemID: ids[2], score: 5), TrendingItem(itemID: ids[5], score: 2)])
    }

    /// What users with some histories are shown, with scores.
    private static func answers(_ bundle: ModelBundle, attributes: String? = nil) -> [[RecommendedItem]] {
        let snapshot = bundle.snapshot(over: catalogue(bundle), version: 3), recommender = BatchRecommender(snapshot: snapshot)
        return [[], [0], [3, 1], [5, 2, 5, 7], [1, 2, 3, 4, 6]].map { met in
            var history = UserHistory(limit: 200)
            for (place, row) in met.enumerated() {
                history.insert(
                    HistoryEntry(
                        itemID: bundle.model.itemIDs[row], type: place % 2 == 0 ? .purchase : .click,
                        time: EventTime(milliseconds: Int64(1_000 + place)), position: Position(partition: 0, offset: Int64(place)),
                        amountMinor: place % 2 == 0 ? 900 : 0, ratingHundredths: place == 3 ? 100 : nil))
            }
            return recommender.recommend(
                count: 12, history: history, excluded: [], attributes: attributes, now: EventTime(milliseconds: 5_000), userID: "u")
        }
    }

    @Test(arguments: [false, true]) func aBundleIsReadAsItWasWritten(hasSpace: Bool) throws {
        let folder = try Folder()
        let store = ArtifactStore(root: folder.path)
        var bundle = try TinyBundle.make(hasSpace: hasSpace)
        bundle.exclusion = ExclusionRule([.click], categoryTypes: [.purchase], categories: ["a b"])
        #expect((bundle.channel?.space != nil) == hasSpace)
        let reference = try store.write(bundle, name: "v", notes: ["watermark": "12"])
        let artifact = try store.read(reference), read = artifact.bundle
        #expect(read.parts == bundle.parts && Set(read.parts.keys) == Set(ModelBundle.Part.allCases))
        #expect(read.model.tensors == bundle.model.tensors && read.model.domains == bundle.model.domains)
        #expect(read.blend == bundle.blend && read.heads == bundle.heads && read.kit == bundle.kit)
        #expect(read.prices == bundle.prices)
        #expect(read.channel?.weights == bundle.channel?.weights)
        #expect(read.ratingsFrom == 2.5 && read.textEncoder == "ab12" && read.exclusion == bundle.exclusion)
        #expect(artifact.notes == ["watermark": "12", "positive_ratings_from": "2.5", "text_encoder": "ab12", "exclusion": "2 8 3:a b"])
        #expect(try folder.names("v") == (Self.partFiles + ["items.ids", "manifest.json", "model.safetensors"]).sorted())
        // Written again, the bytes are the same: nothing is lost on the way.
        #expect(try store.write(read, name: "w", notes: ["watermark": "12"]).checksum == reference.checksum)
    }

    @Test func whatWasReadAnswersAsWhatWasWritten() throws {
        let folder = try Folder()
        let store = ArtifactStore(root: folder.path)
        for hasSpace in [false, true] {
            let bundle = try TinyBundle.make(hasSpace: hasSpace)
            let read = try store.read(try store.write(bundle, name: "v\(hasSpace)")).bundle
            // The space's tables are rounded when they are written, once.
            var rounded = bundle
            if hasSpace { rounded.channel = read.channel }
            for attributes in [nil, "{\"country\":\"at\"}"] {
                #expect(Self.answers(read, attributes: attributes) == Self.answers(rounded, attributes: attributes))
            }
        }
    }

    /// Offline figures are those of what serves only if no part is forgotten on the way to a snapshot.
    @Test func aSnapshotHasEveryPartOfItsBundle() throws {
        let bundle = try TinyBundle.make(hasSpace: true)
        let whole = Self.answers(bundle), here = "{\"country\":\"at\"}", whole2 = Self.answers(bundle, attributes: here)
        func without(_ change: (inout ModelBundle) -> Void) -> ModelBundle {
            var other = bundle
            change(&other)
            return other
        }
        #expect(Self.answers(without { $0.heads = nil }) != whole, "heads")
        #expect(Self.answers(without { ($0.blend, $0.heads) = (nil, nil) }) != Self.answers(without { $0.heads = nil }), "blend")
        #expect(Self.answers(without { ($0.channel, $0.kit) = (nil, nil) }) != whole, "content")
        #expect(Self.answers(without { $0.model.domains = nil }, attributes: here) != whole2, "domains")
        #expect(Self.answers(without { $0.ratingsFrom = 0 }) != whole, "ratings")
        #expect(Self.answers(without { $0.prices = ItemPrices() }) != whole, "prices")
        let snapshot = bundle.snapshot(over: Self.catalogue(bundle), version: 3)
        #expect(snapshot.isAdaptable && snapshot.isBlended && snapshot.modelVersion == 3)
        #expect(!without { $0.kit = nil }.snapshot(over: Self.catalogue(bundle), version: 3).isAdaptable)
    }

    @Test func aPartThatIsMissingOrDamagedIsNamed() throws {
        let folder = try Folder()
        let store = ArtifactStore(root: folder.path)
        let reference = try store.write(try TinyBundle.make(), name: "v")
        for file in Self.partFiles {
            let whole = try folder.bytes("v/\(file)")
            func problem() -> ArtifactError? {
                do { _ = try store.read(reference) } catch { return error }
                return nil
            }
            for place in stride(from: 0, to: whole.count, by: max(1, whole.count / 40)) {
                var bytes = whole
                bytes[place] ^= 8
                try folder.write(bytes, "v/\(file)")
                let error = problem()
                #expect(error?.code == .damaged && error?.path.hasSuffix(file) == true, "\(file) \(place): \(String(describing: error))")
            }
            try FileManager.default.removeItem(atPath: "\(folder.path)/v/\(file)")
            let error = problem()
            #expect(error?.code == .missing && error?.path.hasSuffix(file) == true, "\(file): \(String(describing: error))")
            try folder.write(whole, "v/\(file)")
        }
        #expect(code { _ = try store.read(reference) } == nil)
    }

    @Test func partsOfAnotherModelAndPartsWithoutWhatTheyReadAreRefused() throws {
        let folder = try Folder()
        let store = ArtifactStore(root: folder.path)
        let bundle = try TinyBundle.make()
        func refused(_ name: String, _ change: (inout ModelBundle) -> Void) throws {
            var other = bundle
            change(&other)
            let error = #expect(throws: ArtifactError.self) { try store.write(other, name: "x") }
            #expect(error?.code == .unusable && error?.message.contains(name) == true, "\(String(describing: error))")
            let read = #expect(throws: PartFormatError.self) {
                try ModelBundle(model: bundle.model, parts: other.parts, notes: other.notes)
            }
            #expect(read?.description.contains(name) == true, "\(String(describing: read))")
        }
        let rows = (0..<8).map { Int32($0) }
        try refused("ranking blend is of 9") { $0.blend = $0.blend?.renumbered(rows, itemCount: 9) }
        try refused("ranking heads is of 9") { $0.heads = $0.heads?.renumbered(rows, itemCount: 9) }
        try refused("ranking heads without the ranking blend") { $0.blend = nil }
        try refused("adaptation without the content channel") { $0.channel = nil }
        #expect(store.names().isEmpty)
        #expect(throws: PartFormatError.self) {
            try ModelBundle(model: bundle.model, parts: [:], notes: ["positive_ratings_from": "many"])
        }
        #expect(throws: PartFormatError.self) {
            try ModelBundle(model: bundle.model, parts: [:], notes: ["exclusion": "all"])
        }
        for (rows, prices) in [([Int32(8)], [Float(1)]), ([2, 2], [1, 1]), ([2], [-1]), ([2], [.nan]), ([2], [1, 1])] {
            var part = PartTensors(version: 1)
            part.add("rows", .int32(rows))
            part.add("prices", prices)
            #expect(throws: PartFormatError.self, "\(rows) \(prices)") { try ModelBundle(model: bundle.model, parts: [.prices: part]) }
        }
        // Prices of items that the model does not know are not kept, and those that are none never were.
        var odd = bundle
        odd.prices = ItemPrices(["unknown": 1, bundle.model.itemIDs[0]: .infinity, bundle.model.itemIDs[1]: 0])
        #expect(odd.prices.byID == ["unknown": 1] && odd.parts[.prices] == nil)
        let bare = try ModelBundle(model: bundle.model, parts: [:], notes: ["any": "thing"])
        #expect(Array(bare.parts.keys) == [.domains] && bare.notes.isEmpty)
    }
}
