public import Basics

/// `bagit.txt`: the bag declaration of RFC 8493, section 2.1.1.
public enum BagDeclaration {
    public static let path = BagPath(known: "bagit.txt")
    /// The only bytes our profile knows.
    public static let bytes = Array(
        "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n".utf8)

    /// Throws `.bagDeclaration` for anything else.
    public static func check(_ bytes: [UInt8]) throws(Failure) {
        guard bytes == Self.bytes else {
            throw Failure(.bagDeclaration, "\"bagit.txt\" does not declare BagIt 1.0 in UTF-8")
        }
    }
}

/// `bag-info.txt` of our profile (RFC 8493, section 2.2.2): each label once, in this order, no
/// folded lines, nothing else.
public struct BagInfo: Sendable, Equatable {
    public static let path = BagPath(known: "bag-info.txt")
    /// Names the rules that this module checks; described in docs/FORMAT.md.
    public static let profile = "urn:exeat:bag-profile:v1"

    /// Number and length of all payload files: `Payload-Oxum` of RFC 8493, section 2.2.2.
    public struct Oxum: Sendable, Equatable {
        public let bytes: Int64
        public let files: Int64

        public init(bytes: Int64, files: Int64) {
            self.bytes = bytes
            self.files = files
        }
    }

    public let sourceOrganization: String?
    /// The day, `2026-11-23`.
    public let baggingDate: String
    /// A UUID in lower case; the file adds `urn:uuid:`.
    public let identifier: String
    public let payload: Oxum
    /// Program and version: `exeat 1.0.0`.
    public let agent: String

    /// Throws `.invalidValue` for text that would not fit on a line or is not of its kind.
    public init(
        sourceOrganization: String?, baggingDate: String, identifier: String, payload: Oxum,
        agent: String
    ) throws(Failure) {
        self.sourceOrganization = sourceOrganization
        self.baggingDate = baggingDate
        self.identifier = identifier
        self.payload = payload
        self.agent = agent
        for text in [sourceOrganization ?? "-", baggingDate, identifier, agent] {
            guard Self.isOneLine(text) else {
                throw Failure(.invalidValue, "\"\(text)\" does not fit on a line of bag-info.txt")
            }
        }
        guard Timestamp(baggingDate + "T00:00:00Z") != nil, baggingDate.utf8.count == 10 else {
            throw Failure(.invalidValue, "\"\(baggingDate)\" is not a day as in 2026-11-23")
        }
        guard BagIdentifier.isValid(identifier) else {
            throw Failure(.invalidValue, "\"\(identifier)\" is not a UUID in lower case")
        }
        guard payload.bytes >= 0, payload.files >= 0 else {
            throw Failure(.invalidValue, "a payload cannot be negative")
        }
    }

    /// Not empty, no control character, no white space at its ends.
    private static func isOneLine(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        return first != 0x20 && last != 0x20
            && text.unicodeScalars.allSatisfy {
                $0.properties.generalCategory != .control
                    && $0.properties.generalCategory != .lineSeparator
                    && $0.properties.generalCategory != .paragraphSeparator
            }
    }

    public var bytes: [UInt8] {
        var text = ""
        if let sourceOrganization { text += "Source-Organization: \(sourceOrganization)\n" }
        text += "Bagging-Date: \(baggingDate)\n"
        text += "External-Identifier: urn:uuid:\(identifier)\n"
        text += "Payload-Oxum: \(payload.bytes).\(payload.files)\n"
        text += "Bag-Software-Agent: \(agent)\n"
        text += "BagIt-Profile-Identifier: \(Self.profile)\n"
        return Array(text.utf8)
    }

    /// Reads what `bytes` writes; throws `.bagInfoMalformed` for anything else.
    public init(parsing bytes: [UInt8]) throws(Failure) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Self.malformed("is not UTF-8", nil)
        }
        var values: [String: String] = [:]
        for line in text.utf8.split(separator: 0x0a) {
            guard let colon = line.firstIndex(of: 0x3a),
                let label = String(line[..<colon]),
                let value = String(line[line.index(after: colon)...]),
                value.utf8.first == 0x20, values[label] == nil
            else { throw Self.malformed("has a line that is not a label and a value", nil) }
            values[label] = String(value.dropFirst())
        }
        let urn = "urn:uuid:"
        guard let date = values["Bagging-Date"], let identifier = values["External-Identifier"],
            identifier.hasPrefix(urn), let oxum = values["Payload-Oxum"].flatMap(Oxum.init(_:)),
            let agent = values["Bag-Software-Agent"]
        else { throw Self.malformed("lacks a label, or has a value that is not of its kind", nil) }
        do throws(Failure) {
            try self.init(
                sourceOrganization: values["Source-Organization"], baggingDate: date,
                identifier: String(identifier.dropFirst(urn.count)), payload: oxum, agent: agent)
        } catch { throw Self.malformed("has a value that is not of its kind", error) }
        // Another profile, an unknown label, another order or spelling: not what we write.
        guard self.bytes == bytes else { throw Self.malformed("is not of our profile", nil) }
    }

    private static func malformed(_ what: String, _ cause: Failure?) -> Failure {
        Failure(.bagInfoMalformed, "\"bag-info.txt\" \(what)", cause: cause)
    }
}

extension BagInfo.Oxum {
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let bytes = Int64(parts[0]), let files = Int64(parts[1]) else {
            return nil
        }
        self.init(bytes: bytes, files: files)
    }

    public var text: String { "\(bytes).\(files)" }
}

/// The identity of a bag: a UUID (RFC 9562) in lower case.
enum BagIdentifier {
    static func isValid(_ text: String) -> Bool {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        return groups.map(\.utf8.count) == [8, 4, 4, 4, 12]
            && groups.joined().utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x66).contains($0)
            }
    }
}
