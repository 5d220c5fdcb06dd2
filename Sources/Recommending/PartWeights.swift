import CandidateRanking

/// What was learned of a model's parts on what was held out: with it the parts are made anew for whatever model is published, judged or
/// served in a replay.
public struct PartWeights: Codable {
    /// The weights of the ranking blend; nil where the towers rank alone.
    public var blend: BlendWeights?
    /// The ranker's network, and how much it counts; nil where it does not help.
    public var ranker: RankerWeights?
    /// The ranking heads; nil where there is nothing that they could learn from.
    public var heads: HeadWeights?
    /// The weights of the content channel; nil where none were fitted.
    public var content: [Float]?
    /// The domains whose adapters helped; nil where none were tried.
    public var domains: [String]?
    /// What items cost; nil where nothing had to be bounded.
    public var prices: ItemPrices?

    /// Nothing learned yet.
    public init() {}

    /// Those of a model that is there.
    public init(_ bundle: ModelBundle) {
        blend = bundle.blend?.weights
        ranker = bundle.ranker?.weights
        heads = bundle.heads?.weights
        content = bundle.channel?.weights
        domains = bundle.model.domains?.tokens
        prices = bundle.prices.isEmpty ? nil : bundle.prices
    }
}
