import Basics

/// Times of X.680 in UTC.
enum DERTime {
    /// UTCTime (`YYMMDDhhmmssZ`, RFC 5280: years 1950 to 2049) or GeneralizedTime
    /// (`YYYYMMDDhhmmss[.f…]Z`); nil for anything else, and for days that do not exist.
    static func moment(tag: UInt8, _ content: [UInt8]) -> Timestamp? {
        var text = String(decoding: content, as: UTF8.self)
        guard content.allSatisfy({ $0 < 0x80 }), text.hasSuffix("Z") else { return nil }
        text.removeLast()
        var fraction = ""
        switch tag {
        case DERValue.utcTime:
            guard text.utf8.count == 12, let year = Int(text.prefix(2)) else { return nil }
            text = (year < 50 ? "20" : "19") + text
        case DERValue.generalizedTime:
            if let dot = text.firstIndex(of: ".") {
                let digits = text[text.index(after: dot)...]
                // DER has no zeros at the end of a fraction, and no fraction of nothing.
                guard (1...9).contains(digits.utf8.count), digits.last != "0" else { return nil }
                fraction = "." + digits
                text = String(text[..<dot])
            }
            guard text.utf8.count == 14 else { return nil }
        default: return nil
        }
        let digits = Array(text.utf8)
        func part(_ range: Range<Int>) -> String {
            String(decoding: digits[range], as: UTF8.self)
        }
        let day = "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))"
        let moment = Timestamp(
            "\(day)T\(part(8..<10)):\(part(10..<12)):\(part(12..<14))\(fraction)Z")
        return moment?.date == day ? moment : nil
    }
}
