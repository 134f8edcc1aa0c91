/// Times in brackets behind other words, as logs of accesses have them.
extension TextCursor {
    mutating func access() -> TextTime? {
        let start = position
        if let time = firewallTime() { return time }
        position = start
        var searched = position
        while searched - start < 1024 {
            position = searched
            guard let bracket = find(0x5b, within: 1024 - (searched - start)) else { return nil }
            position = bracket + 1
            if let time = accessTime() { return time }
            // uWSGI writes asctime(3) there.
            position = bracket + 1
            if isLetter(byte), let time = apacheError() { return time }
            searched = bracket + 1
        }
        return nil
    }

    private mutating func accessTime() -> TextTime? {
        guard let day = digits(2), take(0x2f) else { return nil }
        // Proxmox writes the month as a number, and a colon behind the year.
        let isNumber = byte &- 0x30 < 10
        guard let month = isNumber ? digits(2) : month(), take(0x2f), let year = digits(4),
            take(0x3a) || !isNumber && take(0x20), let time = finish(year, month, day)
        else { return nil }
        return time
    }

    /// `100 6 tap100i0-IN 27/Nov/2026:10:00:00 +0100 …` of the firewall of Proxmox.
    private mutating func firewallTime() -> TextTime? {
        for _ in 0..<2 {
            guard byte &- 0x30 < 10 else { return nil }
            while byte &- 0x30 < 10 { position += 1 }
            guard take(0x20) else { return nil }
        }
        guard let blank = find(0x20, within: 64) else { return nil }
        position = blank + 1
        return accessTime()
    }
}
