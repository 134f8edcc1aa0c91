import Basics
import Connectors
import Databases
import Plans
import Primitives
import Synchronization

// Definitions, rights and memberships on the target, held against the archive.
extension PostgreSQLImporter {
    func compareObjects(_ stored: StoredDatabase) throws(Failure) {
        let (found, version) = try target.pool.with { (connection) throws(Failure) in
            (
                try ObjectInventory.read(
                    connection,
                    largeObjects: settings.existing == .add ? stored.largeObjects : nil),
                connection.serverVersion
            )
        }
        let told = Set(
            target.shortfalls.withLock { $0 }.compactMap { $0["object"]?.string })
        let comparison = ObjectComparison(
            expected: stored.objects, found: found, roles: settings.mapping.roles,
            isSameMajor: version / 10_000 == stored.version / 10_000,
            allowsMore: settings.existing == .add,
            explained: told.contains { $0.hasPrefix("database ") } ? ["database", "settings"] : [],
            kept: try kept())
        for difference in comparison.differences {
            note(
                difference: difference.object, difference.attribute, difference.expected,
                difference.found)
        }
        for kept in comparison.stayed {
            target.note(
                shortfall: kept.object,
                "it was there before, and stays: \(kept.attribute) \(kept.found), not \(kept.expected)"
            )
        }
        for remark in comparison.remarks {
            state.withLock {
                $0.remarks.append([
                    "object": .string(remark.object), "attribute": .string(remark.attribute),
                    "expected": .string(remark.expected), "found": .string(remark.found),
                ])
            }
        }
        let good = comparison.count - comparison.unequal.count
        state.withLock {
            $0.comparisons.append(
                .init(
                    name: "objects", expected: String(comparison.count),
                    found: comparison.unequal.isEmpty ? String(comparison.count) : String(good)))
        }
        try compareMemberships(stored, told)
    }

    /// Whoever this import made must be a member of whom it was one at the source. Between roles that
    /// were here before, memberships are the target's own matter.
    private func compareMemberships(
        _ stored: StoredDatabase, _ told: Set<String>
    ) throws(Failure) {
        let made = try RoleMaker.recorded(rolesPath) ?? []
        let memberships = try stored.statements("postgresql-roles").compactMap(\.membership)
            .filter { made.contains($0.role) || made.contains($0.member) }
        if memberships.isEmpty { return }
        let rows = try target.pool.with { (connection) throws(Failure) in
            try connection.query(
                "SELECT pg_get_userbyid(roleid), pg_get_userbyid(member), bool_or(admin_option) "
                    + "FROM pg_auth_members GROUP BY 1, 2")
        }
        let here = Set(rows.map { "\($0[0] ?? "")\n\($0[1] ?? "")\n\($0[2] ?? "")" })
        let roles = settings.mapping.roles
        var missing = 0
        for membership in memberships {
            let role = roles[membership.role] ?? membership.role
            let member = roles[membership.member] ?? membership.member
            // Two that became one need no membership.
            let reasons = ["membership of \(member)", "role \(member)", "role \(role)"]
            if role == member || reasons.contains(where: told.contains) { continue }
            let isAdmin = here.contains("\(role)\n\(member)\nt")
            if membership.isAdmin ? isAdmin : isAdmin || here.contains("\(role)\n\(member)\nf") {
                continue
            }
            missing += 1
            note(
                difference: "role \(member)", "membership",
                "member of \(role)\(membership.isAdmin ? " with admin option" : "")", "missing")
        }
        let (count, bad) = (memberships.count, missing)
        state.withLock {
            $0.comparisons.append(
                .init(
                    name: "memberships", expected: String(count), found: String(count - bad)))
        }
    }

    /// The content of a materialised view, which the target has computed anew. Where it is another,
    /// the source's was older than its tables, or the view depends on more than these: the view is as
    /// defined, its content is told.
    func compareView(_ place: Int, _ stored: StoredDatabase) throws(Failure) {
        let view = stored.views[place]
        let found: MultisetDigest
        do throws(Failure) {
            found = try comparer(stored).digest(of: [
                MaterializedView.copy(view.qualified, view.columns, encoding: stored.encoding)
            ])
        } catch {
            // Missing or empty views are told by the objects.
            if error.code == .cancelled || error.code == .databaseUnreachable { throw error }
            return
        }
        if found != view.digest {
            target.note(
                shortfall: "materialized view \(view.qualified)",
                "its content was computed from the tables as they are, \(counted(found.count, "row")); the "
                    + "source's, \(counted(view.digest.count, "row")), was older or depends on more than tables"
            )
        }
    }
}

extension SQLStatement {
    /// The schema that the statement makes or changes, as `pg_identify_object` writes it; what is only
    /// granted on one adds to it.
    var changedSchema: String? {
        let place: Int?
        if begins("CREATE", "SCHEMA") || begins("ALTER", "SCHEMA") {
            place = 2
        } else if begins("COMMENT", "ON", "SCHEMA") {
            place = 3
        } else if word(0) == "REVOKE" {
            place = outer.first { word($0 - 1) == "SCHEMA" && word($0 - 2) == "ON" }
        } else {
            place = nil
        }
        return place.flatMap { name($0) }?.nameAsPrinted
    }

    /// Who becomes a member of whom by a GRANT.
    var membership: (role: String, member: String, isAdmin: Bool)? {
        let outer = outer
        guard word(0) == "GRANT", !outer.contains(where: { word($0) == "ON" }),
            let mark = outer.first(where: { word($0) == "TO" }), let role = name(1),
            let member = name(mark + 1)
        else { return nil }
        let isAdmin = outer.contains {
            word($0) == "ADMIN" && ["OPTION", "TRUE"].contains(word($0 + 1))
        }
        return (role, member, isAdmin)
    }
}
