/// A regular expression whose search takes time in proportion to the text, whatever the pattern: all of its states are followed at
/// once (Thompson, Regular Expression Search Algorithm, 1968), and none is gone back to.
struct Pattern: Sendable {
    enum Instruction: Sendable {
        case one(ScalarSet)
        case edge(Edge)
        case split(Int32, Int32)
        case jump(Int32)
        case found
    }

    private var instructions: [Instruction] = []
    /// Pieces that were written out, empty ones included: repetitions of nothing end, too.
    private var written = 0

    init(_ text: String) throws(PatternProblem) {
        var parser = PatternParser(text)
        try write(try parser.whole())
        instructions.append(.found)
    }

    private mutating func append(_ instruction: Instruction) throws(PatternProblem) {
        guard instructions.count < ExpressionLimits.maxPatternInstructions else { throw Self.tooLong }
        instructions.append(instruction)
    }

    private static var tooLong: PatternProblem {
        PatternProblem(reason: "is longer than \(ExpressionLimits.maxPatternInstructions) steps with its repetitions written out")
    }

    private var end: Int32 { Int32(instructions.count) }

    private mutating func write(_ piece: PatternPiece) throws(PatternProblem) {
        written += 1
        guard written <= 4 * ExpressionLimits.maxPatternInstructions else { throw Self.tooLong }
        switch piece {
        case .one(let set): try append(.one(set))
        case .edge(let edge): try append(.edge(edge))
        case .sequence(let pieces): for piece in pieces { try write(piece) }
        case .either(let choices):
            var jumps: [Int] = []
            for (number, choice) in choices.enumerated() {
                let isLast = number == choices.count - 1, split = instructions.count
                if !isLast { try append(.split(end + 1, 0)) }
                try write(choice)
                if isLast { break }
                jumps.append(instructions.count)
                try append(.jump(0))
                instructions[split] = .split(Int32(split) + 1, end)
            }
            for jump in jumps { instructions[jump] = .jump(end) }
        case .repeated(let piece, let least, let most):
            for _ in 0..<least { try write(piece) }
            if let most {
                var splits: [Int] = []
                for _ in least..<most {
                    splits.append(instructions.count)
                    try append(.split(end + 1, 0))
                    try write(piece)
                }
                for split in splits { instructions[split] = .split(Int32(split) + 1, end) }
            } else {
                let split = instructions.count
                try append(.split(end + 1, 0))
                try write(piece)
                try append(.jump(Int32(split)))
                instructions[split] = .split(Int32(split) + 1, end)
            }
        }
    }

    /// Whether a part of the text fits; nil where that takes more steps than there are.
    ///
    /// - Complexity: O(characters · instructions)
    func isFound(in text: String, stepsLeft: inout Int) -> Bool? {
        var current = States(instructions.count), following = States(instructions.count)
        var previous: Unicode.Scalar?, rest = text.unicodeScalars.makeIterator(), next = rest.next()
        while true {
            // A match may begin anywhere.
            if follow(0, into: &current, between: previous, next, &stepsLeft) { return true }
            if stepsLeft < 0 { return nil }
            guard let scalar = next else { return false }
            next = rest.next()
            for place in current.list {
                guard case .one(let set) = instructions[Int(place)] else { continue }
                stepsLeft -= 1
                if set.contains(scalar), follow(place + 1, into: &following, between: scalar, next, &stepsLeft) { return true }
            }
            stepsLeft -= 1
            if stepsLeft < 0 { return nil }
            previous = scalar
            swap(&current, &following)
            following.removeAll()
        }
    }

    /// Adds a state and those that are reached from it without a character; says whether the end is among them.
    private func follow(
        _ start: Int32, into states: inout States, between previous: Unicode.Scalar?, _ next: Unicode.Scalar?, _ stepsLeft: inout Int
    ) -> Bool {
        var waiting = [start]
        while let place = waiting.popLast() {
            guard states.insert(place) else { continue }
            stepsLeft -= 1
            switch instructions[Int(place)] {
            case .found: return true
            case .one: break
            case .jump(let target): waiting.append(target)
            case .split(let first, let second):
                waiting.append(second)
                waiting.append(first)
            case .edge(let edge):
                if Self.holds(edge, previous, next) { waiting.append(place + 1) }
            }
        }
        return false
    }

    private static func holds(_ edge: Edge, _ previous: Unicode.Scalar?, _ next: Unicode.Scalar?) -> Bool {
        func isWord(_ scalar: Unicode.Scalar?) -> Bool { scalar.map(ScalarSet.words.contains) ?? false }
        return switch edge {
        case .start: previous == nil
        case .end: next == nil
        case .word: isWord(previous) != isWord(next)
        case .noWord: isWord(previous) == isWord(next)
        }
    }

    /// Places of the pattern, each once.
    private struct States {
        private(set) var list: [Int32] = []
        private var isIn: [Bool]

        init(_ count: Int) { isIn = [Bool](repeating: false, count: count) }

        mutating func insert(_ place: Int32) -> Bool {
            guard !isIn[Int(place)] else { return false }
            isIn[Int(place)] = true
            list.append(place)
            return true
        }

        mutating func removeAll() {
            for place in list { isIn[Int(place)] = false }
            list.removeAll(keepingCapacity: true)
        }
    }
}
