import Foundation
import FuzzInputs
import Settings
import Testing

/// Any files of settings and any variables: each gives settings that every role can read, or a sentence that says what is wrong.
@Suite struct SettingsDoorTests {
    private static let keys =
        ConfigurationKey.all.map(\.name) + ["train.epochs", "train.preset", "train.batch_size", "train.dimension", "http", "", "train.x"]

    /// Reads every key as the roles do. A value that was taken and cannot be read ends the process, so that the door notices.
    private func readAll(_ configuration: Configuration) {
        for key in ConfigurationKey.all {
            switch key.kind {
            case .integer: _ = configuration.integer(key.id)
            case .number: _ = configuration.number(key.id)
            case .boolean: _ = configuration.boolean(key.id)
            case .time: _ = configuration.time(key.id)
            case .list: _ = configuration.list(key.id)
            case .map: _ = configuration.map(key.id)
            default: _ = configuration.text(key.id)
            }
        }
    }

    private func outcome(_ load: () throws(ConfigurationError) -> Configuration, naming place: String?) -> FuzzDoor.Outcome {
        do throws(ConfigurationError) {
            readAll(try load())
            return .accepted
        } catch {
            guard !error.description.isEmpty, error.description.utf8.count < 40_000 else {
                return .broken("\(error.description.utf8.count) bytes of reason")
            }
            guard let place, !error.description.contains(place) else { return .refused }
            return .broken("\(error) does not name \(place)")
        }
    }

    private func expectHolds(_ report: FuzzDoor.Report) {
        #expect(report.findings.isEmpty, "\(report.findings.joined(separator: "\n"))")
        guard report.inputs >= 300 else { return }
        #expect(report.accepted > report.inputs / 50 && report.accepted < report.inputs * 49 / 50, "\(report.accepted) of \(report.inputs)")
    }

    @Test func files() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("settings-\(UUID().uuidString).yaml").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        expectHolds(
            await FuzzDoor("settings.yaml", short: 400, long: 30_000).run { source, _ in
                try Data(source.yamlFile(keys: Self.keys)).write(to: URL(fileURLWithPath: path))
                return outcome({ () throws(ConfigurationError) in try load(path, [:]) }, naming: path)
            })
    }

    @Test func variables() async {
        expectHolds(
            await FuzzDoor("settings.environment", short: 1_000, long: 200_000).run { source, _ in
                let variables = source.environment(keys: Self.keys)
                return outcome({ () throws(ConfigurationError) in try load(nil, variables) }, naming: nil)
            })
    }

    private func load(_ path: String?, _ variables: [String: String]) throws(ConfigurationError) -> Configuration {
        try Configuration.load(files: path.map { [$0] } ?? [], environment: variables, flags: [])
    }
}
