import Console
import ContentModel
import Features
import Learning
import Logging
import Recommending
import Tensors
import TowerModel
import TrainingFiles

/// A log of items in eight categories. Words of one kind make items of every category liked by even users, those of the other by odd ones.
enum CategoryShop {
    static let categories = 8, perCategory = 10, users = 60
    static var items: Int { categories * perCategory }
    static func category(_ item: Int) -> String { "c\(item / perCategory)" }

    static func content(kind: Int, category: String) -> ItemContent {
        ItemContent(categories: [category], tags: ["kind\(kind)", "also\(kind)", "all"])
    }

    static let log: TrainingLog = {
        var log = PlantedLog.log(users: users, events: 16, items: items, seed: 6) { user, _, random in
            let like = random.next(below: 8) == 0 ? 1 - user % 2 : user % 2
            return 2 * random.next(below: items / 2) + like
        }
        log.contents = (0..<items).map { content(kind: $0 % 2, category: category($0)) }
        return log
    }()

    static func training(_ log: TrainingLog = log, stop: StopSignal = StopSignal(), _ change: (inout AdaptationSettings) -> Void = { _ in })
        -> AdaptationTraining
    {
        var settings = SmallSettings.adaptation
        settings.isWanted = true
        change(&settings)
        let rows = log.userIDs.indices.map { log.rows(of: $0) }
        let learning = ContentTraining(log: log, settings: SmallSettings.learning().content).learning(rows)
        return AdaptationTraining(
            log: log, settings: settings, rows: rows, learning: learning, logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() },
            stop: stop)
    }

    /// A model of the shop that can adapt.
    static let bundle: Result<ModelBundle, any Error> = Result {
        let model = try SmallSettings.model(log, [("epochs", "1")]), training = Self.training()
        var bundle = ModelBundle(model)
        bundle.channel = training.learning.channel
        bundle.kit = try training.run(modelItems: model.itemIDs)?.kit
        return bundle
    }

    /// What serves once items of a category came that nobody learned of: `n0`, `n1`, … of alternating kinds.
    static func snapshot(of bundle: ModelBundle, newItems: Int = 12, hidden: Set<String> = [], version: Int = 3) -> ServingSnapshot {
        let ids = log.itemIDs + (0..<newItems).map { "n\($0)" }
        let contents = log.contents + (0..<newItems).map { content(kind: $0 % 2, category: "new") }
        let entries = zip(ids, contents).map { CatalogueEntry(itemID: $0, categories: $1.categories, available: !hidden.contains($0)) }
        return bundle.snapshot(
            over: ServedCatalogue(entries: entries, contents: contents, version: 1, vectors: bundle.vectors(of: Array(zip(ids, contents)))),
            version: version)
    }
}
