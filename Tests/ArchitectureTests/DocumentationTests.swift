import Testing

@Suite("Everything that another target can use is documented")
struct DocumentationTests {
    @Test("each public declaration, and each of the package's, has a comment")
    func documented() throws {
        let sources = try Checkout.swiftSources().map { ($0, try Checkout.text($0)) }
        let rules = DocumentationRules(protocolsOf: sources.map(\.1))
        for (path, source) in sources {
            let found = rules.undocumented(in: source)
            #expect(found.isEmpty, "\(path)\n\(found.joined(separator: "\n"))")
        }
    }

    private func undocumented(_ source: String, with others: String = "") -> [String] {
        DocumentationRules(protocolsOf: [source, others]).undocumented(in: source).map { String($0.prefix { $0 != ":" }) }
    }

    @Test("the rule finds what has none, of every kind")
    func planted() {
        let kinds = [
            "public struct A {}", "public let a = 1", "package func f() {", "public init() {}", "public static func g() {}",
            "public subscript(i: Int) -> Int {",
            "@inlinable public var a: Int { 1 }", "public private(set) var b = 1", "public typealias C = Int",
            "public mutating func h() {}",
            "public static func + (a: A, b: A) -> A {",
        ]
        for line in kinds {
            #expect(undocumented(line) == ["1"], "\(line)")
            #expect(undocumented("/// What it is.\n" + line) == [], "\(line)")
            #expect(undocumented("/// What it is.\n@discardableResult\n" + line) == [], "\(line)")
        }
        #expect(undocumented("struct A {\n    let b = 1\n    func f() {}\n}") == [])
        #expect(undocumented("// public let a = 1") == [])
        #expect(undocumented("/// P.\npublic protocol P {\n    func f()\n}") == ["3"])
    }

    @Test("what a protocol documents is documented, for the types that name it and no others")
    func witnesses() {
        let ranker = "/// P.\npublic protocol Ranker: Sendable {\n    /// F.\n    func rank(_ count: Int)\n}\n"
        let member = "    public func rank(_ count: Int) {}\n}"
        #expect(undocumented("/// A.\npublic struct A: Ranker {\n" + member, with: ranker) == [])
        #expect(undocumented("/// A.\npublic struct A: Sendable {\n" + member, with: ranker) == ["3"])
        #expect(undocumented("extension A: Ranker {\n" + member, with: ranker) == [])
        #expect(undocumented("/// A.\npublic struct A: Comparable {\n    public static func < (a: A, b: A) -> Bool { true }\n}") == [])
        #expect(undocumented("/// A.\npublic struct A {\n    public static func < (a: A, b: A) -> Bool { true }\n}") == ["3"])
        #expect(undocumented("/// A.\npublic struct A: Error, CustomStringConvertible {\n    public var description: String\n}") == [])
        #expect(undocumented("class A {\n    public override func f() {}\n}") == [])
    }
}
