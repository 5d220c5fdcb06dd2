import Features
import Interactions
import Recommending
import TrainingFiles

extension TrainingLog {
    /// The items of the log as serving would have them, in its rows.
    package func servedCatalogue(of bundle: ModelBundle, threads: Int) -> ServedCatalogue {
        let entries = itemIDs.indices.map { item in
            CatalogueEntry(
                itemID: itemIDs[item], categories: contents[item].categories, priceMicros: contents[item].priceMicros,
                available: !isHidden[item])
        }
        return ServedCatalogue(
            entries: entries, contents: contents, version: 1, vectors: bundle.vectors(of: Array(zip(itemIDs, contents)), threads: threads))
    }

    /// The same with what was popular after the last of some rows.
    package func servedCatalogue(
        of bundle: ModelBundle, trendingAfter rows: [Range<Int>], settings: BlendSettings, threads: Int
    ) -> ServedCatalogue {
        var catalogue = servedCatalogue(of: bundle, threads: threads)
        catalogue.trending = BlendTraining(log: self, settings: settings).trending(rows).map {
            TrendingItem(itemID: itemIDs[Int($0.row)], score: Double($0.share))
        }
        return catalogue
    }

    /// What a history keeps of a row.
    package func historyEntry(at row: Int) -> HistoryEntry {
        HistoryEntry(
            itemID: itemIDs[Int(items[row])], type: InteractionType(rawValue: types[row]) ?? .click,
            time: EventTime(milliseconds: times[row]), position: Position(partition: Position.filePartition, offset: Int64(row)),
            amountMinor: paid(at: row))
    }

    /// A user's attributes as the JSON object that has their tokens `name=value`; nil where nothing is known.
    package func attributesObject(of user: Int) -> String? {
        var values: [String: [String]] = [:]
        for token in attributes[user] {
            guard let sign = token.firstIndex(of: "=") else { continue }
            values[String(token[..<sign]), default: []].append(JSONText.quoted(String(token[token.index(after: sign)...])))
        }
        guard !values.isEmpty else { return nil }
        let members = values.sorted { $0.key < $1.key }.map { "\(JSONText.quoted($0.key)):[\($0.value.joined(separator: ","))]" }
        return "{" + members.joined(separator: ",") + "}"
    }

    /// What was paid at a row, in minor units of the main currency; 0 where it is no purchase or nothing is known.
    private func paid(at row: Int) -> UInt32 {
        types[row] == InteractionType.purchase.rawValue ? UInt32(clamping: max(amounts[row], 0)) : 0
    }
}
