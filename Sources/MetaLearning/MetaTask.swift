import Gradients

/// One task of few-shot learning: a category with a few labelled examples to adapt by (the support set) and others to judge
/// the adapted parameters by (the query set).
///
/// Both losses are functions of the parameters, in the order that the learner keeps them, and give a scalar, `[1, 1]`. They
/// must not keep the variables they are given.
public struct MetaTask {
    /// A loss as a function of the parameters.
    public typealias Loss = (_ parameters: [Variable]) -> Variable

    /// What the inner loop makes small.
    public var supportLoss: Loss
    /// What the outer loop makes small, on the adapted parameters.
    public var queryLoss: Loss

    /// A task from its two losses.
    public init(supportLoss: @escaping Loss, queryLoss: @escaping Loss) {
        self.supportLoss = supportLoss
        self.queryLoss = queryLoss
    }
}
