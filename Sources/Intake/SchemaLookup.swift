import AvroRecords
import Bytes
import Foundation
import HTTPCalls
import Interactions

/// Calls of a schema registry's HTTP interface, as far as reading schemas needs it: `GET /schemas/ids/{id}`, and
/// `GET /subjects/{subject}/versions/{version}` for those that a schema refers to.
struct SchemaLookup: Sendable {
    /// What came of a look-up.
    enum Found: Sendable {
        case schema(RegisteredSchema)
        /// The registry has it, and it cannot be used.
        case unusable(String)
        /// The registry has none of this number.
        case unknown(String)
        /// Nothing was found out.
        case away(String)
    }

    /// Schemas that one refers to, those that they refer to included.
    static let referencesLimit = 64

    private let caller: HTTPCaller
    private let headers: [(name: String, value: String)]

    /// - Parameter executor: on which connections are opened.
    init(_ settings: SchemaRegistry.Settings, executor: any TaskExecutor) throws(IntakeError) {
        do throws(HTTPCallError) {
            caller = try HTTPCaller(try HTTPAddress(settings.url), maxConnections: 4, authorities: settings.authorities, executor: executor)
        } catch {
            throw IntakeError(.registry, "ingest.registry.url: \(error.message)")
        }
        var headers = [("Accept", "application/vnd.schemaregistry.v1+json, application/json")]
        if let (user, password) = settings.login { headers.append(("Authorization", "Basic " + Base64.text("\(user):\(password)".utf8))) }
        self.headers = headers
    }

    /// Looks a schema up by its number.
    func schema(_ number: Int32) async -> Found {
        do {
            let answer = try await ask("/schemas/ids/\(number)")
            let type = answer.text("schemaType") ?? "AVRO"
            guard let text = answer.text("schema") else {
                return .away("the schema registry's answer for schema \(number) has no schema")
            }
            if type == "JSON" { return .schema(.json) }
            guard type == "AVRO" else {
                return .unusable("schema \(number) is of type \(String(type.prefix(32))), of which no records are read; Avro and JSON are")
            }
            var references: [String] = [], known: Set<String> = []
            try await gather(answer, into: &references, known: &known)
            do throws(AvroProblem) {
                return .schema(.avro(try AvroSchema(text, references: references)))
            } catch {
                return .unusable("schema \(number) of the registry \(error.detail)")
            }
        } catch let problem as Problem {
            switch problem {
            case .missing(let words):
                return .unknown("the schema registry knows no schema \(number)\(words): is ingest.registry.url the one that producers use?")
            case .tooMany: return .unusable("schema \(number) refers to more than \(Self.referencesLimit) others")
            case .other(let sentence): return .away("the schema registry \(sentence)")
            }
        } catch {
            return .away("the schema registry does not answer: \(error)")
        }
    }

    /// Whether the registry answers: nil, or a sentence about what is wrong.
    func problem() async -> String? {
        do {
            _ = try await ask("/schemas/types")
            return nil
        } catch Problem.missing {
            // Older ones have no such place.
            return nil
        } catch Problem.other(let sentence) {
            return sentence
        } catch {
            return "does not answer: \(error)"
        }
    }

    // MARK: Calls

    private enum Problem: Error {
        /// The registry said so, with words of its own.
        case missing(String)
        case tooMany
        /// The end of a sentence that begins with the registry.
        case other(String)
    }

    private struct Answer {
        let tree: JSONTree

        func member(_ name: String) -> JSONTree? { tree.members?.last { $0.name == name }?.value }

        func text(_ name: String) -> String? { if case .text(let text)? = member(name) { text } else { nil } }
    }

    private func ask(_ path: String) async throws -> Answer {
        let answer: HTTPAnswer
        do {
            answer = try await caller.send(
                HTTPCall(
                    .get, path, headers: headers, timeout: SchemaRegistry.callLimit, maxAnswerBytes: SchemaRegistry.answerBytesLimit))
        } catch let error as HTTPCallError {
            throw Problem.other("does not answer: \(error.message)")
        }
        let decoder = RecordDecoder(rules: DecodingRules(maxDepth: 32))
        let tree = answer.body.withUnsafeBytes { decoder.tree($0, maxBytes: SchemaRegistry.answerBytesLimit) }
        let parsed: Answer? = if case .success(let tree) = tree { Answer(tree: tree) } else { nil }
        let words = parsed?.text("message").map { " (\($0.prefix(200)))" } ?? ""
        switch answer.status {
        case 200..<300:
            guard let parsed else {
                throw Problem.other("answers \(path) with something else than JSON: is ingest.registry.url a registry?")
            }
            return parsed
        case 404: throw Problem.missing(words)
        case 401, 403:
            throw Problem.other(
                "lets nobody in with status \(answer.status)\(words): look at ingest.registry.user and ingest.registry.password")
        default: throw Problem.other("answers \(path) with status \(answer.status)\(words)")
        }
    }

    /// Schemas that an answer refers to, each behind those that it refers to itself.
    private func gather(_ answer: Answer, into texts: inout [String], known: inout Set<String>) async throws {
        guard case .list(let references)? = answer.member("references") else { return }
        for reference in references {
            let reference = Answer(tree: reference)
            guard let subject = reference.text("subject") else { continue }
            let version: String =
                switch reference.member("version") {
                case .number(let text), .text(let text): text
                default: "latest"
                }
            guard known.insert("\(subject)\n\(version)").inserted else { continue }
            guard known.count <= Self.referencesLimit else { throw Problem.tooMany }
            let found: Answer
            do {
                found = try await ask("/subjects/\(Self.escaped(subject))/versions/\(Self.escaped(version))")
            } catch Problem.missing(let words) {
                throw Problem.missing(", since it refers to \(subject), version \(version), which is not there\(words)")
            }
            try await gather(found, into: &texts, known: &known)
            if let text = found.text("schema") { texts.append(text) }
        }
    }

    /// A name as one part of a path.
    private static func escaped(_ text: String) -> String {
        let plain = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        return text.addingPercentEncoding(withAllowedCharacters: plain) ?? text
    }
}
