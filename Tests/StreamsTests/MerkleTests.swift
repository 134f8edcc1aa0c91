import Basics
import Primitives
import Testing

@Suite struct MerkleTests {
    /// The definition of RFC 6962, section 2.1, word for word.
    func reference(_ leaves: ArraySlice<Digest256>) -> Digest256 {
        if leaves.isEmpty { return SHA256.hash([]) }
        if leaves.count == 1 { return leaves[leaves.startIndex] }
        var half = 1
        while half * 2 < leaves.count { half *= 2 }
        let middle = leaves.startIndex + half
        return SHA256.hash(
            [1] + reference(leaves[..<middle]).bytes + reference(leaves[middle...]).bytes)
    }

    @Test func anySplitIntoRangesGivesTheRootOfTheDefinition() {
        for count in 0...40 {
            let leaves = (0..<count).map { MerkleRange.leaf([UInt8($0)]) }
            let expected = reference(leaves[...])
            for cut in 0...count {
                var left = MerkleRange(start: 0)
                leaves[..<cut].forEach { left.append(leaf: $0) }
                var right = MerkleRange(start: Int64(cut))
                leaves[cut...].forEach { right.append(leaf: $0) }
                left.append(right)
                #expect(left.root == expected)
            }
        }
    }

    @Test func zerosCostNothingAndCountTheSame() {
        let zero = MerkleRange.leaf([UInt8](repeating: 0, count: 1 << 20))
        for (before, zeros) in [(0, 5), (3, 13), (7, 1), (1, 64)] {
            var quick = MerkleRange()
            var slow = MerkleRange()
            for index in 0..<before {
                quick.append(leaf: MerkleRange.leaf([UInt8(index)]))
                slow.append(leaf: MerkleRange.leaf([UInt8(index)]))
            }
            TreeDigest.append(zeroLeaves: Int64(zeros), to: &quick)
            for _ in 0..<zeros { slow.append(leaf: zero) }
            #expect(quick.root == slow.root)
        }
    }
}
