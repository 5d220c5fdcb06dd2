import Evaluation

/// The part of a report about items that were new in what was held out: the model beside rivals that know nothing but the records.
struct NewItemsSection {
    let record: NewItemsRecord?

    /// Nothing where nobody took a new item.
    var html: String {
        guard let record, let rivals = record.rivals, !rivals.isEmpty else { return "" }
        func cells(_ metrics: MetricsRecord?) -> String {
            ["NDCG@10", "Recall@20", "Recall@100"].map { "<td>\(HTMLText.number(metrics?[$0]))</td>" }.joined()
        }
        let own = "<tr class=\"own\"><td>this model</td>\(cells(record.model))<td></td><td></td></tr>"
        let rows = rivals.map { row in
            let title = row.rival.flatMap(NewItemsRecord.ContentRival.init)?.title ?? row.rival ?? "–"
            let name = row.settings.map { "\(title) (\($0))" } ?? title
            let word = row.isBetter == true ? "better" : (row.low ?? 0) > 0 ? "worse" : "alike"
            return "<tr><td>\(HTMLText.escaped(name))</td>\(cells(row.metrics))<td>\(HTMLText.number(row.difference)) "
                + "<small>\(HTMLText.number(row.low)) to \(HTMLText.number(row.high))</small></td>"
                + "<td class=\"\(row.isBetter == true ? "bad" : "good")\">\(word)</td></tr>"
        }
        return """
            <h2>New items</h2><p class="hint">\(HTMLText.count(record.questions.map(Double.init))) users took some of \
            \(HTMLText.count(record.items.map(Double.init))) described items that nobody had taken before the held-out part. Lists are of \
            these items alone; paired differences of NDCG@10 with intervals that hold for all rows together with 95 %. Nothing is \
            refused for them.</p><div class="scroll"><table><thead><tr><th></th><th>NDCG@10</th><th>Recall@20</th><th>Recall@100</th>\
            <th>difference</th><th></th></tr></thead><tbody>\(own)\(rows.joined())</tbody></table></div>
            """
    }
}
