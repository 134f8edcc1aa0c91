import Testing

@testable import Bags
