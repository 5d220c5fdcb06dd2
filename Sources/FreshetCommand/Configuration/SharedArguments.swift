/// What a process that this one starts takes over of its own command line.
enum SharedArguments {
    private static let names = ["--config", "--log-level", "--set"]

    /// The words that name settings, in their order: `--config FILE`, `--log-level LEVEL`, `--set KEY=VALUE`.
    static func settings(of arguments: [String] = CommandLine.arguments) -> [String] {
        var words: [String] = []
        var rest = arguments.dropFirst()
        while let word = rest.popFirst() {
            if names.contains(word), let value = rest.popFirst() {
                words += [word, value]
            } else if names.contains(where: { word.hasPrefix($0 + "=") }) {
                words.append(word)
            }
        }
        return words
    }
}
