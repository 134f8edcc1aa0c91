import Testing

@testable import Plans
