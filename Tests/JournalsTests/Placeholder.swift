import Testing

@testable import Journals
