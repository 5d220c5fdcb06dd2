import Interactions

/// One version of a model as the registry knows it.
public struct RegisteredModel: Sendable, Equatable {
    /// Where a version stands.
    public enum Status: String, Sendable {
        case candidate, promoted, retired, refused
    }
    /// The version's number; ascends with each model.
    public var version: Int32
    /// When it was registered, by the database's clock.
    public var createdAt: EventTime
    /// Whether it serves, may serve, served or was refused.
    public var status: Status
    /// The folder of its files; its last part is looked for below `artifacts.path`.
    public var artifactPath: String
    /// The CRC-32 of its manifest.
    public var artifactChecksum: String
    /// Of the manifest; nil for a version that was registered before there was one.
    public var artifactSHA256: String?
    /// JSON objects as text.
    public var configuration: String
    /// What its evaluation found, as a JSON object.
    public var metrics: String
    /// Up to where it learned, as a JSON object.
    public var watermark: String
    /// Why it was promoted or refused.
    public var reason: String?
    /// Why the gate refused it. Stays where it was promoted all the same; nil where it never was refused.
    public var refusal: String?
    /// When it was last promoted; nil: never.
    public var promotedAt: EventTime?
    /// The version that it replaced.
    public var replacedVersion: Int32?

    /// A version as the registry has it.
    package init(
        version: Int32, createdAt: EventTime, status: Status, artifactPath: String = "", artifactChecksum: String = "",
        artifactSHA256: String? = nil, configuration: String = "{}", metrics: String = "{}", watermark: String = "{}",
        reason: String? = nil, refusal: String? = nil, promotedAt: EventTime? = nil, replacedVersion: Int32? = nil
    ) {
        self.version = version
        self.createdAt = createdAt
        self.status = status
        self.artifactPath = artifactPath
        self.artifactChecksum = artifactChecksum
        self.artifactSHA256 = artifactSHA256
        self.configuration = configuration
        self.metrics = metrics
        self.watermark = watermark
        self.reason = reason
        self.refusal = refusal
        self.promotedAt = promotedAt
        self.replacedVersion = replacedVersion
    }
}

/// The registry of model versions. At most one is promoted.
extension StoreQueries {
    /// The channel on which a promotion tells the version.
    static let modelChannel = "freshet_models"
    /// The advisory lock of promotions (the bytes of "freshet" and 3).
    static let registryLock: Int64 = 0x6672_6573_6865_7403

    private static let modelFields = """
        version, created_at, status, artifact_path, artifact_checksum, configuration, metrics, watermark, reason, promoted_at, \
        replaced_version, refusal, artifact_sha256
        """

    /// Versions, newest first.
    public func models(limit: Int = 100) throws(StoreError) -> [RegisteredModel] {
        try pool.reading { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(Int32(clamping: min(max(0, limit), Self.listedRowsLimit)))
            let rows = try connection.run("select \(Self.modelFields) from models order by version desc limit $1", parameters)
            return (0..<rows.count).map { Self.model(rows, $0) }
        }
    }

    /// One version, or nil.
    public func model(_ version: Int32) throws(StoreError) -> RegisteredModel? {
        try pool.reading { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(version)
            let rows = try connection.run("select \(Self.modelFields) from models where version = $1", parameters)
            return rows.count == 0 ? nil : Self.model(rows, 0)
        }
    }

    /// The version that servers use, or nil before the first promotion.
    public func promotedModel() throws(StoreError) -> RegisteredModel? {
        try pool.reading { (connection) throws(StoreError) in
            let rows = try connection.run("select \(Self.modelFields) from models where status = 'promoted'")
            return rows.count == 0 ? nil : Self.model(rows, 0)
        }
    }

    /// Enters a candidate, or at once a version that the gate refused, and returns its version.
    ///
    /// - Parameters: `configuration`, `metrics` and `watermark` are JSON objects as text. `answers` are bytes that ``answers(of:)`` gives
    ///   back. `refused` is why the gate refused it. `refusal` is that of the version that this one was made of without another training.
    public func registerModel(
        artifactPath: String, artifactChecksum: String, artifactSHA256: String? = nil, configuration: String, metrics: String,
        watermark: String, answers: [UInt8]? = nil, refused: String? = nil, refusal: String? = nil
    ) throws(StoreError) -> Int32 {
        try pool.withConnection { (connection) throws(StoreError) in
            var row = Parameters()
            row.add(artifactPath)
            row.add(artifactChecksum)
            row.add(json: configuration)
            row.add(json: metrics)
            row.add(json: watermark)
            // Nothing recorded is no bytes: there is no null among this program's bytea parameters.
            row.add(bytes: answers ?? [])
            row.add(refused ?? refusal)
            row.add(refused)
            row.add(artifactSHA256)
            let rows = try connection.run(
                """
                insert into models (
                    artifact_path, artifact_checksum, configuration, metrics, watermark, answers, refusal, reason, artifact_sha256, status)
                values ($1, $2, $3, $4, $5, nullif($6, ''::bytea), $7, $8, $9,
                    case when $8::text is null then 'candidate' else 'refused' end)
                returning version
                """, row)
            return rows.int32(0, 0) ?? 0
        }
    }

