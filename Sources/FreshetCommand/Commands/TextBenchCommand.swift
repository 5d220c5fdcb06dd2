import ArgumentParser
import Console
import Workloads

/// `freshet bench text`
struct TextBenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "text", abstract: "Texts a second of a sentence encoder, and its share of the arithmetic bound.",
        discussion: """
            Reads the titles and descriptions of item records, as content.encoder does, and encodes them from shortest to longest.
            """)

    @Argument(help: "A folder as content.encoder names it.") var folder: String
    @Option(help: "Item records, JSON Lines, plain or .gz.") var items: String
    @Option(help: "Texts to encode, spread over the file.") var texts = 512
    @Option(help: "Threads.") var threads = 2
    @Flag(help: "With float32 products even where the processor has bfloat16.") var float32 = false
    @Flag(help: "Print as JSON (always).") var json = false

    func validate() throws {
        guard texts > 0, threads > 0 else { throw ValidationError("--texts and --threads take numbers above 0") }
    }

    func run() throws {
        try TextBench(folder: folder, items: items, texts: texts, threads: threads, isFloat32: float32).run().print(asJSON: true)
    }
}
