import FeatureStore
import Intake
import RecommendationAPI
import Synchronization

/// What was last seen of the parts that answers stand on.
///
/// The parts that answers need are looked at when somebody asks, by the way that an answer takes; nothing that stops elsewhere can keep
/// an old word of them alive. The others are told by the loops that use them.
package final class PartsBoard: Sendable {
    private struct Contents {
        var facts = ReadinessFacts()
        var looking: Task<Void, Never>?
        var looked: ContinuousClock.Instant?
    }

    /// A user whom nobody is: what is read of one is read of all.
    private static let nobody = "freshet readiness"
    /// Who asks within it after a look gets the same word.
    private static let lookedRecently = Duration.milliseconds(500)
    /// How long who asks waits for a look that is under way.
    private static let waitLimit = Duration.milliseconds(500)

    private let contents = Mutex(Contents())

    /// Nothing was seen yet.
    package init() {}

    /// Changes what is known.
    package func update(_ change: (inout ReadinessFacts) -> Void) {
        contents.withLock { change(&$0.facts) }
    }

    /// Does `work`, notes how it went, and gives back what came of it; nil where it failed.
    @discardableResult
    package func watching<Found: Sendable>(
        _ part: WritableKeyPath<ReadinessFacts, PartLook> & Sendable, _ work: () async throws -> Found
    ) async -> Found? {
        update { $0[keyPath: part].ask(at: .now) }
        do {
            let found = try await work()
            update { $0[keyPath: part].end(at: .now) }
            return found
        } catch {
            update { $0[keyPath: part].end(problem: "\(error)", at: .now) }
            return nil
        }
    }

    /// Every part as it is now, after a look at those that answers need.
    package func parts(_ states: UserStateReader, _ feed: SnapshotFeed) async -> [PartStatus] {
        beginLook(states, feed)
        let limit = ContinuousClock.now + Self.waitLimit
        var pause = GrowingPause(first: .milliseconds(1), longest: .milliseconds(32))
        while contents.withLock({ $0.looking != nil }), ContinuousClock.now < limit {
            try? await Task.sleep(for: pause.take())
            if Task.isCancelled { break }
        }
        return known(feed)
    }

    /// Every part as it was last seen.
    package func known(_ feed: SnapshotFeed) -> [PartStatus] {
        let snapshot = feed.current
        return contents.withLock {
            $0.facts.parts(servedModel: snapshot.modelVersion, availableItems: snapshot.availableCount, at: .now)
        }
    }

    /// Begins a look at the parts that answers need, unless one is under way or has just ended.
    package func beginLook(_ states: UserStateReader, _ feed: SnapshotFeed) {
        contents.withLock { contents in
            guard contents.looking == nil, contents.looked.map({ $0.duration(to: .now) >= Self.lookedRecently }) ?? true else { return }
            contents.facts.database.ask(at: .now)
            contents.looking = Task {
                await self.look(states, feed)
                self.contents.withLock { contents in
                    contents.looking = nil
                    contents.looked = .now
                }
            }
        }
    }

    private func look(_ states: UserStateReader, _ feed: SnapshotFeed) async {
        guard let mark = await watching(\.database, { try await states.read(userID: Self.nobody, exclude: []).catalogue }) else { return }
        await watching(\.catalogue) { _ = try await feed.snapshot(atLeast: mark) }
    }
}