    /// What a version scored on each question of its evaluation, as it was registered; nil where nothing was kept.
    public func answers(of version: Int32) throws(StoreError) -> [UInt8]? {
        try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(version)
            let rows = try connection.run("select answers from models where version = $1 and answers is not null", parameters)
            return rows.count == 0 ? nil : Array(rows.bytes(0, 0))
        }
    }

    /// Versions that served at some time of the last `days` days and do so no more, newest first: those promoted since then, and those
    /// that were replaced since then. By the database's clock alone.
    public func modelsThatServed(days: Int) throws(StoreError) -> [RegisteredModel] {
        try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(Int32(clamping: max(0, days)))
            let rows = try connection.run(
                """
                select \(Self.modelFields) from models m
                where status <> 'promoted' and promoted_at is not null
                  and (promoted_at > clock_timestamp() - make_interval(days => $1)
                       or exists (select from models later
                                  where later.replaced_version = m.version
                                    and later.promoted_at > clock_timestamp() - make_interval(days => $1)))
                order by version desc limit \(Self.listedRowsLimit)
                """, parameters)
            return (0..<rows.count).map { Self.model(rows, $0) }
        }
    }

    /// Makes a version the one that servers use; the former one retires. Both in one transaction.
    ///
    /// - Parameter force: takes a version that the gate refused, too; its ``RegisteredModel/refusal`` stays.
    /// - Throws: `notFound` when there is no such version; `conflict` when the gate refused it and `force` is false.
    @discardableResult
    public func promoteModel(_ version: Int32, reason: String, force: Bool = false) throws(StoreError) -> RegisteredModel {
        try registryTransaction { (connection) throws(StoreError) in
            let current = try Self.promotedVersion(connection)
            let wanted = try Self.required(version, connection)
            if current == version { return wanted }
            try Self.check(wanted, force: force)
            return try Self.switchPromotion(from: current, to: version, reason: reason, replaced: current, connection)
        }
    }

    /// Makes a version the one that servers use where the version that it was judged against still is.
    ///
    /// - Parameter judged: the version that was promoted when this one was judged; nil for none.
    /// - Throws: `notFound` when there is no such version; `conflict` when another one was promoted meanwhile.
    @discardableResult
    public func promoteModel(_ version: Int32, reason: String, judgedAgainst judged: Int32?) throws(StoreError) -> RegisteredModel {
        try registryTransaction { (connection) throws(StoreError) in
            let current = try Self.promotedVersion(connection)
            let wanted = try Self.required(version, connection)
            guard current == judged else {
                func name(_ version: Int32?) -> String { version.map { "version \($0)" } ?? "no version" }
                throw StoreError(
                    .conflict,
                    "version \(version) was judged while \(name(judged)) was promoted, and meanwhile \(name(current)) is; train again")
            }
            try Self.check(wanted, force: false)
            return try Self.switchPromotion(from: current, to: version, reason: reason, replaced: current, connection)
        }
    }

    /// Goes back to the version that the promoted one replaced.
    ///
    /// - Parameter force: takes a version that the gate refused, too.
    /// - Throws: `notFound` when there is none; `conflict` when the gate refused it and `force` is false.
    @discardableResult
    public func rollBackModel(reason: String = "rollback", force: Bool = false) throws(StoreError) -> RegisteredModel {
        try registryTransaction { (connection) throws(StoreError) in
            let current = try Self.promotedVersion(connection)
            let target = try Self.rollbackTarget(connection)
            try Self.check(target, force: force)
            return try Self.switchPromotion(
                from: current, to: target.version, reason: reason, replaced: target.replacedVersion, connection)
        }
    }

    /// The version that a rollback goes back to.
    ///
    /// - Throws: `notFound` when there is none.
    public func rollbackTarget() throws(StoreError) -> RegisteredModel {
        try pool.withConnection { (connection) throws(StoreError) in try Self.rollbackTarget(connection) }
    }

    private static func rollbackTarget(_ connection: Connection) throws(StoreError) -> RegisteredModel {
        let current = try promotedVersion(connection)
        var replaced: Int32?
        if let current { replaced = try required(current, connection).replacedVersion }
        guard let replaced else {
            throw StoreError(
                .notFound, "there is no model version to go back to: "
                    + (current.map { "version \($0) was the first to be promoted" } ?? "none is promoted"))
        }
        return try required(replaced, connection)
    }

    private static func check(_ model: RegisteredModel, force: Bool) throws(StoreError) {
        guard let refusal = model.refusal, !force else { return }
        throw StoreError(
            .conflict,
            "the gate refused version \(model.version): \(refusal) It serves all the same with force: freshet models promote "
                + "\(model.version) --force (rollback --force), or force=true in the request")
    }

    /// Marks a candidate as refused by the gate.
    public func refuseModel(_ version: Int32, reason: String) throws(StoreError) {
        try registryTransaction { (connection) throws(StoreError) in
            var row = Parameters()
            row.add(version)
            row.add(reason)
            let changed = try connection.run(
                "update models set status = 'refused', reason = $2, refusal = $2 where version = $1 and status <> 'promoted'", row
            ).affected
            if changed == 0 {
                throw StoreError(.notFound, "model version \(version) is promoted or does not exist, so it cannot be refused")
            }
        }
    }

    /// Does something while nobody can promote: a look at the registry stays true until it is done. The body must not use this pool where
    /// it has one connection only.
    public func holdingPromotions<R>(_ body: () throws -> R) throws -> R {
        try registryTransaction { (_) throws(StoreError) in Result { try body() } }.get()
    }

    private func registryTransaction<R>(_ body: (Connection) throws(StoreError) -> R) throws(StoreError) -> R {
        try pool.withConnection { (connection) throws(StoreError) in
            try connection.transaction { () throws(StoreError) in
                var key = Parameters()
                key.add(Self.registryLock)
                try connection.run("select 1 from pg_advisory_xact_lock($1)", key)
                return try body(connection)
            }
        }
    }

    private static func promotedVersion(_ connection: Connection) throws(StoreError) -> Int32? {
        let rows = try connection.run("select version from models where status = 'promoted'")
        return rows.count == 0 ? nil : rows.int32(0, 0)
    }

    private static func required(_ version: Int32, _ connection: Connection) throws(StoreError) -> RegisteredModel {
        var parameters = Parameters()
        parameters.add(version)
        let rows = try connection.run("select \(modelFields) from models where version = $1", parameters)
        guard rows.count == 1 else {
            throw StoreError(.notFound, "there is no model version \(version); freshet models list shows them")
        }
        return model(rows, 0)
    }

    private static func switchPromotion(
        from current: Int32?, to version: Int32, reason: String, replaced: Int32?, _ connection: Connection
    ) throws(StoreError) -> RegisteredModel {
        if let current {
            var former = Parameters()
            former.add(current)
            try connection.run("update models set status = 'retired' where version = $1", former)
        }
        var row = Parameters()
        row.add(version)
        row.add(reason)
        row.add(replaced)
        try connection.run(
            """
            update models set status = 'promoted', promoted_at = clock_timestamp(), reason = $2, replaced_version = $3 where version = $1
            """, row)
        var told = Parameters()
        told.add(version)
        try connection.run("select 1 from pg_notify('\(modelChannel)', $1::integer::text)", told)
        return try required(version, connection)
    }

    private static func model(_ rows: QueryResult, _ row: Int) -> RegisteredModel {
        RegisteredModel(
            version: rows.int32(row, 0) ?? 0, createdAt: rows.time(row, 1) ?? EventTime(milliseconds: 0),
            status: RegisteredModel.Status(rawValue: rows.string(row, 2) ?? "") ?? .retired, artifactPath: rows.string(row, 3) ?? "",
            artifactChecksum: rows.string(row, 4) ?? "", artifactSHA256: rows.string(row, 12),
            configuration: rows.json(row, 5) ?? "{}", metrics: rows.json(row, 6) ?? "{}",
            watermark: rows.json(row, 7) ?? "{}", reason: rows.string(row, 8), refusal: rows.string(row, 11),
            promotedAt: rows.time(row, 9), replacedVersion: rows.int32(row, 10))
    }
}
