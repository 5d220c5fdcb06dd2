/// Paths that begin at one place, as a tree: one pass over a value finds what stands at all of them.
///
/// What a path leads to is noted as a token in the path's own place of a row of tokens. Places below one node follow one another, so that
/// a member that stands twice counts with its last value alone.
struct PathTree {
    private struct Node {
        /// Its members in ``edges``.
        var members = 0..<0
        /// Its elements in ``edges``.
        var elements = 0..<0
        /// Where its token goes; -1 where nobody asks for it.
        var place = -1
        /// Places of its own and of all below it.
        var places = 0..<0

        var isLeaf: Bool { members.isEmpty && elements.isEmpty }
    }

    /// A way down to a node.
    private struct Edge {
        /// The first eight bytes of a name, the missing ones 0; of an element its number.
        var word: UInt64
        /// Where the name stands in ``names``.
        var start: Int
        var count: Int
        var child: Int
    }

    private var nodes: [Node] = []
    private var edges: [Edge] = []
    private var names: [UInt8] = []
    /// By path the place of its token.
    private(set) var places: [[RecordPath.Step]: Int] = [:]
    /// All places of the tree.
    let range: Range<Int>

    /// A tree of paths whose tokens stand from `first` on.
    init(_ paths: some Sequence<RecordPath>, first: Int) {
        let asked = Set(paths.map(\.steps))
        range = first..<first + asked.count
        var next = first
        _ = Self.grow([], asked, &nodes, &edges, &names, &places, &next)
    }

    /// Makes the node of a beginning and all below it; its number.
    private static func grow(
        _ beginning: [RecordPath.Step], _ asked: Set<[RecordPath.Step]>, _ nodes: inout [Node], _ edges: inout [Edge],
        _ names: inout [UInt8], _ places: inout [[RecordPath.Step]: Int], _ next: inout Int
    ) -> Int {
        let number = nodes.count, depth = beginning.count, first = next
        nodes.append(Node())
        if asked.contains(beginning) {
            nodes[number].place = next
            places[beginning] = next
            next += 1
        }
        let steps = Set(asked.filter { $0.count > depth && $0.starts(with: beginning) }.map { $0[depth] })
        var members: [Edge] = [], elements: [Edge] = []
        for step in steps.sorted(by: { "\($0)" < "\($1)" }) {
            let child = grow(beginning + [step], asked, &nodes, &edges, &names, &places, &next)
            switch step {
            case .member(let name):
                let bytes = Array(name.utf8)
                var word: UInt64 = 0
                for (index, byte) in bytes.prefix(8).enumerated() { word |= UInt64(byte) << UInt64(index * 8) }
                members.append(Edge(word: word, start: names.count, count: bytes.count, child: child))
                names += bytes
            case .element(let index):
                elements.append(Edge(word: UInt64(index), start: 0, count: 0, child: child))
            }
        }
        nodes[number].members = edges.count..<edges.count + members.count
        edges += members
        nodes[number].elements = edges.count..<edges.count + elements.count
        edges += elements
        nodes[number].places = first..<next
        return number
    }

    /// Reads the value at hand, checks all of it, and notes what stands at the paths.
    ///
    /// - Parameters:
    ///   - depth: how many objects and arrays the value stands in.
    ///   - tokens: has room for every place of ``range``.
    func read(
        _ scanner: inout JSONScanner, depth: Int, _ bytes: UnsafeBufferPointer<UInt8>, into tokens: UnsafeMutablePointer<JSONToken>
    ) throws(Rejection) {
        for place in range { tokens[place] = JSONToken() }
        try nodes.withUnsafeBufferPointer { (nodes) throws(Rejection) in
            try edges.withUnsafeBufferPointer { (edges) throws(Rejection) in
                try names.withUnsafeBufferPointer { (names) throws(Rejection) in
                    try Walk(nodes: nodes, edges: edges, names: names, bytes: bytes, tokens: tokens)
                        .value(&scanner, node: 0, depth: depth)
                }
            }
        }
    }

