import Basics

@testable import Plans

/// Plans for tests, and short ways to parse them.
enum Samples {
    static let export = """
        exeat: 1
        run:
          purpose: end-of-contract
          contract: E26-01/0042
          provider: { name: Hébergeur SA }
          customer: { name: CH de Valmont }
        sources:
          partage:
            kind: files
            path: shares/partage
            exclude: { paths: ["*.tmp"], reason: "temporary files" }
            accept: [ sockets ]
            limits: { bandwidth: 10MB/s }
          etc: { kind: files, path: /etc, devices: true }
        archive:
          name: ch-valmont-20261123
          compression: { level: 7, long: true }
          encrypt-to: [ age1abc, age1def ]
          sign-with: keys/hebergeur
          timestamp: { url: https://tsa.example/tsr, ca: tsa-ca.pem }
          manifests: [ sha512, sha256 ]
        limits: { workers: 4, bandwidth: 200MiB/s }

        """

    static let `import` = """
        exeat: 1
        trust: [ keys/a.trust.json, /etc/exeat/b.trust.json ]
        decrypt-with: keys/valmont.agekey
        sign-with: keys/valmont
        targets:
          partage: { kind: files, path: /srv/import, map: { owners: numeric }, existing: add }
        verify: counts

        """

    /// The keys a stand-in for the files connector knows.
    static let settings = PlanShape(required: ["path"], optional: ["devices", "password"])

    static func parseExport(
        _ text: String, file: String = "plans/plan.yaml", environment: [String: String] = [:]
    ) throws(Failure) -> ExportPlan {
        try ExportPlan(
            parsing: Array(text.utf8), file: file,
            kinds: ["files", "postgresql", "mariadb", "proxmox"],
            environment: environment
        ) { source, problems in
            let fields = source.settings.mapping(settings, problems)
            _ = fields?.path("path")
            _ = fields?.flag("devices")
            _ = fields?.secret("password")
        }
    }

    static func parseImport(_ text: String) throws(Failure) -> ImportPlan {
        try ImportPlan(
            parsing: Array(text.utf8), file: "import.yaml", kinds: ["files"], environment: [:]
        ) { _, _ in }
    }

    /// What the plan is refused with.
    static func problems(_ text: String) -> Failure? {
        do throws(Failure) { _ = try parseExport(text) } catch { return error }
        return nil
    }

    /// A node as a connector gets it, with the problems found so far.
    static func node(
        _ text: String, file: String = "plan.yaml", environment: [String: String] = [:]
    ) -> (PlanNode?, PlanProblems) {
        let problems = PlanProblems()
        let origin = PlanOrigin(file: file) { environment[$0] }
        return (PlanParser.parse(Array(text.utf8), origin, problems), problems)
    }
}

extension String {
    func replacing(_ part: String, with other: String) -> String {
        guard let range = firstRange(of: part) else { return self }
        return replacingSubrange(range, with: other)
    }

    private func firstRange(of part: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(part) {
                return start..<index(start, offsetBy: part.count)
            }
            start = index(after: start)
        }
        return nil
    }

    private func replacingSubrange(_ range: Range<Index>, with other: String) -> String {
        self[..<range.lowerBound] + other + self[range.upperBound...]
    }
}
