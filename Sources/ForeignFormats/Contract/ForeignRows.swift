/// The rows of one format: text in UTF-8 in, in pieces of any size.
protocol ForeignRows {
    /// Takes the next piece of the text.
    mutating func feed(_ text: [UInt8])
    /// Says that nothing more comes.
    mutating func finish()
    /// The next row; nil where more must come first, or nothing does.
    mutating func next() throws(ForeignProblem) -> ForeignRecord?
    /// What was understood; nil before the first row.
    var layout: ForeignLayout? { get }
    /// What dates tell.
    var dates: DateEvidence { get }
}
