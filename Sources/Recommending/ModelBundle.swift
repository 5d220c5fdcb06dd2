import CandidateRanking
import ContentModel
import Tensors
import TowerModel

/// A model with all that was learned beside it: what is trained, written, judged and served is one of these.
///
/// A bundle has one way to be kept (``parts`` and ``notes``, which ``init(model:parts:notes:)`` reads) and one way to answer
/// (``snapshot(over:version:settings:)``), so that what is evaluated is what serves. Rows of all parts are ``model``'s.
public struct ModelBundle: Sendable {
    /// The towers, with the adapters of domains where they have any.
    public var model: TwoTowerModel
    /// How much each ranking signal counts, and what was counted for it; nil where the towers rank alone.
    public var blend: RankingBlend?
    /// Orders candidates by what counting knows of them, beside what towers and blend found; nil where these rank alone.
    public var ranker: CandidateRanker?
    /// Probabilities of clicks and purchases and the worth of orders; nil where nothing could be learned of them. They read the
    /// blend's tables.
    public var heads: RankingHeads?
    /// What content says of items without training; nil where the towers say it alone.
    public var channel: ContentChannel?
    /// What the model adapts to new categories with; nil where it does not. It reads the channel's tokens.
    public var kit: CategoryKit?
    /// What items cost, so that none fills everybody's list; none where nothing had to be bounded.
    public var prices = ItemPrices()
    /// Interactions rated below this were left out of training, and so are left out of histories; 0 where all were learned.
    public var ratingsFrom: Double = 0
    /// The checksum of the sentence encoder whose vectors of texts the model learned from; nil for none.
    public var textEncoder: String?
    /// What its users had that stays out of their answers, as its training decided or was told; nil for models from before it was kept.
    public var exclusion: ExclusionRule?

    /// A model without parts.
    public init(_ model: TwoTowerModel) { self.model = model }

    /// The parts that a bundle may have beside the towers, by the names under which they are kept.
    public enum Part: String, CaseIterable, Sendable {
        case blend, ranker, heads, content, domains, adaptation, prices
    }

    /// The notes that a bundle keeps.
    private enum Note {
        static let ratings = "positive_ratings_from", texts = "text_encoder", exclusion = "exclusion"
    }

    /// Every part that is there, as tensors; with ``notes`` all but the towers themselves.
    public var parts: [Part: PartTensors] {
        var parts: [Part: PartTensors] = [:]
        parts[.blend] = blend?.encoded()
        parts[.ranker] = ranker?.encoded()
        parts[.heads] = heads?.encoded()
        parts[.content] = channel?.encoded()
        if let domains = model.domains, !domains.tokens.isEmpty { parts[.domains] = domains.encoded() }
        parts[.adaptation] = kit?.encoded()
        parts[.prices] = prices.encoded(model.itemIDs)
        return parts
    }

    /// What is kept in words.
    public var notes: [String: String] {
        var notes: [String: String] = [:]
        if ratingsFrom != 0 { notes[Note.ratings] = String(ratingsFrom) }
        notes[Note.texts] = textEncoder
        notes[Note.exclusion] = exclusion?.encoded
        return notes
    }

    /// A bundle from what ``parts`` and ``notes`` gave; other notes are passed over.
    ///
    /// - Throws: ``PartFormatError`` where a part is damaged, of another version or of another model, or lacks one that it reads.
    public init(model: TwoTowerModel, parts: [Part: PartTensors], notes: [String: String] = [:]) throws(PartFormatError) {
        self.model = model
        if let part = parts[.blend] { blend = try RankingBlend(encoded: part) }
        if let part = parts[.ranker] { ranker = try CandidateRanker(encoded: part) }
        if let part = parts[.heads] { heads = try RankingHeads(encoded: part) }
        if let part = parts[.content] { channel = try ContentChannel(encoded: part) }
        if let part = parts[.adaptation] { kit = try CategoryKit(encoded: part) }
        if let part = parts[.prices] { prices = try ItemPrices(encoded: part, model.itemIDs) }
        if let part = parts[.domains] {
            let domains = try DomainAdapters(encoded: part)
            guard domains.dimension == model.dimension else {
                throw PartFormatError(
                    "the domain adapters are of dimension \(domains.dimension) and the model of \(model.dimension). Train again.")
            }
            self.model.domains = domains
        }
        if let text = notes[Note.ratings] {
            guard let value = Double(text), value.isFinite else {
                throw PartFormatError("the note \(Note.ratings) is \"\(text)\", which is no number. Restore the file, or train again.")
            }
            ratingsFrom = value
        }
        textEncoder = notes[Note.texts]
        if let text = notes[Note.exclusion] {
            guard let rule = ExclusionRule(encoded: text) else {
                throw PartFormatError("the note \(Note.exclusion) cannot be read. Restore the file, or train again.")
            }
            exclusion = rule
        }
        try check()
    }

    /// Whether the parts are of one model and have what they read.
    ///
    /// - Throws: ``PartFormatError``, which names the part.
    public func check() throws(PartFormatError) {
        let items = model.itemIDs.count
        for (name, own) in [
            ("ranking blend", blend?.tables.itemCount), ("ranker", ranker?.tables.itemCount), ("ranking heads", heads?.tables.itemCount),
            ("adaptation", kit?.factors.itemCount),
        ] {
            if let own, own != items {
                throw PartFormatError("the \(name) is of \(own) items and the model of \(items). Train again.")
            }
        }
        if heads != nil, blend == nil {
            throw PartFormatError(
                "there are ranking heads without the ranking blend whose tables they read. Restore its file, or train again.")
        }
        if kit != nil, channel == nil {
            throw PartFormatError(
                "there is an adaptation without the content channel whose tokens it reads. Restore its file, or train again.")
        }
    }
}
