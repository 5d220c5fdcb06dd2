/// The words of the shop's titles and descriptions. What an item is like shows in its words, and only there.
enum Vocabulary {
    struct Category: Sendable {
        let name: String
        /// Kinds of products; a user likes some of them more.
        let nouns: [String]
        /// Words that only this category uses.
        let words: [String]
        /// The price around which it sells, in cents.
        let medianCents: Int
    }

    /// A character that items of any category can have, so that a taste found in one category holds in a new one.
    struct Style: Sendable {
        let name: String
        let words: [String]
        let brands: [String]
        /// The factor on the category's price.
        let priceFactor: Double
    }

    static let styles: [Style] = [
        Style(
            name: "practical",
            words: ["sturdy", "everyday", "washable", "compact", "durable", "simple", "handy", "reliable"],
            brands: ["Haldor", "Bricken", "Nordlund"], priceFactor: 0.8),
        Style(
            name: "elegant",
            words: ["refined", "slim", "classic", "polished", "graceful", "understated", "tailored", "timeless"],
            brands: ["Maison Vell", "Orsay", "Lindqvist"], priceFactor: 1.5),
        Style(
            name: "playful",
            words: ["colourful", "cheerful", "bright", "quirky", "bold", "patterned", "lively", "striped"],
            brands: ["Pippa", "Zigzag", "Momo"], priceFactor: 0.9),
        Style(
            name: "expert",
            words: ["professional", "precise", "advanced", "lightweight", "tested", "technical", "tuned", "rated"],
            brands: ["Kestrel", "Apex Nine", "Torvik"], priceFactor: 1.8),
    ]

    static let categories: [Category] = [
        Category(
            name: "shoes", nouns: ["trail shoe", "sneaker", "sandal", "boot", "loafer", "running shoe"],
            words: ["sole", "grip", "lace", "ankle", "leather", "insole"], medianCents: 7_900),
        Category(
            name: "kitchen", nouns: ["saucepan", "chef's knife", "mixing bowl", "cutting board", "kettle", "baking tin"],
            words: ["oven", "handle", "steel", "dishwasher", "simmer", "dough"], medianCents: 3_900),
        Category(
            name: "outdoor", nouns: ["tent", "sleeping bag", "backpack", "lantern", "camp stove", "hiking pole"],
            words: ["summit", "rain", "trek", "fabric", "campfire", "pack"], medianCents: 9_900),
        Category(
            name: "toys", nouns: ["puzzle", "building set", "plush bear", "board game", "wooden train", "kite"],
            words: ["children", "pieces", "story", "imagination", "birthday", "family"], medianCents: 2_400),
        Category(
            name: "books", nouns: ["novel", "cookbook", "travel guide", "biography", "atlas", "short story collection"],
            words: ["chapters", "author", "paper", "edition", "reading", "pages"], medianCents: 1_800),
        Category(
            name: "audio", nouns: ["headphones", "speaker", "turntable", "microphone", "earbuds", "soundbar"],
            words: ["bass", "listening", "wireless", "cable", "treble", "battery"], medianCents: 12_900),
        Category(
            name: "garden", nouns: ["watering can", "pruning shears", "flower pot", "garden hose", "seed box", "trowel"],
            words: ["soil", "blossom", "hedge", "bed", "harvest", "lawn"], medianCents: 2_900),
        Category(
            name: "clothing", nouns: ["shirt", "rain jacket", "scarf", "pair of jeans", "pullover", "dress"],
            words: ["cotton", "sleeve", "collar", "wool", "pocket", "seam"], medianCents: 5_900),
        Category(
            name: "office", nouns: ["notebook", "fountain pen", "desk lamp", "paper tray", "office chair", "whiteboard"],
            words: ["ink", "desk", "meeting", "drawer", "writing", "shelf"], medianCents: 3_400),
        Category(
            name: "cycling", nouns: ["bicycle helmet", "saddle", "bell", "pannier", "jersey", "pump"],
            words: ["chain", "pedal", "road", "frame", "brake", "ride"], medianCents: 6_400),
        Category(
            name: "photography", nouns: ["camera bag", "tripod", "lens", "flash", "camera strap", "photo printer"],
            words: ["aperture", "exposure", "shutter", "portrait", "focus", "print"], medianCents: 14_900),
        Category(
            name: "tea", nouns: ["teapot", "green tea", "black tea", "tea strainer", "herbal infusion", "tea cup"],
            words: ["leaves", "steep", "aroma", "harvested", "porcelain", "brew"], medianCents: 1_600),
    ]

    static let openings = ["A", "Our", "The", "This"]
    static let endings = [
        "A good present.", "Back in stock.", "Ships tomorrow.", "With two years of warranty.", "Loved by our customers.",
        "Returns are free.",
    ]
    static let materials = ["Made for", "At home in", "Ready for", "Chosen for", "Built around"]
}
