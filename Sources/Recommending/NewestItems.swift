extension ServingSnapshot {
    /// The newest available items, newest first: by arrival for those that came since the build, then by publication.
    ///
    /// - Complexity: the items that came since the build, and a few of the others.
    public func newestItems(_ count: Int) -> [CatalogueEntry] {
        var entries: [CatalogueEntry] = []
        var row = itemCount - 1
        while entries.count < count, row >= builtCount {
            if catalogue.available.contains(Int32(row)) { entries.append(catalogue[Int32(row)]) }
            row -= 1
        }
        for row in newestBuilt where entries.count < count {
            if catalogue.available.contains(row) { entries.append(catalogue[row]) }
        }
        return entries
    }
}
