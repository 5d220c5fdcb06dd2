/// What files of earlier versions may say of the towers and this version does not know: settings files, models, checkpoints.
struct RetiredSetting: Sendable {
    /// The key, and the value that is meant; nil for any.
    let key: String
    let value: String?
    /// What to do instead; nil where the setting said what is always so now.
    let instead: String?

    /// The mean tower, which versions before 0.2.0 had, and its rows of users.
    static let all = [
        RetiredSetting(key: "user_tower", value: "mean", instead: meanTower),
        RetiredSetting(key: "preset", value: "mean", instead: meanTower),
        RetiredSetting(key: "user_ids", value: "false", instead: nil),
        RetiredSetting(
            key: "user_ids", value: nil,
            instead:
                "no tower has a row for each user any more. Remove the key, and train again; what is known of a user comes from the history"
        ),
    ]

    private static let meanTower =
        "there is no mean tower since version 0.2.0. Set train.user_tower to pooled (train.preset small takes the least work), and train "
            + "again"

    /// The retired setting that a key with a value is; nil for none.
    static func of(_ key: String, _ value: String) -> RetiredSetting? { all.first { $0.key == key && ($0.value ?? value) == value } }
}
