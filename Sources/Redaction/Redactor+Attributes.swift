extension Redactor {
    /// The value of an extended attribute. What it holds need not be what its file holds: it is read like the
    /// file, then like a text anywhere, and then as what stands under the attribute's name.
    ///
    /// - Parameters:
    ///   - name: of the attribute, such as `user.password`.
    ///   - path: of the file that has it, as for `redact(path:content:)`.
    public func redact(attribute name: [UInt8], value: [UInt8], path: [UInt8]) -> RedactionResult {
        let label = name.dropFirst(name.starts(with: "user.".utf8) ? 5 : 0)
        let head = label.map { $0.isWordOrDash || $0 == 0x2e ? $0 : 0x5f } + [0x3d]
        var result = redact(path: path, content: value)
        // An attribute without a value says nothing, and what has gone as a whole has nothing left.
        guard !value.isEmpty, !result.isOpaqueSecret else { return result }
        for (path, head) in [(Redactor.anywhere, []), (Redactor.settings, head)] {
            let next = redact(path: path, content: head + result.content)
            guard !next.findings.isEmpty else { continue }
            let isWhole = next.isOpaqueSecret || !next.content.starts(with: head)
            // Where nothing is taken out, the next look finds the same again.
            let known = mode == .sealed ? result.findings : []
            let findings = next.findings.map { $0.line == 1 ? $0.moved(by: -head.count) : $0 }
                .filter { finding in
                    !known.contains { ($0.line, $0.column) == (finding.line, finding.column) }
                }
            result = RedactionResult(
                content: isWhole ? next.content : Array(next.content.dropFirst(head.count)),
                findings: result.findings + findings, isOpaqueSecret: next.isOpaqueSecret,
                isChanged: result.isChanged || next.isChanged)
            if isWhole { return result }
        }
        return result
    }

    private static let anywhere = Array("/attribute".utf8)
    private static let settings = Array("/attribute.conf".utf8)
}
