import Basics
import Testing

@Suite struct PartitioningTests {
    @Test func everyPlaceOfTheBorderIsFound() {
        for length in 0...9 {
            for border in 0...length {
                let numbers = Array(0..<length)
                #expect(numbers.partitioningIndex { $0 >= border } == border)
                // A slice's indices do not begin at 0.
                #expect(numbers[(border / 2)...].partitioningIndex { $0 >= border } == border)
            }
        }
    }
}
