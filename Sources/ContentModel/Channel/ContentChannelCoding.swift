import Tensors

extension ContentChannel {
    private static let version = 1
    private static let limitRange = 1...Int(UInt32.max)

    /// The channel as tensors. The tables of the space are kept in 16 bits a number.
    public func encoded() -> PartTensors {
        var part = PartTensors(version: Self.version)
        part.add("weights", weights)
        part.add("links", list: vocabulary.rules.linkAttributes)
        part.add("tokens_limit", integers: [vocabulary.rules.tokensLimit])
        part.add("clock", .int64([numbers.clock]))
        part.add("tokens.hashes", .uint64(vocabulary.hashes))
        part.add("tokens.inverse_frequency", vocabulary.inverseFrequency)
        part.add("tokens.background", background)
        part.add("tokens.popularity", popularity.tokens)
        part.add("tokens.are_links", .uint8(vocabulary.isLink.map { $0 ? 1 : 0 }))
        part.add("numbers.mean", numbers.mean)
        part.add("numbers.scale", numbers.scale)
        part.add("numbers.lowest", numbers.lowest)
        part.add("numbers.highest", numbers.highest)
        part.add("numbers.popularity", popularity.numbers)
        part.add("largest_popularity", [popularity.largest])
        if let space { part.add(space.encoded(), under: "space") }
        if let share { part.add(share.encoded(), under: "share") }
        return part
    }

    /// A channel from its tensors.
    ///
    /// - Throws: where one is missing, unknown, of another version or length, or holds numbers that cannot be.
    public init(encoded whole: PartTensors) throws(PartFormatError) {
        let dense = whole.under("space"), share = whole.under("share")
        var reader = try PartReader(whole.without(["space", "share"]), of: "the content channel", version: Self.version)
        let weights = try reader.floats("weights"), links = try reader.list("links")
        let limit = try reader.integer("tokens_limit", in: Self.limitRange)
        let clock = try reader.integer("clock", in: Int.min...Int.max)
        let hashes = try reader.hashes("tokens.hashes"), count = hashes.count
        let frequency = try reader.floats("tokens.inverse_frequency", count: count)
        let background = try reader.floats("tokens.background", count: count)
        let popularity = try reader.floats("tokens.popularity", count: count)
        let areLinks = try reader.flags("tokens.are_links", count: count)
        var numbers = ContentNumbers(clock: Int64(clock))
        numbers.mean = try reader.floats("numbers.mean")
        guard weights.count == Part.count, numbers.mean.count == ContentNumbers.count else {
            throw PartFormatError("the content channel has other parts than this program knows. Train again.")
        }
        numbers.scale = try reader.floats("numbers.scale", count: ContentNumbers.count)
        numbers.lowest = try reader.floats("numbers.lowest", count: ContentNumbers.count)
        numbers.highest = try reader.floats("numbers.highest", count: ContentNumbers.count)
        let plain = try reader.floats("numbers.popularity", count: ContentNumbers.count)
        let largest = try reader.floats("largest_popularity", count: 1)[0]
        try reader.end()
        self.init(
            vocabulary: ContentVocabulary(
                rules: ContentRules(linkAttributes: links, tokensLimit: limit), hashes: hashes, inverseFrequency: frequency,
                isLink: areLinks),
            numbers: numbers, background: background, popularity: ContentPopularity(tokens: popularity, numbers: plain, largest: largest),
            space: dense.tensors.isEmpty ? nil : try ContentSpace(encoded: dense, tokenCount: count), weights: weights)
        if !share.tensors.isEmpty { self.share = try NewItemShare(encoded: share) }
    }
}
