import Basics
public import Connectors
public import Primitives

/// Counts tables and rows that are as they should be: one line for all that are equal, and one for each
/// table that is not.
public struct TableTally: Sendable {
    private var unequal: [ImportResult.Comparison] = []
    private var tables = 0
    private var rows: (expected: Int64, found: Int64) = (0, 0)

    public init() {}

    /// - Parameter found: nil where there is no such table.
    /// - Returns: what a person reads of the difference; nil where there is none.
    public mutating func add(
        _ title: String, expected: MultisetDigest, found: MultisetDigest?
    ) -> String? {
        tables += 1
        rows = (rows.expected + expected.count, rows.found + (found?.count ?? 0))
        if found == expected { return nil }
        unequal.append(
            .init(
                "rows", of: .init("table", title),
                expected: "\(expected.count) \(expected.sum.hex)",
                found: found.map { "\($0.count) \($0.sum.hex)" } ?? "missing"))
        return found.map { "\($0.count) rows, not the same" } ?? "missing"
    }

    /// Tables that are not equal; both sides of the first of them are worth reading again.
    public var unequalCount: Int { unequal.count }

    public var comparisons: [ImportResult.Comparison] {
        [
            .init(name: "tables", expected: String(tables), found: String(tables - unequal.count)),
            .init(name: "rows", expected: String(rows.expected), found: String(rows.found)),
        ] + unequal
    }
}
