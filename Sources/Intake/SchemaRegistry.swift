import AvroRecords
import Bytes
import Foundation
import HTTPCalls
import Interactions
import Synchronization

/// The schemas of a registry (Confluent's, or one that speaks like it), each asked for once.
///
/// It only reads. Who asks for a schema that is not there yet is told so at once, while a look-up goes on; where that fails it is repeated
/// after growing pauses, for as long as somebody asks.
public final class SchemaRegistry: Sendable {
    /// Where a registry is and how it lets one in.
    public struct Settings: Sendable, Equatable {
        /// `http` or `https`, with a path where there is one.
        public var url: String
        /// The user, and its password; nil where the registry asks for none.
        public var login: (user: String, password: String)?
        /// A file of certificates (PEM) that sign the registry's; nil for those that the machine trusts.
        public var authorities: String?

        /// A registry that lets everybody in.
        public init(url: String, login: (user: String, password: String)? = nil, authorities: String? = nil) {
            self.url = url
            self.login = login
            self.authorities = authorities
        }

        public static func == (left: Settings, right: Settings) -> Bool {
            left.url == right.url && left.login?.user == right.login?.user && left.login?.password == right.login?.password
                && left.authorities == right.authorities
        }
    }

    /// What is known of a schema.
    public enum Standing: Sendable {
        /// It is there.
        case known(RegisteredSchema)
        /// It will not be there, or cannot be used: a sentence for the records that name it.
        case refused(String)
        /// It is being asked for; with a sentence where that failed before.
        case awaited(String?)
    }

    /// Schemas that are kept.
    static let schemasLimit = 4_096
    /// How long a call may take.
    static let callLimit = Duration.seconds(10)
    /// The largest answer, in bytes.
    static let answerBytesLimit = 4 << 20
    /// How long a number may be unknown to a registry that knows others before its records are dead letters.
    static let unknownPatience = Duration.seconds(600)

    private struct Entry {
        var standing = Standing.awaited(nil)
        var isUnderWay = false
        var pause = GrowingPause(first: .milliseconds(250), longest: .seconds(15))
        var retryAt: ContinuousClock.Instant?
        /// Since when the registry has said that there is none.
        var unknownSince: ContinuousClock.Instant?
    }

    private struct State {
        var entries: [Int32: Entry] = [:]
        /// Whether the registry has ever given a schema.
        var hasGiven = false
    }

    /// The registry's address, for people.
    public let place: String
    private let lookup: SchemaLookup
    private let thread = LookupThread()
    private let unknownPatience: Duration
    private let state = Mutex(State())

    /// A registry of which nothing was asked yet.
    ///
    /// - Throws: ``IntakeError`` where the address is none, or the program was built without what it needs.
    public convenience init(_ settings: Settings) throws(IntakeError) {
        try self.init(settings, unknownPatience: Self.unknownPatience)
    }

    /// The same with another patience with numbers that nobody knows.
    package init(_ settings: Settings, unknownPatience: Duration) throws(IntakeError) {
        lookup = try SchemaLookup(settings, executor: thread)
        place = settings.url
        self.unknownPatience = unknownPatience
    }

    /// What is known of a schema now; begins to ask where that is due.
    public func standing(of number: Int32) -> Standing {
        let (standing, isDue) = state.withLock { state -> (Standing, Bool) in
            var entry = state.entries[number] ?? Entry()
            if case .known = entry.standing { return (entry.standing, false) }
            let isDue = !entry.isUnderWay && entry.retryAt.map { $0 <= .now } ?? true
            if isDue { entry.isUnderWay = true }
            if state.entries[number] == nil { Self.makeRoom(in: &state) }
            state.entries[number] = entry
            return (entry.standing, isDue)
        }
        if isDue { Task(executorPreference: thread) { [self] in note(await lookup.schema(number), of: number) } }
        return standing
    }

    /// Asks for a schema and waits until it is there, until it will not be, or until a time is over.
    public func wait(for number: Int32, atMost patience: Duration) -> Standing {
        let end = ContinuousClock.now + patience
        while true {
            let standing = standing(of: number)
            guard case .awaited = standing, .now < end else { return standing }
            Thread.sleep(forTimeInterval: 0.01)
        }
    }

    /// Whether the registry answers: nil, or a sentence about what is wrong.
    public func problem() async -> String? { await lookup.problem() }

    private static func makeRoom(in state: inout State) {
        // Records name few schemas; which one goes matters little.
        if state.entries.count >= schemasLimit, let some = state.entries.keys.first { state.entries[some] = nil }
    }

    private func note(_ found: SchemaLookup.Found, of number: Int32) {
        state.withLock { state in
            var entry = state.entries[number] ?? Entry()
            entry.isUnderWay = false
            entry.retryAt = .now + entry.pause.take()
            switch found {
            case .schema(let schema):
                state.hasGiven = true
                entry.standing = .known(schema)
            case .unusable(let why):
                state.hasGiven = true
                entry.standing = .refused(why)
                // A schema of a number never changes.
                entry.retryAt = .now + .seconds(86_400)
            case .unknown(let why):
                let since = entry.unknownSince ?? .now
                entry.unknownSince = since
                entry.standing = state.hasGiven && since.duration(to: .now) >= unknownPatience ? .refused(why) : .awaited(why)
            case .away(let why):
                entry.unknownSince = nil
                entry.standing = .awaited(why)
            }
            state.entries[number] = entry
        }
    }
}

/// A schema as a registry has it.
public enum RegisteredSchema: Sendable {
    /// Of Avro's binary encoding.
    case avro(AvroSchema)
    /// Of JSON: what stands behind the number is JSON text.
    case json
}
