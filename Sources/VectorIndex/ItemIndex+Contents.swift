import Recommending

extension ItemIndex {
    /// The share of the best vectors that an index of new items' contents is to find: more are taken than are wanted, and scored exactly.
    private static let contentRecall = 0.95

    /// Builds the index of new items' contents; see ``build(vectors:dimension:threads:kind:goal:)``.
    public static func build(_ contents: ContentIndexInput, threads: Int) throws(VectorIndexError) -> ItemIndex {
        try build(
            vectors: contents.vectors, dimension: contents.dimension, threads: threads,
            goal: IndexGoal(recall: contentRecall, count: contents.count, queries: contents.queries))
    }
}
