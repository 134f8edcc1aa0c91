/// Decompresses the block form of LZ4 (lz4_Block_format.md), which older journals use.
enum LZ4Block {
    /// The length of what came out; nil where the block is damaged or longer than the buffer.
    static func decompress(
        _ block: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        var input = 0
        var output = 0

        /// What follows four bits that are all set: bytes that add up, the last below 255.
        func extended(_ start: Int) -> Int? {
            var length = start
            guard start == 15 else { return length }
            while input < block.count {
                let byte = unsafe Int(block[input])
                input += 1
                length += byte
                if byte < 255 { return length }
            }
            return nil
        }

        while input < block.count {
            let token = unsafe Int(block[input])
            input += 1
            guard let literals = extended(token >> 4), literals <= block.count - input,
                literals <= buffer.count - output
            else { return nil }
            for index in 0..<literals {
                unsafe buffer[output + index] = block[input + index]
            }
            input += literals
            output += literals
            // The last sequence has no match.
            if input == block.count { return output }
            guard block.count - input >= 2 else { return nil }
            let distance = unsafe Int(block[input]) | Int(block[input + 1]) << 8
            input += 2
            guard let more = extended(token & 15), distance > 0, distance <= output,
                more + 4 <= buffer.count - output
            else { return nil }
            for _ in 0..<more + 4 {
                unsafe buffer[output] = buffer[output - distance]
                output += 1
            }
        }
        return nil
    }
}
