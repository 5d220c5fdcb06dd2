import Evaluation
import Gradients
import MetaLearning
import Tensors

extension CategoryQuestions {
    /// Mean loss and NDCG@10 of parameters on the questions.
    package func quality(of parameters: [Matrix]) -> (loss: Double, ndcg: Double) {
        let variables = parameters.map { Variable.constant($0) }
        let logits = self.logits(variables).value
        var metrics = RankingMetrics(cutoffs: [10], catalogueSize: items.rows)
        for user in 0..<users.rows {
            metrics.add(
                ranked: topRows(10, of: logits.row(user)),
                relevant: answers.row(user).enumerated().filter { $0.element > 0 }.map { Int32($0.offset) })
        }
        return (Double(loss(variables).scalar), metrics.report()["NDCG@10"])
    }
}
