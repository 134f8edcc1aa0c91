extension Failure.Code {
    /// The code as a word for people and scripts: `planUnknownKey` is "plan-unknown-key".
    public var word: String {
        var word = ""
        var afterCapital = true
        for character in String(describing: self) {
            let isCapital = character.isUppercase
            if isCapital, !afterCapital { word += "-" }
            word += character.lowercased()
            afterCapital = isCapital
        }
        return word
    }
}
