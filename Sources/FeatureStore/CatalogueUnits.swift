import Interactions

// Items as they are learned and ranked: those of a group as one.
extension CatalogueItem {
    /// The same items, those of a group as one: its record is what the members say together (``ItemGroup/merged(_:groupID:)``), and they
    /// are its ``variants``. A group of which every member is deleted is deleted.
    ///
    /// - Parameter items: in any order; what is known of a group's members must be there, or the group is what is.
    /// - Complexity: O(items), and the text of those that have a group.
    public static func units(_ items: [CatalogueItem]) -> [CatalogueItem] {
        guard items.contains(where: { $0.record.groupID != nil }) else { return items }
        var units: [CatalogueItem] = [], places: [String: Int] = [:], members: [[CatalogueItem]] = []
        for item in items {
            guard let groupID = item.record.groupID else {
                units.append(item)
                members.append([])
                continue
            }
            if let place = places[groupID] {
                members[place].append(item)
            } else {
                places[groupID] = units.count
                units.append(item)
                members.append([item])
            }
        }
        for (groupID, place) in places { units[place] = unit(members[place], groupID: groupID) }
        return units
    }

    /// A group's members as one item.
    static func unit(_ members: [CatalogueItem], groupID: String) -> CatalogueItem {
        let variants = members.sorted { $0.record.itemID < $1.record.itemID }
        let there = variants.filter { !$0.isDeleted }
        var unit = CatalogueItem(
            record: ItemGroup.merged((there.isEmpty ? variants : there).map(\.record), groupID: groupID), isDeleted: there.isEmpty,
            catalogueVersion: variants.map(\.catalogueVersion).max() ?? 0)
        unit.firstSeen = variants.compactMap(\.firstSeen).min()
        unit.variants = variants
        return unit
    }

    /// SQL: the id under which a row of items is learned and ranked, as ``ItemGroup/unitID(_:)`` makes it.
    static let unitID = "coalesce(chr(29) || item_group_id, item_id)"
}
