import Interactions

extension ResultLine {
    /// Writes the result to standard output.
    public func print(asJSON: Bool) {
        StandardOutput.line(asJSON ? json : words)
    }
}
