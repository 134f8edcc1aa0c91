import Basics

// Typed values. Every reader returns nil after noting what is wrong; `$${` stands for `${`.
extension PlanNode {
    /// A text that is no secret. References to secrets are refused: what they stand for must not
    /// reach a name, a path or the manifest, nor change a plan behind the digest's back.
    public func string(_ problems: PlanProblems) -> String? {
        guard let text = written(problems) else { return nil }
        switch PlanReference.split(text) {
        case .failure(let problem):
            problems.add(.planInvalidValue, problem.message, at: self)
            return nil
        case .success(let pieces):
            var plain = ""
            for piece in pieces {
                guard case .text(let part) = piece else {
                    problems.add(
                        .planInvalidValue,
                        "\(name) is no secret and takes no reference; write \"$${\" for the characters",
                        at: self)
                    return nil
                }
                plain += part
            }
            return plain
        }
    }

    public func strings(_ problems: PlanProblems) -> [String]? {
        all(problems) { $0.string(problems) }
    }

    public func flag(_ problems: PlanProblems) -> Bool? {
        if case .text(let text, quoted: false) = content {
            switch text {
            case "true", "True", "TRUE": return true
            case "false", "False", "FALSE": return false
            default: break
            }
        }
        if !isRefused { problems.add(.planWrongType, "\(name) must be true or false", at: self) }
        return nil
    }

    public func integer(in range: ClosedRange<Int64>, _ problems: PlanProblems) -> Int64? {
        guard !isRefused else { return nil }
        guard case .text(let text, quoted: false) = content,
            let number = Int64(text), String(number) == text
        else {
            problems.add(.planWrongType, "\(name) must be a whole number", at: self)
            return nil
        }
        guard range.contains(number) else {
            problems.add(
                .planInvalidValue,
                "\(name) must be between \(range.lowerBound) and \(range.upperBound)", at: self)
            return nil
        }
        return number
    }

    public func choice(of words: [String], _ problems: PlanProblems) -> String? {
        guard let word = string(problems) else { return nil }
        if words.contains(word) { return word }
        let nearest = Nearest.to(word, among: words).map { ", did you mean \"\($0)\"?" } ?? ""
        problems.add(
            .planInvalidValue,
            "\(name) must be one of \(words.joined(separator: ", ")), not \"\(word)\"\(nearest)",
            at: self)
        return nil
    }

    /// The path as the program opens it: a relative one starts at the directory of the plan.
    public func path(_ problems: PlanProblems) -> String? {
        guard let text = string(problems) else { return nil }
        guard text != "~", !text.hasPrefix("~/") else {
            problems.add(
                .planInvalidValue, "\(name) begins with \"~\": write the whole path", at: self)
            return nil
        }
        return origin.resolve(text)
    }

    public func paths(_ problems: PlanProblems) -> [String]? {
        all(problems) { $0.path(problems) }
    }

    public func byteRate(_ problems: PlanProblems) -> Int64? {
        guard let text = string(problems) else { return nil }
        if let rate = ByteRate.parse(text) { return rate }
        problems.add(
            .planInvalidValue,
            "\(name) must be a rate such as 200MiB/s, 80MB/s or 400Mbit/s, not \"\(text)\"",
            at: self)
        return nil
    }

    /// The text of a scalar, never empty and without NUL.
    func written(_ problems: PlanProblems) -> String? {
        switch content {
        case .refused: return nil
        case .mapping, .sequence:
            wrongType("a text", problems)
            return nil
        case .text(let text, _):
            guard !isNull, !text.isEmpty else {
                problems.add(.planMissingValue, "\(name) is empty", at: self)
                return nil
            }
            guard !text.utf8.contains(0) else {
                problems.add(.planInvalidValue, "\(name) holds a NUL character", at: self)
                return nil
            }
            return text
        }
    }

    private func all<Value>(_ problems: PlanProblems, _ read: (PlanNode) -> Value?) -> [Value]? {
        guard let nodes = elements(problems) else { return nil }
        let values = nodes.compactMap(read)
        return values.count == nodes.count ? values : nil
    }
}

/// Bandwidths as people write them.
enum ByteRate {
    private static let units: [(String, Double)] = [
        ("B/s", 1), ("kB/s", 1e3), ("KB/s", 1e3), ("MB/s", 1e6), ("GB/s", 1e9),
        ("KiB/s", 1024), ("MiB/s", 1_048_576), ("GiB/s", 1_073_741_824),
        ("kbit/s", 125), ("Mbit/s", 125_000), ("Gbit/s", 125_000_000),
    ]

    /// Bytes per second, nil for what is no rate. Units are told apart by case: MB is 10⁶ bytes,
    /// MiB 2²⁰, Mbit 10⁶ bits.
    static func parse(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let factor = units.first(where: { $0.0 == unit })?.1,
            digits.first?.isNumber == true, digits.last?.isNumber == true,
            let number = Double(digits)
        else { return nil }
        let rate = (number * factor).rounded()
        return rate >= 1 && rate < 1e15 ? Int64(rate) : nil
    }
}
