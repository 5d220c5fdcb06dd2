import FeatureStore

/// The registry of model versions, as trainings and batch commands read it.
package protocol RegisteredModels {
    /// The version that serves; nil before the first promotion.
    func promotedModel() throws -> RegisteredModel?
    /// Versions, newest first.
    func models(limit: Int) throws -> [RegisteredModel]
    /// One version; nil where there is none.
    func model(_ version: Int32) throws -> RegisteredModel?
    /// Versions that served at some time of the last days and do so no more, newest first.
    func modelsThatServed(days: Int) throws -> [RegisteredModel]
    /// What a version scored on each question of its evaluation, as bytes; nil where nothing was kept.
    func answers(of version: Int32) throws -> [UInt8]?
}
