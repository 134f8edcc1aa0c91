import Basics

/// Holds the objects of the target against those of the archive.
struct ObjectComparison {
    struct Difference: Equatable {
        let object: String
        let attribute: String
        let expected: String
        let found: String
    }

    private(set) var differences: [Difference] = []
    /// Definitions that another major version prints in its own way: no difference by themselves.
    private(set) var remarks: [Difference] = []
    /// Differences of objects that were there before and stay as they are.
    private(set) var stayed: [Difference] = []
    let count: Int
    /// Objects that differ.
    private(set) var unequal: Set<String> = []

    private let isSameMajor: Bool
    private let kept: Set<String>

    /// - Parameters:
    ///   - roles: names of the source with their names on the target.
    ///   - isSameMajor: whether source and target are of one major version.
    ///   - allowsMore: the target held objects before.
    ///   - explained: kinds of objects that the target is known not to have taken as they are.
    ///   - kept: keys of objects that were there before.
    init(
        expected: [DatabaseObject], found: [DatabaseObject], roles: [String: String],
        isSameMajor: Bool, allowsMore: Bool, explained: Set<String> = [],
        kept: Set<String> = []
    ) {
        self.kept = kept
        self.isSameMajor = isSameMajor
        let expected = Self.keyed(expected.map { $0.mapped(roles) })
        let found = Self.keyed(found.map { $0.mapped([:]) })
        count = expected.count
        for (key, object) in expected.sorted(by: { $0.key < $1.key })
        where !explained.contains(object.kind) {
            if let other = found[key] {
                compare(object, other)
            } else {
                note(key, "object", "owner \(object.owner) \(object.state)", "missing")
            }
        }
        // A public schema without anything may be there on one side only.
        for key in found.keys.sorted()
        where expected[key] == nil && !allowsMore && key != "schema public" {
            if explained.contains(found[key]?.kind ?? "") { continue }
            note(key, "object", "missing", "there")
        }
    }

    private mutating func compare(_ expected: DatabaseObject, _ found: DatabaseObject) {
        let key = expected.key
        if (expected.owner, expected.state) != (found.owner, found.state) {
            note(
                key, "object", "owner \(expected.owner) \(expected.state)",
                "owner \(found.owner) \(found.state)")
        }
        // Who may not see the options of a user mapping sees nothing of it.
        let isHidden =
            ["user mapping", "settings"].contains(expected.kind)
            && (expected.definition.isEmpty || found.definition.isEmpty)
        if expected.definition != found.definition, !isHidden {
            note(
                key, "definition", "digest \(expected.definition.prefix(16))",
                "digest \(found.definition.prefix(16))", isFirm: isSameMajor)
        }
        let (wanted, here) = (Self.rights(expected), Self.rights(found))
        // Of version 17 on; what an older archive says of all rights does not say it.
        let isMeant: (ObjectRight) -> Bool = { [isSameMajor] in
            isSameMajor || $0.privilege != "MAINTAIN"
        }
        let lacking = wanted.subtracting(here).filter(isMeant).sorted()
        let beyond = here.subtracting(wanted).filter(isMeant).sorted()
        if !lacking.isEmpty || !beyond.isEmpty {
            note(
                key, "rights", Self.text(lacking), Self.text(beyond),
                isFirm: isSameMajor || key != "schema public")
        }
    }

    private mutating func note(
        _ object: String, _ attribute: String, _ expected: String, _ found: String,
        isFirm: Bool = true
    ) {
        let difference = Difference(
            object: object, attribute: attribute, expected: expected, found: found)
        if kept.contains(object) {
            stayed.append(difference)
        } else if isFirm {
            differences.append(difference)
            unequal.insert(object)
        } else {
            remarks.append(difference)
        }
    }

    private static func text(_ rights: [ObjectRight]) -> String {
        rights.isEmpty ? "no other" : rights.map(\.text).joined(separator: ", ")
    }

    /// Two roles that became one hold what either held; a right that may be passed on is the stronger.
    private static func rights(_ object: DatabaseObject) -> Set<ObjectRight> {
        let all = Set(object.rights)
        return all.filter { right in
            right.isGrantable
                || !all.contains(
                    ObjectRight(
                        role: right.role, privilege: right.privilege + "*", column: right.column))
        }
    }

    /// Large objects are told by owner and rights: groups of a role that became another's are added.
    private static func keyed(_ objects: [DatabaseObject]) -> [String: DatabaseObject] {
        var keyed: [String: DatabaseObject] = [:]
        for object in objects {
            if object.kind == "settings", keyed[object.key] != nil {
                // Of two roles that became one, the later setting holds: which, is not told.
                keyed[object.key]?.definition = ""
                continue
            }
            guard object.kind == "large objects" else {
                keyed[object.key] = object
                continue
            }
            let rights = rights(object).sorted()
            let identity =
                "of \(object.owner) with rights of " + rights.map(\.text).joined(separator: ", ")
            let former = keyed["large objects \(identity)"]?.state ?? "0 0"
            let sums = zip(former.split(separator: " "), object.state.split(separator: " "))
                .map { String((Int64($0) ?? 0) &+ (Int64($1) ?? 0)) }
            let group = DatabaseObject(
                kind: object.kind, identity: identity, state: sums.joined(separator: " "),
                owner: object.owner, rights: rights)
            keyed[group.key] = group
        }
        return keyed
    }
}

extension DatabaseObject {
    /// With the roles of the target: as owner, in rights, and in the names that hold a role.
    func mapped(_ roles: [String: String]) -> DatabaseObject {
        var name = SQLStatement(Array(identity.utf8))
        let place =
            ["user mapping", "settings"].contains(kind) ? 0 : kind == "default acl" ? 2 : nil
        if let place, let role = name.name(place) {
            name.replace([(place, (roles[role] ?? role).quotedName)])
        }
        return DatabaseObject(
            kind: kind, identity: place == nil ? identity : name.text, state: state,
            owner: roles[owner] ?? owner, definition: definition,
            rights: rights.map { right in
                var right = right
                right.role = roles[right.role] ?? right.role
                return right
            })
    }
}
