import Testing
import TestSupport

extension TestDatabase {
    /// Why a suite is skipped where there is no server.
    static let reason = Comment(rawValue: unavailable)
}
