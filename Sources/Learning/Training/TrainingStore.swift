import FeatureStore
import Interactions
import Recommending
import Reports
import TrainingFiles

/// What a training reads of the database, and where it keeps what it made: rows of the registry, files of models, pages.
package protocol TrainingStore {
    /// The registry.
    var models: any RegisteredModels { get }
    /// A registered version with its parts, from its files.
    func bundle(of version: RegisteredModel) throws -> ModelBundle
    /// Writes one moment of the store as a training file.
    ///
    /// - Parameters:
    ///   - seen: what a former training saw; what it did not is marked as new.
    ///   - likesFrom: what is rated below it is left out; nil where the settings say what is.
    ///   - isStopped: asked now and then; where it says so the export ends with a failure.
    ///   - progress: hears how many interactions were read.
    func export(
        to path: String, seen: (snapshot: String, until: EventTime?)?, likesFrom: Double?, isStopped: () -> Bool, progress: (Int) -> Void
    ) throws -> SnapshotExport.Summary
    /// Hears of items that people met and nobody described.
    func register(itemsWithoutRecord: [String]) throws
    /// How many users of a log were erased since it was read.
    func erasedUsers(in log: TrainingLog) throws -> Int
    /// Whether no other training can run at this time.
    func isLocked() -> Bool
    /// Writes a model's files and enters it into the registry; gives its number.
    func register(_ bundle: ModelBundle, _ entry: RegistryEntry) throws -> Int32
    /// Looks at the files of a version that is to be promoted: what a disk kept is what servers will read.
    func check(_ version: RegisteredModel) throws
    /// Promotes a version.
    ///
    /// - Parameter judgedAgainst: the version that was promoted when it was judged, 0 for none; nil where nothing was judged.
    /// - Throws: `StoreError` with the code `conflict` where another one was promoted since.
    func promote(_ version: Int32, reason: String, judgedAgainst: Int?) throws
    /// Notes that a version is refused.
    func refuse(_ version: Int32, reason: String) throws
    /// Keeps the page of a version beside its files.
    func writeReport(of version: RegisteredModel) throws
    /// Writes a page; it appears whole or not at all.
    func write(_ page: ReportPage, to path: String) throws
    /// Removes the files of a version; false where there are none here.
    func removeFiles(of version: RegisteredModel) throws -> Bool
    /// Does something while nobody promotes.
    func holdingPromotions(_ work: () throws -> Void) throws
}

/// What the registry keeps of a version from its beginning.
package struct RegistryEntry {
    /// The settings that the run depended on, as a JSON object.
    package var configuration: String
    /// What its evaluation found, as a JSON object.
    package var metrics: String
    /// Up to where it learned, as a JSON object.
    package var watermark: String
    /// What it scored on each question.
    package var answers: [UInt8]?
    /// Why the gate refused it; nil where it passed.
    package var refused: String?

    /// All of it.
    package init(configuration: String, metrics: String, watermark: String, answers: [UInt8]?, refused: String?) {
        self.configuration = configuration
        self.metrics = metrics
        self.watermark = watermark
        self.answers = answers
        self.refused = refused
    }
}
