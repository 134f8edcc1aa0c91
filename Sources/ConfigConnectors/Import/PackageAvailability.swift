import Basics

/// What the machine's apt can get of the packages that the source had.
enum PackageAvailability {
    /// Packages that are missing or of another version on the machine.
    static func check(
        _ comparison: FactsComparison, _ machine: Machine
    ) throws(Failure) -> [MachineDifferences.Package] {
        var wanted: [(name: String, version: String, installed: String?)] = []
        for item in comparison.differing + comparison.onlyHere where item.name.hasPrefix("dpkg/") {
            guard let version = item.here?["version"]?.string,
                item.here?["status"]?.string == "installed",
                item.there?["version"]?.string != version
            else { continue }
            wanted.append(
                (String(item.name.dropFirst(5)), version, item.there?["version"]?.string))
        }
        wanted.sort { $0.name < $1.name }
        let versions = try versions(of: wanted.map(\.name), machine)
        return wanted.map { package in
            .init(
                name: package.name, wanted: package.version, installed: package.installed,
                available: versions.map { $0[package.name] ?? [] })
        }
    }

    /// nil where apt cannot be asked.
    private static func versions(
        of names: [String], _ machine: Machine
    ) throws(Failure) -> [String: [String]]? {
        guard !names.isEmpty else { return [:] }
        guard let lists = try? machine.names("/var/lib/apt/lists"),
            lists.contains(where: { $0.contains("_Packages") })
        else { return nil }
        var found: [String: [String]] = [:]
        var place = 0
        while place < names.count {
            let batch = names[place..<min(place + 500, names.count)]
            place += batch.count
            let queries = batch.map { $0.hasSuffix(":all") ? String($0.dropLast(4)) : $0 }
            let output: [UInt8]?
            do throws(Failure) {
                // Of names that it does not know it speaks on standard error alone.
                output = try machine.output(
                    "apt-cache", machine.aptOptions + ["madison", "--"] + queries)
            } catch {
                if error.code == .cancelled { throw error }
                return nil
            }
            guard let output else { return nil }
            let versions = madison(String(decoding: output, as: UTF8.self))
            for name in batch {
                let plain = String(name.prefix { $0 != ":" })
                found[name] = versions[name] ?? versions[plain] ?? []
            }
        }
        return found
    }

    /// Lines of `name | version | where`.
    static func madison(_ text: String) -> [String: [String]] {
        var found: [String: [String]] = [:]
        for line in Text.lines(text) {
            let fields = line.split(separator: "|").map { Text.trimmed($0) }
            guard fields.count >= 3, fields[2].hasSuffix("Packages") else { continue }
            if found[fields[0]]?.contains(fields[1]) != true {
                found[fields[0], default: []].append(fields[1])
            }
        }
        return found
    }
}
