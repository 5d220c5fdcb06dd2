import Console
import FeatureStore

/// Which model version a batch command uses.
package enum ModelChoice: Equatable, Sendable {
    case promoted
    case latest
    case version(Int32)

    /// `promoted`, `latest` or a version; nil for other texts.
    package init?(argument: String) {
        switch argument {
        case "promoted": self = .promoted
        case "latest": self = .latest
        default:
            guard let version = Int32(argument), version > 0 else { return nil }
            self = .version(version)
        }
    }

    /// The version in the registry.
    ///
    /// - Throws: `CommandFailure` where there is none.
    package func find(in models: any RegisteredModels) throws -> RegisteredModel {
        switch self {
        case .promoted:
            guard let model = try models.promotedModel() else {
                throw CommandFailure("no model is promoted yet: run freshet train, or name a version with --model")
            }
            return model
        case .latest:
            guard let model = try models.models(limit: 1).first else {
                throw CommandFailure("there is no model yet: run freshet train")
            }
            return model
        case .version(let version):
            guard let model = try models.model(version) else {
                throw CommandFailure("there is no model version \(version); freshet models list shows them")
            }
            return model
        }
    }
}
