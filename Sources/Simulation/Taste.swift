import Interactions

/// What a user likes: the truth that a model may find and never sees.
///
/// It follows from the seed and the user's id alone, so that anybody who turns up has one.
struct Taste: Sendable {
    /// For each category, 0 to 1; one to three of them are high.
    let categories: [Double]
    /// For each style, −1 to 1.
    let styles: [Double]
    /// The price level that suits, in the unit of ``ShopItem/priceLevel``.
    let priceLevel: Double
    /// What being new adds.
    let novelty: Double
    /// How often the user visits in proportion to others.
    let activity: Double
    /// For each category, a bit for each noun that the user likes more.
    let nouns: [UInt8]
    let attributes: String

    init(userID: String, seed: UInt64, categoryCount: Int) {
        var hash = PayloadHash()
        var text = userID
        text.withUTF8 { hash.combine(UnsafeRawBufferPointer($0)) }
        var random = SplitMix64(seed: seed, stream: 2, index: hash.value)
        var categories = (0..<categoryCount).map { _ in 0.15 * random.unit() }
        var favourite = 1.0
        for _ in 0..<(1 + random.below(3)) {
            categories[random.below(categoryCount)] = favourite
            favourite *= 0.8
        }
        self.categories = categories
        let style = random.below(Vocabulary.styles.count)
        styles = Vocabulary.styles.indices.map { $0 == style ? 1 : -0.6 + 0.6 * random.unit() }
        priceLevel = 0.25 + 0.45 * random.normal()
        novelty = max(0, 0.4 + 0.4 * random.normal())
        activity = exponential(0.9 * random.normal())
        nouns = (0..<categoryCount).map { _ in
            UInt8(1) << UInt8(random.below(6)) | UInt8(1) << UInt8(random.below(6))
        }
        // What a shop knows of its users tells a little about their taste.
        let ages = ["18-24", "25-34", "35-49", "50+"]
        let age = random.unit() < 0.6 ? ages[style] : random.pick(ages)
        let country = random.pick(["DE", "DE", "FR", "NL", "SE"])
        attributes = "{\"age\":\"\(age)\",\"country\":\"\(country)\"}"
    }

    /// How much the user wants an item at a time: about −2 to 6. A click on what was seen has probability
    /// `1 / (1 + e^(3.4 − utility))`.
    func utility(of item: ShopItem, at time: Int64) -> Double {
        let ageInDays = Double(max(0, time - item.published)) / 86_400_000
        let fresh = novelty * exponential(-ageInDays / 14)
        let noun = nouns[item.category] >> UInt8(item.noun) & 1 == 1 ? 0.8 : 0
        return 2.2 * categories[item.category] + 1.2 * styles[item.style] + noun
            - 0.6 * abs(item.priceLevel - priceLevel) + 0.5 * item.quality + fresh
    }
}
