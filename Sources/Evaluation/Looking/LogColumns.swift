/// The columns of a log as they are counted: each user's events side by side, oldest first.
public struct LogColumns {
    /// Where each user's events begin; one more than users.
    public var userStarts: [Int]
    /// Rows of the items.
    public var items: UnsafeBufferPointer<Int32>
    /// 1 click, 2 add to cart, 3 purchase.
    public var types: UnsafeBufferPointer<UInt8>
    /// Milliseconds since 1970.
    public var times: UnsafeBufferPointer<Int64>
    /// What was paid; below 0 where nothing is known.
    public var amounts: UnsafeBufferPointer<Int64>
    /// By row of items, whether words, tags or categories are known.
    public var isDescribed: [Bool]

    /// All of them.
    public init(
        userStarts: [Int], items: UnsafeBufferPointer<Int32>, types: UnsafeBufferPointer<UInt8>, times: UnsafeBufferPointer<Int64>,
        amounts: UnsafeBufferPointer<Int64>, isDescribed: [Bool]
    ) {
        self.userStarts = userStarts
        self.items = items
        self.types = types
        self.times = times
        self.amounts = amounts
        self.isDescribed = isDescribed
    }

    var users: Range<Int> { 0..<max(0, userStarts.count - 1) }

    func rows(of user: Int) -> Range<Int> { userStarts[user]..<userStarts[user + 1] }

    /// Every so manieth user, so that no more than about so many events are among theirs.
    func sample(limitEvents: Int) -> StrideTo<Int> {
        stride(from: 0, to: users.upperBound, by: max(1, (items.count + limitEvents - 1) / max(1, limitEvents)))
    }
}
