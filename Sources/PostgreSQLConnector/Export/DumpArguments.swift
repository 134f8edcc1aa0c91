/// What pg_dump is asked for.
enum DumpArguments {
    static func section(_ section: String, snapshot: String, _ selection: Selection) -> [String] {
        // Large objects, and subscriptions, are not its business here.
        var arguments = [
            "--section=" + section, "--snapshot=" + snapshot, "--encoding=UTF8", "--verbose",
            "--no-blobs", "--no-subscriptions", "--lock-wait-timeout=60000",
        ]
        for schema in selection.excludedSchemas.sorted() {
            arguments.append("--exclude-schema=" + Quoting.name(schema))
        }
        for relation in selection.excludedRelations
        where !selection.excludedSchemas.contains(relation.schema) {
            arguments.append("--exclude-table=" + relation.quoted)
        }
        return arguments
    }
}
