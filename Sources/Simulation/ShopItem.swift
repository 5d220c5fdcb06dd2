import Interactions

/// An item and the truth about it.
struct ShopItem: Sendable {
    let record: ItemRecord
    let category: Int
    let noun: Int
    let style: Int
    /// ln of the price over the category's median.
    let priceLevel: Double
    /// How much better than others it is, whoever looks: about −1 to 1.
    let quality: Double
    /// How often it is browsed in proportion to others.
    let popularity: Double
    let published: Int64

    /// Item number `index` (from 0) of a seed's shop: the same whenever and in whatever order items are made.
    init(
        index: Int, category: Int, published: EventTime, popularityRank: Int, isNew: Bool, seed: UInt64,
        configuration: ShopConfiguration
    ) {
        var random = SplitMix64(seed: seed, stream: 1, index: UInt64(index))
        let words = Vocabulary.categories[category]
        self.category = category
        noun = random.below(words.nouns.count)
        style = random.below(Vocabulary.styles.count)
        let character = Vocabulary.styles[style]
        priceLevel = logarithm(character.priceFactor) + 0.35 * random.normal()
        let cents = max(99, Int((Double(words.medianCents) * exponential(priceLevel)).rounded()) / 10 * 10 + 9)
        quality = max(-1.5, min(1.5, 0.5 * random.normal()))
        // What is new has few links to it yet.
        popularity =
            exponential(-configuration.popularityExponent * logarithm(Double(popularityRank) + 5)) * (isNew ? 0.2 : 1)
        self.published = published.milliseconds

        let brand = random.pick(character.brands)
        let adjective = random.pick(character.words)
        let name = words.nouns[noun]
        var title = "\(brand) \(adjective) \(name)"
        if random.unit() < 0.3 { title += " \(random.below(90) + 10)" }
        let looks = random.pickTwo(character.words)
        let uses = random.pickTwo(words.words)
        let description =
            "\(random.pick(Vocabulary.openings)) \(looks.0) and \(looks.1) \(name). "
            + "\(random.pick(Vocabulary.materials)) \(uses.0) and \(uses.1). "
            + random.pick(Vocabulary.endings)
        record = ItemRecord(
            itemID: "i\(index + 1)", title: title, description: description, categories: [words.name],
            tags: [random.pick(words.words), random.pick(character.words)], priceMicros: Int64(cents) * 10_000,
            currency: "EUR", attributes: "{\"brand\":\(JSONText.quoted(brand))}", publishedAt: published, updatedAt: published)
    }
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// e^x.
@inline(__always) func exponential(_ x: Double) -> Double { exp(x) }

/// ln x.
@inline(__always) func logarithm(_ x: Double) -> Double { log(x) }
