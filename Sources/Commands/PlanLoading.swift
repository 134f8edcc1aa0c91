import Basics
import Connectors
import Glibc
import Plans

/// Reads plans with what all connectors know.
enum PlanLoading {
    static func export(_ path: String) throws(Failure) -> ExportPlan {
        try ExportPlan.load(
            path: path, kinds: AllConnectors.exporters.map { $0.kind }, environment: environment
        ) { source, problems in
            AllConnectors.exporters.first { $0.kind == source.kind }?.check(source, problems)
        }
    }

    static func `import`(_ path: String) throws(Failure) -> ImportPlan {
        try ImportPlan.load(
            path: path, kinds: AllConnectors.importers.map { $0.kind }, environment: environment,
            checkSettings: check)
    }

    /// An import plan for a rehearsal, which need not name targets.
    static func rehearsal(_ path: String) throws(Failure) -> ImportPlan {
        try ImportPlan.load(
            path: path, kinds: AllConnectors.importers.map { $0.kind }, environment: environment,
            rehearsing: true, checkSettings: check)
    }

    /// The same for what the command line says.
    static func rehearsal(parsing bytes: [UInt8]) throws(Failure) -> ImportPlan {
        try ImportPlan(
            parsing: bytes, file: "the options", kinds: AllConnectors.importers.map { $0.kind },
            environment: environment, rehearsing: true, checkSettings: check)
    }

    private static func check(_ target: TargetPlan, _ problems: PlanProblems) {
        AllConnectors.importers.first { $0.kind == target.kind }?.check(target, problems)
    }

    /// The variables of this process, for `${env:NAME}`.
    private static var environment: [String: String] {
        var variables: [String: String] = [:]
        var pointer = unsafe environ
        while let entry = unsafe pointer.pointee {
            let text = unsafe String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            unsafe pointer += 1
        }
        return variables
    }
}
