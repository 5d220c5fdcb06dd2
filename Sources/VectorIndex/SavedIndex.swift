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
                return try load(path: path, vectors: vectors, dimension: dimension, modelVersion: modelVersion)
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
}
