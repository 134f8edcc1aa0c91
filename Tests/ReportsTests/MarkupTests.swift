import Basics
import Testing

@testable import Reports

@Suite struct MarkupTests {
    @Test func whatComesFromOutsideNeverBecomesMarkup() {
        let hostile = "<script>alert('x')</script>&\"<b>"
        let html = element(.p, .tip(hostile)) { HTML.name(hostile) }
        #expect(!html.markup.contains("<script"))
        #expect(!html.markup.contains("<b>"))
        #expect(html.markup.contains("&lt;script&gt;"))
        #expect(html.markup.contains("&#39;x&#39;"))
        #expect(html.markup.hasPrefix("<p title=\"&lt;script&gt;"))
    }

    @Test(arguments: [
        "\u{202e}gpj.exe", "a\u{200b}b", "x\u{0}y", "\u{2067}", "\u{feff}", "\u{1b}[2J", "\u{2028}",
    ])
    func whatCannotBeSeenIsShownByItsNumber(_ text: String) {
        let markup = HTML(text).markup
        #expect(markup.contains("\\u{"))
        #expect(
            markup.unicodeScalars.allSatisfy {
                ![.control, .format, .lineSeparator].contains($0.properties.generalCategory)
            })
    }

    @Test func namesAreIsolatedAndMayBreak() {
        let markup = HTML.name("service/tres-long_nom.de.fichier-avec-beaucoup.txt").markup
        #expect(markup.hasPrefix("<bdi>"))
        #expect(markup.contains("service/<wbr>"))
    }

    @Test func aNameThatNobodyWouldReadIsCut() {
        let markup = HTML.name(String(repeating: "é", count: 5000)).markup
        #expect(markup.utf8.count < 1000)
        #expect(markup.contains("… (5000)"))
        // One character that is made of a thousand marks is no shorter.
        let marks = HTML.name("a" + String(repeating: "\u{301}", count: 5000)).markup
        #expect(marks.utf8.count < 1500)
    }

    @Test func aDocumentHasNoScriptAndLeadsNowhere() {
        let page = HTML.document(
            language: "fr", head: HTML(styleSheet: StyleSheet.text),
            body: element(.a, .to("here")) { "x" })
        #expect(page.contains("<a href=\"#here\">"))
        for forbidden in ["http:", "https:", "url(", "@import", "<script", "src="] {
            #expect(!page.contains(forbidden), "\(forbidden)")
        }
    }

    @Test func numbersOfDrawingsAreFinite() {
        #expect(Attribute.decimal(12.5) == "12.5")
        #expect(Attribute.decimal(12.05) == "12.05")
        #expect(Attribute.decimal(-0.25) == "-0.25")
        #expect(Attribute.decimal(.nan) == "0")
        #expect(Attribute.decimal(.infinity) == "0")
        let bars = Drawing.bars(whole: .nan, part: 7, title: "t").markup
        #expect(bars.contains("width=\"0\"") && bars.contains("width=\"960\""))
    }
}
