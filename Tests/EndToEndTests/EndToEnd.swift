import Foundation
import Testing
import TestSupport

/// Tests with real processes: the built program, a real broker, a real database. They take turns, since each starts
/// several processes and some wait for what others would slow down.
@Suite(.serialized, .enabled(if: Program.isAvailable, "needs the built program and FRESHET_DATABASE_URL: ops/test brings both"))
enum EndToEnd {
    /// Whether the long versions run.
    static let isSoak = ProcessInfo.processInfo.environment["FRESHET_SOAK"] == "1"

    /// A time that every machine's clock has passed, in milliseconds since 1970.
    static let past = 1_700_000_000_000

    /// Expects a failure that says one sentence, keeps secrets, and does not make its reader wait.
    static func expectFailure(
        _ result: Program.Result, status: Int32, saying words: String..., secret: String? = nil,
        at location: SourceLocation = #_sourceLocation
    ) {
        #expect(result.status == status && !result.wasKilled, "\(result.errors)", sourceLocation: location)
        for word in words {
            #expect(result.errors.contains(word), "\"\(word)\" is not in: \(result.errors)", sourceLocation: location)
        }
        #expect(!result.errors.contains("Fatal error"), "\(result.errors)", sourceLocation: location)
        if let secret {
            #expect(!result.errors.contains(secret) && !result.output.contains(secret), "the secret is printed", sourceLocation: location)
        }
    }
}