    /// One reading.
    private struct Walk {
        let nodes: UnsafeBufferPointer<Node>
        let edges: UnsafeBufferPointer<Edge>
        let names: UnsafeBufferPointer<UInt8>
        let bytes: UnsafeBufferPointer<UInt8>
        let tokens: UnsafeMutablePointer<JSONToken>

        func value(_ scanner: inout JSONScanner, node number: Int, depth: Int) throws(Rejection) {
            let node = nodes[number]
            for place in node.places { tokens[place] = JSONToken() }
            if !node.isLeaf {
                scanner.skipSpace()
                switch scanner.byte {
                case UInt8(ascii: "{") where !node.members.isEmpty: return try object(&scanner, node, depth)
                case UInt8(ascii: "[") where !node.elements.isEmpty: return try array(&scanner, node, depth)
                default: break
                }
            }
            let token = try scanner.value(depth: depth)
            if node.place >= 0 { tokens[node.place] = token }
        }

        private func object(_ scanner: inout JSONScanner, _ node: Node, _ depth: Int) throws(Rejection) {
            let (start, outer) = try enter(&scanner, depth)
            var first = true
            while let key = try scanner.nextKey(first: &first) {
                if let child = child(key, scanner, node) {
                    try value(&scanner, node: child, depth: depth &+ 1)
                } else {
                    _ = try scanner.value(depth: depth &+ 1)
                }
            }
            leave(&scanner, node, .object, start, outer)
        }

        private func array(_ scanner: inout JSONScanner, _ node: Node, _ depth: Int) throws(Rejection) {
            let (start, outer) = try enter(&scanner, depth)
            var first = true, index: UInt64 = 0
            while try scanner.nextElement(first: &first) {
                if let edge = edges[node.elements].first(where: { $0.word == index }) {
                    try value(&scanner, node: edge.child, depth: depth &+ 1)
                } else {
                    _ = try scanner.value(depth: depth &+ 1)
                }
                index &+= 1
            }
            leave(&scanner, node, .array, start, outer)
        }

        private func enter(_ scanner: inout JSONScanner, _ depth: Int) throws(Rejection) -> (start: Int, outer: JSONToken.Traits) {
            guard depth < scanner.maxDepth else { throw scanner.tooDeep }
            defer {
                scanner.traits = []
                scanner.at &+= 1
            }
            return (scanner.at, scanner.traits)
        }

        private func leave(
            _ scanner: inout JSONScanner, _ node: Node, _ kind: JSONToken.Kind, _ start: Int, _ outer: JSONToken.Traits
        ) {
            if node.place >= 0 {
                tokens[node.place] = JSONToken(kind: kind, traits: scanner.traits, start: start, end: scanner.at)
            }
            scanner.traits.formUnion(outer)
        }

        @inline(__always)
        private func child(_ key: JSONToken, _ scanner: JSONScanner, _ node: Node) -> Int? {
            guard !key.traits.contains(.escaped) else { return escapedChild(key, node) }
            let word = scanner.leadingWord(key), count = key.count
            for index in node.members {
                let edge = edges[index]
                guard edge.count == count, edge.word == word else { continue }
                if count <= 8 || isSame(edge, key) { return edge.child }
            }
            return nil
        }

        private func isSame(_ edge: Edge, _ key: JSONToken) -> Bool {
            for index in 8..<edge.count where names[edge.start &+ index] != bytes[key.start &+ index] { return false }
            return true
        }

        /// A key that spells a name with escapes is that name all the same.
        @inline(never)
        private func escapedChild(_ key: JSONToken, _ node: Node) -> Int? {
            let name = Array(JSONText.unescaped(key, bytes).utf8)
            for edge in edges[node.members] where name.elementsEqual(names[edge.start..<edge.start + edge.count]) { return edge.child }
            return nil
        }
    }
}
