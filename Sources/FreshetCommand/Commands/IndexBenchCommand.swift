import ArgumentParser
import VectorIndex
import Workloads

/// `freshet bench index`
struct IndexBenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index", abstract: "Building and searching the index of item vectors, recall against exact search.",
        discussion: "Vectors are a gaussian mixture, or vectors.f32 and queries.f32 (floats, 64 a vector) of the folder --data.")

    /// Names of kinds of index.
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case automatic, flat, hnsw, ivf

        var indexKind: IndexKind {
            switch self {
            case .automatic: .automatic
            case .flat: .flat
            case .hnsw: .graph(nil)
            case .ivf: .lists(nil)
            }
        }
    }

    @Option(help: "Vectors of 64 components.") var vectors = 1_000_000
    @Option(help: "Queries.") var queries = 1_000
    @Option(help: "A folder with vectors.f32 and queries.f32 to use instead.") var data: String?
    @Option(help: "automatic, flat, hnsw or ivf.") var kind = Kind.automatic
    @Option(help: "The recall of the best 100 that the index is set to.") var recall = 0.95
    @Option(help: "Threads that build.") var threads = 2
    @Option(help: "Seconds of searching.") var seconds = 3.0
    @Flag(help: "Print as JSON (always).") var json = false

    func validate() throws {
        guard vectors > 0, queries > 0, threads > 0, seconds > 0, 0...1 ~= recall else {
            throw ValidationError("--vectors, --queries, --threads and --seconds take numbers above 0, --recall one from 0 to 1")
        }
    }

    func run() throws {
        let dimension = 64
        let given = try data.map { try IndexBenchData.read(folder: $0, dimension: dimension) }
        try IndexBench(
            data: given ?? .mixture(vectors: vectors, queries: queries, dimension: dimension, seed: 1), kind: kind.indexKind,
            recall: recall, threads: threads, seconds: seconds
        ).run().print(asJSON: true)
    }
}
