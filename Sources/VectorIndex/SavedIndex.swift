extension ItemIndex {
    /// The index that `path` holds for these vectors, or one that is built and saved there.
    ///
    /// A file that cannot be used is no reason to stop: why it was refused is in `refusal`, and so is why a new one could not
    /// be written. A path without a file is no refusal.
    public static func loadOrBuild(
        path: String, vectors: [Float], dimension: Int, modelVersion: Int64, threads: Int = 1, kind: IndexKind = .automatic,
        goal: IndexGoal = IndexGoal(), refusal: (VectorIndexError) -> Void
    ) throws(VectorIndexError) -> ItemIndex {
        if WholeFile.exists(path) {
            do throws(VectorIndexError) {
                let index = try load(path: path, vectors: vectors, dimension: dimension, modelVersion: modelVersion)
                guard index.suits(kind, goal) else {
                    throw VectorIndexError(
                        .otherSettings,
                        "\(path) is an index of kind \(index.kind) and recall \(index.measuredRecall ?? 0); the settings ask for another. "
                            + "It is built again."
                    )
                }
                return index
            } catch {
                // Unusable input has no index, loaded or built.
                if error.code == .invalidInput { _ = try VectorInput.checkedCount(vectors, dimension: dimension) }
                refusal(error)
            }
        }
        let index = try build(vectors: vectors, dimension: dimension, threads: threads, kind: kind, goal: goal)
        do throws(VectorIndexError) {
            try index.save(to: path, modelVersion: modelVersion)
        } catch {
            refusal(error)
        }
        return index
    }

    /// Whether the index is what `build` would be asked for. Where nothing was measured, the settings were given and say nothing of recall.
    private func suits(_ kind: IndexKind, _ goal: IndexGoal) -> Bool {
        let isOfKind =
            switch (kind, form) {
            case (.automatic, _), (.flat, .flat), (.graph, .graph), (.lists, .lists): true
            default: false
            }
        return isOfKind && measuredRecall.map { $0 >= goal.recall } ?? true
    }
}
