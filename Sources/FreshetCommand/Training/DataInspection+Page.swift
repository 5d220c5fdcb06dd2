import Evaluation
import Learning
import Reports

extension DataInspection {
    /// The page of data that were refused.
    var page: ReportPage {
        var found = EvaluationRecord()
        found.data = lines
        found.gate = GateRecord(passes: reasons.isEmpty, reasons: reasons)
        return ReportPage(
            ReportPage.Subject(
                title: "Data before training",
                subtitle: "\(record.all.events) interactions of \(record.all.users) users with \(record.all.items) items",
                status: reasons.isEmpty ? nil : "refused"), of: found)
    }
}
