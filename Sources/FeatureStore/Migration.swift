/// One numbered step of the database schema: a file of `migrations/`, as plain SQL.
public struct Migration: Sendable, Equatable {
    /// Counted from 1 without gaps.
    public var number: Int
    /// The file's name, such as `0001_interactions.sql`.
    public var name: String
    /// The file's bytes.
    public var sql: [UInt8]

    /// Makes a migration.
    public init(number: Int, name: String, sql: [UInt8]) {
        self.number = number
        self.name = name
        self.sql = sql
    }

    /// The migrations that this build was made with, oldest first. Their text is part of the binary.
    public static let shipped: [Migration] = [
        Migration(number: 1, name: "0001_interactions.sql", sql: PackageResources._001_interactions_sql),
        Migration(number: 2, name: "0002_features.sql", sql: PackageResources._002_features_sql),
        Migration(number: 3, name: "0003_catalogue.sql", sql: PackageResources._003_catalogue_sql),
        Migration(number: 4, name: "0004_models.sql", sql: PackageResources._004_models_sql),
        Migration(number: 5, name: "0005_adapters.sql", sql: PackageResources._005_adapters_sql),
        Migration(number: 6, name: "0006_dead_letters_sent_again.sql", sql: PackageResources._006_dead_letters_sent_again_sql),
        Migration(number: 7, name: "0007_model_refusals.sql", sql: PackageResources._007_model_refusals_sql),
        Migration(number: 8, name: "0008_catalogue_lineage.sql", sql: PackageResources._008_catalogue_lineage_sql),
        Migration(number: 9, name: "0009_erasures_in_steps.sql", sql: PackageResources._009_erasures_in_steps_sql),
        Migration(number: 10, name: "0010_stream_places.sql", sql: PackageResources._010_stream_places_sql),
        Migration(number: 11, name: "0011_names_in_aliases.sql", sql: PackageResources._011_names_in_aliases_sql),
        Migration(number: 12, name: "0012_returns.sql", sql: PackageResources._012_returns_sql),
        Migration(
            number: 13, name: "0013_item_groups_and_availability.sql", sql: PackageResources._013_item_groups_and_availability_sql),
        Migration(number: 14, name: "0014_wishes.sql", sql: PackageResources._014_wishes_sql),
        Migration(number: 15, name: "0015_patches.sql", sql: PackageResources._015_patches_sql),
        Migration(number: 16, name: "0016_feedback.sql", sql: PackageResources._016_feedback_sql),
    ]
}
