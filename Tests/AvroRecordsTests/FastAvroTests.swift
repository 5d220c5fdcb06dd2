import AvroRecords
import Foundation
import Testing

/// Records that another implementation wrote: fastavro, where Python has it.
@Suite("Avro as fastavro writes it", .enabled(if: FastAvro.isThere, "python3 has no fastavro"), .timeLimit(.minutes(15)))
struct FastAvroTests {
    @Test("every record is read as it was written, and the sums of money are the same to the cent")
    func records() throws {
        let count = ProcessInfo.processInfo.environment["FRESHET_SOAK"] == "1" ? 100_000 : 1_000
        let lines = try FastAvro.run(count)
        let schema = try AvroSchema(String(lines[0])), decoder = AvroDecoder(maxTextBytes: 1 << 20)
        var cents: Int128 = 0, read = 0
        for line in lines[1...].dropLast() {
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
            let bytes = try #require(Data(base64Encoded: String(parts[0])))
            let text = String(decoding: try bytes.withUnsafeBytes { try decoder.json($0, by: schema) }, as: UTF8.self)
            if text != parts[1] { try #require(text == parts[1], "record \(read)") }
            let price = try #require(text.firstMatch(of: /"price":(-?)(\d+)\.(\d\d)/))
            let amount = try #require(Int128(price.output.2 + price.output.3))
            cents += price.output.1.isEmpty ? amount : -amount
            read += 1
        }
        #expect("\(read) \(cents)" == lines[lines.count - 1])
        print("fastavro: \(read) records, \(cents) cents")
    }
}

private enum FastAvro {
    static let isThere: Bool = (try? python(["-c", "import fastavro"]))?.status == 0

    /// Lines: the schema, each record as base64 and as JSON, and the count with the sum of the prices in cents.
    static func run(_ count: Int) throws -> [Substring] {
        let result = try python(["-c", script, "\(count)"])
        return result.output.split(separator: "\n")
    }

    private static func python(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process(), output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [ProcessInfo.processInfo.environment["FRESHET_PYTHON"] ?? "python3"] + arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }

    private static let script = #"""
        import base64, datetime, decimal, io, json, random, sys, uuid
        import fastavro
        schema = {"type": "record", "name": "Order", "namespace": "shop", "fields": [
            {"name": "id", "type": "long"}, {"name": "sku", "type": "string"},
            {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 2}},
            {"name": "fixed", "type": {"type": "fixed", "name": "Eight", "size": 8, "logicalType": "decimal", "precision": 18, "scale": 4}},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
            {"name": "local", "type": {"type": "long", "logicalType": "local-timestamp-millis"}},
            {"name": "day", "type": {"type": "int", "logicalType": "date"}},
            {"name": "time", "type": {"type": "long", "logicalType": "time-micros"}},
            {"name": "uuid", "type": {"type": "string", "logicalType": "uuid"}},
            {"name": "raw", "type": "bytes"}, {"name": "ratio", "type": "double"}, {"name": "paid", "type": "boolean"},
            {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["CLICK", "BUY"]}},
            {"name": "before", "type": ["null", "Kind"]},
            {"name": "note", "type": ["null", "string", "long"]},
            {"name": "tags", "type": {"type": "array", "items": "string"}}, {"name": "counts", "type": {"type": "map", "values": "int"}},
            {"name": "lines", "type": {"type": "array", "items": {"type": "record", "name": "Line", "fields": [
                {"name": "n", "type": "int"}, {"name": "next", "type": ["null", "Line"]}]}}}]}
        parsed = fastavro.parse_schema(schema)
        print(json.dumps(schema))
        decimal.getcontext().prec = 60
        draw = random.Random(7)
        utc = datetime.timezone.utc
        epoch = datetime.datetime(1970, 1, 1, tzinfo=utc)
        def fraction(text, value, digits):
            return text if value == 0 else text + "." + str(value).rjust(digits, "0")
        total = 0
        for number in range(int(sys.argv[1])):
            cents = draw.choice([draw.randrange(-10**4, 10**4), draw.randrange(-10**26, 10**26)])
            total += cents
            small = draw.randrange(-10**15, 10**15)
            at = epoch + datetime.timedelta(microseconds=draw.randrange(-10**15, 4 * 10**15))
            local = datetime.datetime(2026, 11, 21, draw.randrange(24), 5, 6, draw.randrange(1000) * 1000)
            time = datetime.time(draw.randrange(24), draw.randrange(60), draw.randrange(60), draw.randrange(10**6))
            line = None
            for depth in range(draw.randrange(4)): line = {"n": draw.randrange(-2**31, 2**31), "next": line}
            record = {"id": draw.randrange(-2**63, 2**63), "sku": draw.choice(["a", "ü😀", "q\"\\", ""]) * draw.randrange(40),
                "price": decimal.Decimal(cents).scaleb(-2), "fixed": decimal.Decimal(small).scaleb(-4), "at": at, "local": local,
                "day": at.date(), "time": time, "uuid": str(uuid.UUID(int=draw.getrandbits(128))),
                "raw": draw.randbytes(draw.randrange(9)), "ratio": draw.randrange(-2**40, 2**40) / 1024 + 0.5, "paid": draw.random() < 0.5,
                "kind": draw.choice(["CLICK", "BUY"]), "before": draw.choice([None, "BUY"]),
                "note": draw.choice([None, "n", draw.randrange(10**9)]),
                "tags": ["t"] * draw.randrange(5), "counts": {"k" + str(n): n for n in range(draw.randrange(4))},
                "lines": [] if line is None else [line, line]}
            output = io.BytesIO()
            fastavro.schemaless_writer(output, parsed, record)
            shown = dict(record)
            shown["price"], shown["fixed"], shown["ratio"] = "@price", "@fixed", "@ratio"
            shown["at"] = fraction(at.replace(tzinfo=None, microsecond=0).isoformat(), at.microsecond, 6) + "Z"
            shown["local"] = fraction(local.replace(microsecond=0).isoformat(), local.microsecond // 1000, 3)
            shown["day"] = at.date().isoformat()
            shown["time"] = fraction(time.replace(microsecond=0).isoformat(), time.microsecond, 6)
            shown["raw"] = base64.b64encode(record["raw"]).decode()
            text = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
            text = text.replace('"@price"', f"{record['price']:f}").replace('"@fixed"', f"{record['fixed']:f}")
            text = text.replace('"@ratio"', repr(record["ratio"]))
            print(base64.b64encode(output.getvalue()).decode() + "\t" + text)
        print(int(sys.argv[1]), total)
        """#
}
