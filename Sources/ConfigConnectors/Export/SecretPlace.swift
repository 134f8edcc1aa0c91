import Archives
import Basics
import Redaction
import Trees

/// Where a secret was, what kind, and what stands there now: a line of the list of secrets. Never a value.
struct SecretPlace: Sendable, Hashable {
    /// On its machine, from the root, without the slash in front.
    let path: [UInt8]
    let line: Int64
    let column: Int64
    let secretClass: String
    let detector: String
    /// The name that it has there, such as a key of a configuration.
    let key: String?
    let placeholder: String?
    /// The family of facts in which it would have stood; nil for a file of the tree.
    let family: String?
    /// The extended attribute that holds it.
    let attribute: String?

    init(_ finding: Finding, path: [UInt8], family: FactFamily?, attribute: [UInt8]? = nil) {
        self.path = path
        line = Int64(finding.line)
        column = Int64(finding.column)
        secretClass = finding.secretClass.rawValue
        detector = finding.detector
        key = finding.key
        placeholder = finding.placeholder
        self.family = family?.rawValue
        self.attribute = attribute.map { String(decoding: $0, as: UTF8.self) }
    }

    var json: JSON {
        var members: [JSON.Member] = [
            PathMember.member(path), .init("line", .integer(line)),
            .init("column", .integer(column)), .init("class", .string(secretClass)),
            .init("detector", .string(detector)),
        ]
        for (name, value) in [
            ("key", key), ("placeholder", placeholder), ("facts", family),
            ("attribute", attribute),
        ] {
            if let value { members.append(.init(name, .string(value))) }
        }
        return .object(members)
    }

    init(_ json: JSON) throws(Failure) {
        let named = json["path"]?.string.map { Array($0.utf8) }
        guard let path = named ?? json["path64"]?.string.flatMap({ Base64.decode($0) }),
            let line = json["line"]?.integer, let column = json["column"]?.integer,
            let secretClass = json["class"]?.string, let detector = json["detector"]?.string
        else { throw Failure(.manifestMalformed, "a line of the list of secrets is not one") }
        self.path = path
        self.line = line
        self.column = column
        self.secretClass = secretClass
        self.detector = detector
        key = json["key"]?.string
        placeholder = json["placeholder"]?.string
        family = json["facts"]?.string
        attribute = json["attribute"]?.string
    }

    /// What somebody has to know to enter it again.
    var description: String {
        var text = secretClass
        if let key { text += " \"\(key)\"" }
        if let attribute { text += " in the attribute \(attribute)" }
        if line > 0 { text += " at line \(line)" }
        if let family { text += ", of the facts \(family)" }
        return text
    }
}
