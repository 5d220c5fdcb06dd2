/// What an expression may be, so that a hostile one costs little: to read, to keep and to evaluate.
public enum ExpressionLimits {
    /// An expression's text, in bytes of UTF-8.
    public static let maxTextBytes = 4_096
    /// How deep brackets, operators and calls may stand in each other. `&&`, `||` and lists count once, however long they are.
    public static let maxDepthLevels = 64
    /// Operators, names, literals and calls of an expression.
    public static let maxNodes = 2_000
    /// Steps of one evaluation: one for each operator, name, literal and call that is reached, one for each element of a list that is
    /// made or searched, one for each 16 bytes of text that is compared, searched or joined, and one for each state of a pattern
    /// that a character is tried in.
    public static let maxStepsPerEvaluation = 100_000
    /// Instructions of one pattern of `matches`, repetitions written out.
    public static let maxPatternInstructions = 1_000
    /// Groups of a pattern that stand in each other.
    public static let maxPatternDepthLevels = 32
}
