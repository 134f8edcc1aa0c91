public import Basics

/// One record of OpenTelemetry's log data model as a JSON object on one line.
///
/// The members have the names of the model (Timestamp, ObservedTimestamp, SeverityText, SeverityNumber,
/// Body, Resource, Attributes, TraceId, SpanId); see docs/log-mapping.md. Bytes that are not UTF-8 stand
/// twice: with U+FFFD in their place, to be searched, and whole in base64.
public struct OpenTelemetryRecord: Sendable {
    public var timestamp: Timestamp?
    public var observed: Timestamp
    public var severity: OpenTelemetrySeverity?
    /// A whole JSON object, the same for all records of a log.
    public var resource: [UInt8]
    /// Members of Attributes without braces, each with a comma behind it.
    public var attributes: [UInt8] = []
    /// 32 and 16 hexadecimal digits.
    public var trace: [UInt8]?
    public var span: [UInt8]?

    public init(observed: Timestamp, resource: [UInt8]) {
        self.observed = observed
        self.resource = resource
    }

    /// The attribute that holds a body which is not UTF-8.
    public static let bodyKey = "exeat.body.base64"

    /// Appends the object and a newline.
    ///
    /// - Parameter stamped: with a member `@timestamp`, which data streams of Elasticsearch ask for.
    public func append(
        body: UnsafeRawBufferPointer, stamped: Bool = false, to line: inout [UInt8]
    ) {
        line.append(0x7b)
        if stamped {
            Self.append("\"@timestamp\":\"", &line)
            (timestamp ?? observed).appendExact(to: &line)
            Self.append("\",", &line)
        }
        if let timestamp {
            Self.append("\"Timestamp\":\"", &line)
            timestamp.appendExact(to: &line)
            Self.append("\",", &line)
        }
        Self.append("\"ObservedTimestamp\":\"", &line)
        observed.appendExact(to: &line)
        Self.append("\",", &line)
        if let trace {
            Self.append("\"TraceId\":\"", &line)
            line += trace
            Self.append("\",", &line)
        }
        if let span {
            Self.append("\"SpanId\":\"", &line)
            line += span
            Self.append("\",", &line)
        }
        if let severity {
            Self.append("\"SeverityText\":\"", &line)
            line += severity.text
            Self.append("\",\"SeverityNumber\":", &line)
            line += Array(String(severity.number).utf8)
            line.append(0x2c)
        }
        Self.append("\"Body\":", &line)
        let isText = unsafe JSONBytes.quote(body, to: &line)
        Self.append(",\"Resource\":", &line)
        line += resource
        Self.append(",\"Attributes\":{", &line)
        line += attributes
        if !isText {
            Self.append("\"exeat.body.base64\":\"", &line)
            unsafe JSONBytes.base64(body, to: &line)
            Self.append("\",", &line)
        }
        if line.last == 0x2c { line.removeLast() }
        Self.append("}}\n", &line)
    }

    @inline(__always)
    static func append(_ text: StaticString, _ bytes: inout [UInt8]) {
        text.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
    }
}

/// A level as a log names it, and the number that the model gives it.
public struct OpenTelemetrySeverity: Sendable, Hashable {
    public let text: [UInt8]
    public let number: Int

    public init(text: [UInt8], number: Int) {
        self.text = text
        self.number = number
    }

    /// The eight levels of syslog (RFC 5424, table 2), as appendix B of the data model maps them.
    public static let syslog: [OpenTelemetrySeverity] = [
        ("emerg", 21), ("alert", 19), ("crit", 18), ("err", 17), ("warning", 13), ("notice", 10),
        ("info", 9), ("debug", 5),
    ].map { OpenTelemetrySeverity(text: Array($0.0.utf8), number: $0.1) }
}
