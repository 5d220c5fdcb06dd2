/// What the towers' vectors say of a user and an item beside their inner product.
///
/// Only lengths and angles: heads are learned on one fit of the towers and used with another, whose space has its axes elsewhere. A
/// component by itself, or a product of two, would mean something else there.
public struct HeadVectors: Sendable {
    private let newest: [Float]?
    /// Components that are not popularity: the first ones.
    private let compared: Int
    /// ‖user‖, popularity apart.
    let userLength: Float
    private let newestLength: Float

    /// Reads a user's vectors.
    ///
    /// - Parameters:
    ///   - user: the user's vector; newest: that of the newest item of the history, nil where there is none.
    ///   - biasComponents: trailing components that hold popularity.
    public init(user: [Float], newest: [Float]?, biasComponents: Int) {
        precondition(newest?.count ?? user.count == user.count, "vectors of \(user.count) and \(newest?.count ?? 0) components")
        precondition(0...user.count ~= biasComponents, "\(biasComponents) of \(user.count) components cannot hold a popularity")
        compared = user.count - biasComponents
        self.newest = newest
        userLength = Self.length(user, compared)
        newestLength = newest.map { Self.length($0, user.count - biasComponents) } ?? 0
    }

    /// Writes the features of an item with this vector; zeros where it has none.
    func write(featuresOf item: UnsafePointer<Float>?, into features: UnsafeMutableBufferPointer<Float>) {
        var length: Float = 0, likeness: Float = 0
        if let item {
            length = innerProduct(item, item, compared).squareRoot()
            let size = length * newestLength
            if let newest, size > 1e-12 {
                likeness = newest.withUnsafeBufferPointer { $0.baseAddress.map { innerProduct(item, $0, compared) } ?? 0 } / size
            }
        }
        features[HeadFeature.userLength.rawValue] = userLength
        features[HeadFeature.itemLength.rawValue] = length
        features[HeadFeature.lengthProduct.rawValue] = userLength * length
        features[HeadFeature.newestLikeness.rawValue] = likeness
    }

    private static func length(_ vector: [Float], _ count: Int) -> Float {
        vector.withUnsafeBufferPointer { $0.baseAddress.map { innerProduct($0, $0, count) } ?? 0 }.squareRoot()
    }
}
