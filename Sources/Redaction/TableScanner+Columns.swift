/// Tables that say themselves what their columns are, and files of two lines.
extension TableScanner {
    /// `login,password,service` in the first line: what stands in the column of a secret is one.
    ///
    /// False where the first line is none of names, or names no secret.
    mutating func columns() -> Bool {
        let head = bytes.trimmed(0..<bytes.endOfLine(0))
        guard let mark = [0x09, 0x3b, 0x2c, 0x7c].first(where: { bytes[head].contains($0) }) else {
            return false
        }
        let names = cells(head, by: mark)
        guard names.count >= 2,
            names.allSatisfy({ (1...64).contains($0.count) && bytes[$0].first?.isDigit == false })
        else { return false }
        var secrets: [(place: Int, secretClass: SecretClass)] = []
        for (place, name) in names.enumerated() {
            if case .secret(let secretClass) = KeyName(bytes[name]).sensitivity {
                secrets.append((place, secretClass))
            }
        }
        guard !secrets.isEmpty else { return false }
        var isHead = true
        forEachLine { scanner, line in
            if isHead {
                isHead = false
                return
            }
            let cells = scanner.cells(line, by: mark)
            for secret in secrets where secret.place < cells.count {
                for (part, secretClass) in Value.secrets(
                    in: cells[secret.place], of: scanner.bytes, .secret(secret.secretClass))
                { scanner.add(part, secretClass) }
            }
        }
        // Other columns may hold addresses with passwords: the file is read by its lines as well.
        return false
    }

    /// The cells of a line, without their quotes; a mark between quotes is none.
    private func cells(_ line: Range<Int>, by mark: UInt8) -> [Range<Int>] {
        var cells: [Range<Int>] = []
        var start = line.lowerBound
        var position = start
        func close() {
            let cell = bytes.trimmed(start..<min(position, line.upperBound))
            cells.append(
                Quoted(at: cell.lowerBound, of: bytes, lineEnd: cell.upperBound, mayBreak: false)?
                    .inner ?? cell)
        }
        while position < line.upperBound, cells.count < 256 {
            if bytes[position] == 0x22,
                let quoted = Quoted(
                    at: position, of: bytes, lineEnd: line.upperBound, mayBreak: false)
            {
                position = quoted.end
                continue
            }
            if bytes[position] == mark {
                close()
                start = position + 1
            }
            position += 1
        }
        close()
        return cells
    }

    /// A user's name in one line and the password in the next, as OpenVPN and vsftpd read them.
    mutating func pairsOfLines(_ table: FileTable) -> Bool {
        var lines: [Range<Int>] = []
        var position = 0
        while position < bytes.count {
            let end = bytes.endOfLine(position)
            let line = bytes.trimmed(position..<end)
            if !line.isEmpty { lines.append(line) }
            position = end + 1
        }
        guard table == .alternating || lines.count == 2, lines.count % 2 == 0,
            lines.allSatisfy({ bytes[$0].allSatisfy { !$0.isSpace && $0 != 0x3d } })
        else { return false }
        for index in stride(from: 1, to: lines.count, by: 2) { add(lines[index], .password) }
        return true
    }
}
