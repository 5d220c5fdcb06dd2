import ArgumentParser
import Console
import FeatureStore
import Foundation
import ModelArtifacts
import Serving

extension ModelsCommand {
    /// `freshet models report`
    struct Report: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The report of a version as one page of HTML.",
            discussion: """
                Every training leaves the page in the version's folder under artifacts.path. Without --output this prints where it is,
                and brings it up to date. The page needs nothing from outside: it can be mailed.
                """)
        @OptionGroup var options: GlobalOptions
        @Argument var version: Int32
        @Option(help: "Write the page to this file; - is standard output.") var output: String?

        func run() throws {
            let configuration = try options.configuration()
            guard let model = try ModelsCommand.store(options).model(version) else {
                throw CommandFailure("there is no model version \(version); freshet models list shows them")
            }
            if let output {
                try model.writeReport(to: output)
                // Not into the page, where that is what standard output is for.
                if output != "-", !output.hasPrefix("/dev/") { StandardOutput.line(output) }
                return
            }
            let folder = configuration.artifactStore.root + "/" + model.artifactName
            guard FileManager.default.fileExists(atPath: folder) else {
                throw CommandFailure(
                    "the files of version \(version) are not under \(configuration.text(.artifactsPath)) any more; name a file with "
                        + "--output")
            }
            let path = configuration.artifactStore.reportPath(of: model)
            // What was decided of a version since, such as a promotion by hand, belongs into its report.
            try model.writeReport(to: path)
            StandardOutput.line(path)
        }
    }
}
