import CandidateRanking
import ContentModel

/// Groups of items from fine to coarse, as counting has them: what shares its title and categories, where titles repeat; else, or above it,
/// what shares the category with the fewest items.
package enum ItemLevels {
    /// Where there are more groups than this share of the items, they say no more than items do.
    private static let largestShare = 0.5

    /// What an item's record says, as tokens: words of the title, categories, tags and attributes.
    package static func tokens(_ content: ItemContent) -> [String] {
        let words = (content.title ?? "").lowercased().split { !$0.isLetter && !$0.isNumber }.prefix(20).map { "w:\($0)" }
        return words + content.categories.map { "c:\($0)" } + content.tags.map { "t:\($0)" } + content.attributes
    }

    /// The group of each item, −1 for none, and how many there are; at most two levels, none where nothing groups items.
    package static func levels(_ contents: [ItemContent]) -> [(group: [Int32], count: Int)] {
        var sizes: [String: Int] = [:]
        for content in contents { for category in Set(content.categories) { sizes[category, default: 0] += 1 } }
        let finest = contents.map { content in
            content.categories.min { (sizes[$0] ?? 0, $0) < (sizes[$1] ?? 0, $1) }
        }
        let titled = zip(contents, finest).map { content, category in
            content.title.flatMap { $0.isEmpty ? nil : "\($0)\u{0}\(category ?? "")" }
        }
        let coarsest = contents.map { content in
            content.categories.max { (sizes[$0] ?? 0, $0) < (sizes[$1] ?? 0, $1) }
        }
        var levels: [(group: [Int32], count: Int)] = []
        for names in [titled, finest, coarsest] where levels.count < 2 {
            let known = names.lazy.filter { $0 != nil }.count, level = ItemGroups.numbered(names)
            guard level.count > 1, Double(level.count) <= largestShare * Double(known), level.group != levels.last?.group else { continue }
            levels.append(level)
        }
        return levels
    }
}
