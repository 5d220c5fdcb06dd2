extension CandidateRanker {
    /// The final scores of rows for a user, had nothing been known of one kind: see ``CandidateSignals/write(_:without:into:)``.
    ///
    /// - Parameter interests: the ranking's own scores, one a row, without that kind as well.
    /// - Complexity: one pass of the network over the rows.
    public func scores(_ rows: [Int32], interests: [Float], without group: SignalGroup, user: CandidateSignals) -> [Float] {
        scores(of: user, count: rows.count, interests: interests) { user.write(rows, without: group, into: $0) }
    }

    /// The final scores of one row, each time without one item of the history, from which links lead to it.
    ///
    /// - Parameters:
    ///   - sources: of ``CandidateSignals/sources(of:)``.
    ///   - interests: the ranking's own scores, one a source, without it as well.
    public func scores(
        _ row: Int32, interests: [Float], withoutEachOf sources: [CandidateSignals.Source], user: CandidateSignals
    ) -> [Float] {
        scores(of: user, count: sources.count, interests: interests) { user.write(row, withoutEachOf: sources, into: $0) }
    }

    func scores(
        of user: CandidateSignals, count: Int, interests: [Float], _ write: (UnsafeMutableBufferPointer<Float>) -> Void
    ) -> [Float] {
        guard count > 0 else { return [] }
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: count * CandidateSignal.count) { signals in
            write(signals)
            return weights.scores(
                interests, outputs: weights.network.scores(UnsafeBufferPointer(signals), candidates: count),
                historyEvents: user.historyEvents)
        }
    }
}
