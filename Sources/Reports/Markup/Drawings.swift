/// Drawings as functions of numbers. They hold no text, so they may be stretched to any width; what
/// they show stands beside them, and in their titles for those who do not see them.
enum Drawing {
    private static let width = 960.0

    /// A bar for the whole, and a darker one for a part of it. Both are shares of the widest, 0 … 1.
    static func bars(whole: Double, part: Double, title: String) -> HTML {
        strip(title) {
            element(
                .rect, .class("fill-soft"), .x(0), .y(1), .width(width * bounded(whole)),
                .height(16))
            element(
                .rect, .class("fill"), .x(0), .y(5), .width(width * bounded(part)), .height(8))
        }
    }

    /// When something was active: where it began and ended, and how much in each bin.
    static func activity(
        from: Double, to: Double, load: [Double], pauses: [(from: Double, to: Double)],
        title: String
    ) -> HTML {
        let most = load.max() ?? 0
        let bin = width / Double(max(1, load.count))
        return strip(title) {
            for pause in pauses {
                element(
                    .rect, .class("fill-pause"), .opacity(0.5), .x(width * bounded(pause.from)),
                    .y(0),
                    .width(max(1, width * (bounded(pause.to) - bounded(pause.from)))), .height(18))
            }
            element(
                .rect, .class("fill-base"), .x(width * bounded(from)), .y(7),
                .width(max(2, width * (bounded(to) - bounded(from)))), .height(4))
            for (place, amount) in load.enumerated() where amount > 0 && most > 0 {
                element(
                    .rect, .class("fill"), .opacity(0.35 + 0.65 * amount / most),
                    .x(Double(place) * bin), .y(2), .width(bin), .height(14))
            }
        }
    }

    /// A range on a scale, with the part that went by in another tone.
    static func range(from: Double, to: Double, title: String) -> HTML {
        strip(title) {
            element(
                .rect, .class("fill"), .x(width * bounded(from)), .y(3),
                .width(max(3, width * (bounded(to) - bounded(from)))), .height(12))
        }
    }

    /// Values over time as an area, with a line at their mean.
    static func area(
        _ values: [Double], mean: Double, pauses: [(from: Double, to: Double)], title: String,
        description: String, id: String
    ) -> HTML {
        let height = 120.0
        let most = max(values.max() ?? 0, mean) * 1.08
        guard most > 0, values.count > 1 else { return .empty }
        func y(_ value: Double) -> Double { height - value / most * height }
        let step = width / Double(values.count)
        var line = "M0 \(Attribute.decimal(y(values[0])))"
        for (place, value) in values.enumerated() {
            line +=
                " L\(Attribute.decimal((Double(place) + 0.5) * step)) \(Attribute.decimal(y(value)))"
        }
        line += " L\(Attribute.decimal(width)) \(Attribute.decimal(y(values[values.count - 1])))"
        return element(
            .svg, .viewBox(width, height), .stretched, .role("img"), .labelledBy("\(id)-t \(id)-d")
        ) {
            element(.title, .id("\(id)-t")) { title }
            element(.desc, .id("\(id)-d")) { description }
            for pause in pauses {
                element(
                    .rect, .class("fill-pause"), .opacity(0.4), .x(width * bounded(pause.from)),
                    .y(0),
                    .width(max(1, width * (bounded(pause.to) - bounded(pause.from)))),
                    .height(height))
            }
            element(
                .path, .class("area"),
                .path(
                    "\(line) L\(Attribute.decimal(width)) \(Attribute.decimal(height)) L0 "
                        + "\(Attribute.decimal(height)) Z"))
            element(.path, .class("curve"), .path(line))
            element(
                .path, .class("mean"),
                .path("M0 \(Attribute.decimal(y(mean))) H\(Attribute.decimal(width))"))
        }
    }

    enum Icon: String {
        case check = "M4.5 12.5 l5 5 L19.5 7"
        case cross = "M6 6 L18 18 M18 6 L6 18"
        case exclamation = "M12 4 L21.5 20 H2.5 Z M12 10.5 v4.2 M12 17.2 v.2"
        case question =
            "M12 2.6 a9.4 9.4 0 1 0 .01 0 M9.4 9.3 a2.7 2.7 0 1 1 4 2.4 c-1 .6 -1.4 1.1 -1.4 2.1 M12 16.9 v.2"
        case dash = "M6 12 H18"
        case clock = "M12 3.5 a8.5 8.5 0 1 0 .01 0 M12 7.5 V12 l3 2.2"
    }

    /// A sign beside a word that says the same; those who do not see it miss nothing.
    static func icon(_ icon: Icon) -> HTML {
        element(.svg, .class("icon"), .viewBox(24, 24), .hidden) {
            element(.path, .path(icon.rawValue))
        }
    }

    /// A mark of a legend, as it stands on a track.
    static func mark(_ kind: String) -> HTML {
        element(.span, .class("track legend-track"), .hidden) { HTML(.i, [.class(kind)], .empty) }
    }

    /// A colour of a legend.
    static func swatch(_ fill: String) -> HTML {
        element(.svg, .class("swatch"), .viewBox(12, 10), .hidden) {
            element(.rect, .class(fill), .x(0), .y(0), .width(12), .height(10))
        }
    }

    private static func strip(_ title: String, @HTMLBuilder content: () -> HTML) -> HTML {
        element(.svg, .class("strip"), .viewBox(width, 18), .stretched, .role("img"), .label(title))
        {
            element(.title) { title }
            content()
        }
    }

    private static func bounded(_ share: Double) -> Double {
        share.isFinite ? min(1, max(0, share)) : 0
    }
}
