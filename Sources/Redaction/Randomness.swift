/// How little a word looks like one of a language.
///
/// Keys, tokens and generated passwords are random; names are not. Each character costs as many bits as it surprises
/// after the one before: a table of letter pairs, counted over English and French manuals and code, gives
/// those within words. Over 16 characters, 99 in 100 random ones cost more than 4.95 bits for each, and hardly any name does.
enum Randomness {
    /// Row: the first letter of a pair; column: the second. Bits, rounded.
    private static let pairs: [[UInt8]] = Redaction.bytes(of: [
        "75447758596353859343567768",
        "35553668368367469446488667",
        "37563683594468269563578879",
        "45552667278567479446577969",
        "46435568698453757334767568",
        "46553379299466379445498869",
        "46562655499454459345477878",
        "28762888397666378465486969",
        "54455559997452469544859696",
        "26563766476656367656386989",
        "36762756397566469535586968",
        "37752789297378379855579948",
        "25662888397658339856589879",
        "48433537496675478733568978",
        "66457657686442549345455888",
        "38673775497476349354588869",
        "67676788499566778566168799",
        "37552768396655369544578959",
        "48473774396667448742477959",
        "38662784298668479345587857",
        "54554658497443749333889698",
        "38671778299657469656889889",
        "27653684397574379446787999",
        "47353566397557638653667578",
        "46564767497444538534576876",
        "37761765377566489757678955",
    ])

    /// Bits for each character of a word in tenths, between about 35 and 65.
    static func tenths(of word: ArraySlice<UInt8>) -> Int {
        guard !word.isEmpty else { return 0 }
        var sum = 0
        var previous: UInt8?
        for byte in word {
            sum += cost(of: byte, after: previous)
            previous = byte
        }
        return sum / word.count
    }

    private static func cost(of byte: UInt8, after previous: UInt8?) -> Int {
        if byte.isLetter {
            guard let previous else { return 50 }
            if previous.isLetter, previous.isUpper || byte.isLower {
                return Int(pairs[Int(previous.lowered - 0x61)][Int(byte.lowered - 0x61)] - 0x30)
                    * 10
            }
            return previous.isLetter ? 62 : previous.isDigit ? 70 : 50
        }
        if byte.isDigit {
            guard let previous, !previous.isDigit else { return previous == nil ? 43 : 33 }
            return previous.isLetter ? 58 : 43
        }
        switch byte {
        case 0x2d, 0x2e, 0x2f, 0x3a, 0x5f, 0x20: return 20
        default: return 60
        }
    }

    /// Whether a word of at least 16 characters is most likely drawn at random.
    static func isRandom(_ word: ArraySlice<UInt8>) -> Bool {
        guard word.count >= 16, isMixed(word) else { return false }
        return tenths(of: word) >= 50
    }

    /// Whether a word may be a secret where its name speaks of one: less is asked than of a word anywhere.
    static func isOdd(_ word: ArraySlice<UInt8>) -> Bool {
        guard word.count >= 6 else { return false }
        return isHexKey(word) || tenths(of: word) >= 48 && word.contains { !$0.isLower }
    }

    /// Digits and letters of hexadecimal numbers, both of them, 128 bits or more.
    static func isHexKey(_ word: ArraySlice<UInt8>) -> Bool {
        word.count >= 32 && word.allSatisfy(\.isHex) && word.contains(where: \.isLetter)
            && word.contains(where: \.isDigit)
    }

    /// Letters with at least one of: digits, both cases; and not the same few characters again and again.
    private static func isMixed(_ word: ArraySlice<UInt8>) -> Bool {
        var (lower, upper, digits) = (0, 0, 0)
        var seen: (UInt64, UInt64) = (0, 0)
        for byte in word {
            if byte.isLower { lower += 1 } else if byte.isUpper { upper += 1 }
            if byte.isDigit { digits += 1 }
            if byte < 64 { seen.0 |= 1 << UInt64(byte) } else { seen.1 |= 1 << UInt64(byte & 63) }
        }
        guard lower + upper > 0, digits > 0 || lower > 0 && upper > 0 else { return false }
        return seen.0.nonzeroBitCount + seen.1.nonzeroBitCount >= 8
    }
}
