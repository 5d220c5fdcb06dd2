import Console
import Settings
import Synchronization

/// The secrets that no line of this process shows.
enum HiddenSecrets {
    private static let all = Mutex(Redaction())

    /// Hides more secrets in all that is written from now on: those of before stay hidden, too.
    static func add(_ redaction: Redaction) {
        let merged = all.withLock { known in
            known = known.merging(redaction)
            return known
        }
        StandardError.redact { merged.applied(to: $0) }
    }
}
