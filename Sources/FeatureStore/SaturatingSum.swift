/// Sums in SQL that end at the largest and smallest `bigint` instead of with an error: one record at the end of the range must not
/// end what reads all records.
enum SaturatingSum {
    /// SQL: the sum of an expression over a group, 0 of none.
    ///
    /// PostgreSQL adds up `bigint` as `numeric`, which has no end; only the way back has one. An expression that adds columns itself
    /// needs them as `numeric`.
    static func sql(_ expression: String) -> String {
        "greatest(-9223372036854775808, least(9223372036854775807, coalesce(sum(\(expression)), 0)))::bigint"
    }
}
