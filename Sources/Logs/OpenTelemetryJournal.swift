public import Basics
import Primitives

/// Entries of the journal as records of OpenTelemetry's log data model.
///
/// MESSAGE is the body; every other field is an attribute `journald.NAME`, a list where an entry has it
/// several times; `journald.NAME.base64` holds values that are not UTF-8. So nothing is lost but values
/// beyond 1 MiB, of which `journald.NAME.sha256` holds the digest.
public struct OpenTelemetryJournal: Sendable {
    /// Values that stand in the records as their digest alone.
    public private(set) var digests: Int64 = 0
    private let source: [UInt8]
    private var record: OpenTelemetryRecord

    public init(source: String, observed: Timestamp) {
        var text: [UInt8] = []
        JSON.quote(source, into: &text)
        self.source = text
        record = OpenTelemetryRecord(observed: observed, resource: [])
    }

    /// Appends the record of an entry and a newline.
    public mutating func append(
        _ fields: [JournalFieldValue], stamped: Bool, to line: inout [UInt8]
    ) {
        let realtime = Self.number("__REALTIME_TIMESTAMP", fields)
        let time = Self.number("_SOURCE_REALTIME_TIMESTAMP", fields) ?? realtime
        record.timestamp = time.map(Self.moment)
        if let realtime { record.observed = Self.moment(realtime) }
        record.severity = Self.number("PRIORITY", fields)
            .flatMap { $0 < 8 ? OpenTelemetrySeverity.syslog[Int($0)] : nil }
        record.resource = resource(fields)
        record.attributes.removeAll(keepingCapacity: true)
        let messages = fields.filter { $0.name.elementsEqual("MESSAGE".utf8) }
        // Only what can come back as it was is taken for the body.
        let body = messages.count == 1 && messages[0].digest == nil ? messages[0].value : nil
        var done: Set<[UInt8]> = []
        for field in fields {
            if body != nil, field.name.elementsEqual("MESSAGE".utf8) { continue }
            if done.insert(field.name).inserted { add(field.name, fields) }
        }
        if body == nil { record.attributes += Array("\"exeat.body.absent\":true,".utf8) }
        unsafe (body ?? []).withUnsafeBytes {
            unsafe record.append(body: $0, stamped: stamped, to: &line)
        }
    }

    private static func moment(_ microseconds: UInt64) -> Timestamp {
        Timestamp(
            seconds: Int64(microseconds / 1_000_000),
            nanoseconds: Int32(microseconds % 1_000_000 * 1000))
    }

    private static func text(_ name: String, _ fields: [JournalFieldValue]) -> [UInt8]? {
        fields.first { $0.digest == nil && $0.name.elementsEqual(name.utf8) }?.value
    }

    private static func number(_ name: String, _ fields: [JournalFieldValue]) -> UInt64? {
        text(name, fields).flatMap { UInt64(String(decoding: $0, as: UTF8.self)) }
    }

    private func resource(_ fields: [JournalFieldValue]) -> [UInt8] {
        var bytes = Array("{\"exeat.source\":".utf8) + source
        for (key, name) in [
            ("host.name", "_HOSTNAME"), ("host.id", "_MACHINE_ID"),
            ("service.name", "SYSLOG_IDENTIFIER"), ("process.pid", "_PID"),
            ("process.executable.path", "_EXE"),
        ] {
            guard let value = Self.text(name, fields) else { continue }
            bytes += Array(",\"\(key)\":".utf8)
            if key == "process.pid", UInt32(String(decoding: value, as: UTF8.self)) != nil {
                bytes += value
            } else {
                _ = unsafe value.withUnsafeBytes { unsafe JSONBytes.quote($0, to: &bytes) }
            }
        }
        bytes.append(0x7d)
        return bytes
    }

    /// Adds all values of a name, by how they can be written.
    private mutating func add(_ name: [UInt8], _ fields: [JournalFieldValue]) {
        var texts: [[UInt8]] = []
        var binaries: [[UInt8]] = []
        var hashes: [[UInt8]] = []
        for field in fields where field.name == name {
            if let digest = field.digest {
                hashes.append(Array("\"\(digest.hex)\"".utf8))
                digests += 1
                continue
            }
            var quoted: [UInt8] = []
            let isText = unsafe field.value.withUnsafeBytes {
                unsafe JSONBytes.quote($0, to: &quoted)
            }
            if isText {
                texts.append(quoted)
            } else {
                var encoded: [UInt8] = [0x22]
                unsafe field.value.withUnsafeBytes { unsafe JSONBytes.base64($0, to: &encoded) }
                binaries.append(encoded + [0x22])
            }
        }
        add(name, "", texts)
        add(name, ".base64", binaries)
        add(name, ".sha256", hashes)
    }

    private mutating func add(_ name: [UInt8], _ suffix: String, _ values: [[UInt8]]) {
        guard !values.isEmpty else { return }
        var key = Array("journald.".utf8) + name + Array(suffix.utf8)
        swap(&key, &scratch)
        _ = unsafe scratch.withUnsafeBytes { unsafe JSONBytes.quote($0, to: &record.attributes) }
        record.attributes.append(0x3a)
        if values.count > 1 { record.attributes.append(0x5b) }
        for (place, value) in values.enumerated() {
            if place > 0 { record.attributes.append(0x2c) }
            record.attributes += value
        }
        if values.count > 1 { record.attributes.append(0x5d) }
        record.attributes.append(0x2c)
    }

    private var scratch: [UInt8] = []

    // MARK: - Back

    /// The entry that a record stands for in the journal export format; nil where the line is no record of
    /// ours, and where a value stands there as its digest alone.
    public static func export(_ line: [UInt8]) -> [UInt8]? {
        var reader = OpenTelemetryReader()
        guard reader.read(line), let members = reader.allAttributes() else { return nil }
        var entry: [UInt8] = []
        if !members.contains(where: { $0.key == "exeat.body.absent" }) {
            append("MESSAGE", reader.body, &entry)
        }
        for member in members where member.key.hasPrefix("journald.") {
            var name = member.key.dropFirst(9)
            let isBinary = name.hasSuffix(".base64")
            if name.hasSuffix(".sha256") { return nil }
            if isBinary { name = name.dropLast(7) }
            for value in member.values {
                var bytes = value
                if isBinary {
                    bytes = []
                    guard JSONBytes.decode(base64: value[...], to: &bytes) else { return nil }
                }
                append(name, bytes, &entry)
            }
        }
        entry.append(0x0a)
        return entry
    }

    private static func append(
        _ name: some StringProtocol, _ value: [UInt8], _ entry: inout [UInt8]
    ) {
        entry += Array(name.utf8)
        if name.hasPrefix("__") || name == "_BOOT_ID" {
            entry += [0x3d] + value + [0x0a]
            return
        }
        entry.append(0x0a)
        var length = UInt64(value.count)
        for _ in 0..<8 {
            entry.append(UInt8(truncatingIfNeeded: length))
            length >>= 8
        }
        entry += value + [0x0a]
    }
}
