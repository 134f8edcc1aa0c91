/// How a report looks: on screens of any width, by day and night, and on paper.
///
/// Colours keep a contrast of 4.5 : 1 for text (WCAG 2.2, AA), and never carry a meaning alone.
enum StyleSheet {
    static let text: StaticString = """
        :root{color-scheme:light dark;--paper:#f7f6f2;--card:#fff;--ink:#1b2530;--soft:#4f5b67;
        --line:#d8d9d4;--rule:#b9bdbb;--accent:#1d4a75;--wash:#eef3f8;--bar:#2c6aa0;--bar-soft:#a9c6df;
        --good:#11613a;--good-wash:#e5f2e9;--warn:#764700;--warn-wash:#fbf0da;--bad:#981b1b;
        --bad-wash:#fbe8e6;--none:#4f5b67;--none-wash:#eceeed;--pause:#c9a55a}
        @media (prefers-color-scheme:dark){:root{--paper:#11161b;--card:#1a2128;--ink:#e7eaed;
        --soft:#aab5c0;--line:#333d47;--rule:#4b5763;--accent:#9cc5ec;--wash:#1f2a36;--bar:#6aa9dd;
        --bar-soft:#34587a;--good:#86d6a6;--good-wash:#173325;--warn:#ecc374;--warn-wash:#3a2d12;
        --bad:#f5a39b;--bad-wash:#401d1b;--none:#aab5c0;--none-wash:#28313a;--pause:#8a6f33}}
        *{box-sizing:border-box}
        html{font-size:100%;-webkit-text-size-adjust:100%;scroll-padding-top:1rem}
        body{margin:0;background:var(--paper);color:var(--ink);line-height:1.5;
        font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif}
        h1,h2,h3,.word,.figure .big{font-family:"Iowan Old Style","Palatino Linotype",Palatino,"Book Antiqua",
        Georgia,"Noto Serif","Liberation Serif","Times New Roman",serif;font-weight:600;line-height:1.2;
        text-wrap:balance}
        h1{font-size:clamp(1.6rem,1.1rem + 2.4vw,2.5rem);margin:.1em 0 .25em}
        h2{font-size:1.5rem;margin:0 0 .75rem;padding-bottom:.35rem;border-bottom:2px solid var(--accent)}
        h3{font-size:1.15rem;margin:1.75rem 0 .5rem}
        h4{font-size:.95rem;margin:1.1rem 0 .3rem}
        p{margin:.4rem 0 .8rem;max-width:75ch}
        a{color:var(--accent)}
        a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:3px solid var(--bar);
        outline-offset:2px}
        .skip{position:absolute;left:-99rem}
        .skip:focus{left:.5rem;top:.5rem;background:var(--card);padding:.5rem 1rem;z-index:1}
        .frame{max-width:76rem;margin:0 auto;padding:1.5rem 1.25rem 3rem;display:grid;gap:0 2.5rem;
        grid-template-columns:12.5rem minmax(0,1fr)}
        .top{grid-column:1/-1;margin-bottom:1.1rem}
        .over{margin:0;color:var(--accent);font-size:.8rem;font-weight:600;letter-spacing:.09em;
        text-transform:uppercase}
        .under{margin:0;color:var(--soft);max-width:none}
        nav{align-self:start;position:sticky;top:1.25rem;font-size:.875rem}
        nav h2{font-size:.8rem;border:0;margin:0 0 .35rem;padding:0;color:var(--soft);
        font-family:inherit;letter-spacing:.06em;text-transform:uppercase}
        nav ol{list-style:none;margin:0;padding:0;border-left:2px solid var(--line)}
        nav a{display:block;padding:.3rem .75rem;color:var(--ink);text-decoration:none;line-height:1.3}
        nav a:hover{background:var(--wash);color:var(--accent);text-decoration:underline}
        main>section{background:var(--card);border:1px solid var(--line);border-radius:6px;
        padding:1.4rem 1.5rem;margin-bottom:1.25rem}
        bdi,code{overflow-wrap:anywhere}
        code,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace}
        code{font-size:.82em}
        .note{color:var(--soft);font-size:.875rem}
        .icon{flex:none;width:1.1em;height:1.1em;vertical-align:-.18em;fill:none;stroke:currentColor;
        stroke-width:2.2;stroke-linecap:round;stroke-linejoin:round}
        .state{font-weight:600;font-size:.875em}
        .good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}.none{color:var(--none)}
        .verdict{display:flex;gap:1.1rem;align-items:flex-start;border-left:8px solid currentColor;
        border-radius:4px;padding:1rem 1.2rem;margin-bottom:1.1rem}
        .verdict.good{background:var(--good-wash)}.verdict.warn{background:var(--warn-wash)}
        .verdict.bad{background:var(--bad-wash)}.verdict.none{background:var(--none-wash)}
        .verdict .icon{width:3.1rem;height:3.1rem;stroke-width:1.7}
        .verdict p,.verdict ul{color:var(--ink)}
        .verdict p:last-child,.verdict ul:last-child{margin-bottom:0}
        .word{font-size:1.75rem;margin:0;padding:0;border:0}
        .short,.short bdi{white-space:nowrap}
        .verdict ul{margin:.3rem 0 0;padding-left:1.2rem}
        .verdict li{margin:.15rem 0}
        .notice{border:1px solid currentColor;border-radius:4px;padding:.6rem .9rem;max-width:none}
        .figures{list-style:none;padding:0;display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:1px;
        border:1px solid var(--line);border-radius:4px;margin:0 0 1.2rem;overflow:hidden}
        .figure{box-shadow:0 0 0 1px var(--line);padding:.7rem .85rem}
        .figure .term{font-size:.8rem;color:var(--soft);display:block}
        .figure .big{display:block;font-size:1.4rem;white-space:nowrap}
        .figure .small{color:var(--soft);font-size:.8rem;display:block;line-height:1.35}
        .chain{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.9rem 0}
        .chain{column-gap:.3rem}.chain li{flex:1 1 6.8rem;padding:.55rem .6rem 0 0;border-top:3px solid currentColor;font-size:.85rem}
        .chain li.missing{border-top-style:dashed}
        .chain strong{display:block;color:var(--ink);font-size:.95rem;line-height:1.3}
        .chain span{color:var(--soft);display:block;line-height:1.35}
        .chain span.state{color:inherit;white-space:normal;margin-top:.15rem}
        .facts{display:grid;grid-template-columns:minmax(9rem,max-content) minmax(0,1fr);gap:.35rem 1.4rem;
        margin:0 0 .9rem}
        .facts dt{color:var(--soft)}
        .facts dd{margin:0;overflow-wrap:anywhere}
        .scroll{overflow-x:auto;margin:0 0 1rem;container-type:inline-size}
        caption span{display:inline-block;position:sticky;left:0;max-width:100cqi}
        table{border-collapse:collapse;width:100%;font-size:.875rem;line-height:1.4}
        caption{text-align:left;font-weight:600;padding:.2rem 0 .45rem;caption-side:top}
        th,td{text-align:left;vertical-align:top;padding:.4rem .7rem .4rem 0;border-bottom:1px solid var(--line)}
        th,td{min-width:8rem}th.number,td.number,td.short{min-width:2.5rem}
        thead th{border-bottom:1.5px solid var(--rule);color:var(--soft);font-weight:600;vertical-align:bottom}
        tbody th{font-weight:600}
        th.number,td.number{text-align:right;font-variant-numeric:tabular-nums}td.number{white-space:nowrap}
        td.number+td,th.number+th,td.number+td.short{padding-left:.7rem}td.digest{min-width:11rem}
        td ul{margin:0;padding-left:1.1rem}
        tr.total th,tr.total td{border-top:1.5px solid var(--rule);font-weight:600}
        figure{margin:0 0 1.25rem}
        figcaption{font-weight:600;font-size:.875rem;margin-bottom:.5rem}
        .rows{list-style:none;margin:0;padding:0;font-size:.875rem}
        .rows li{display:grid;grid-template-columns:minmax(7rem,13rem) minmax(0,1fr) 10.5rem;
        gap:0 .9rem;align-items:center;padding:.22rem 0;break-inside:avoid}
        .rows .value{text-align:right;font-variant-numeric:tabular-nums}
        .rows .what{line-height:1.3}
        .rows .small{color:var(--soft);display:block;font-size:.92em}
        .strip{display:block;width:100%;height:1.05rem}
        .track{position:relative;height:1.4rem;background:linear-gradient(var(--line),var(--line)) 0 50%/100% 1px
        no-repeat}
        .track i{position:absolute;top:50%}
        .track .event{width:.7rem;height:.7rem;margin:-.35rem 0 0 -.35rem;border-radius:50%;background:var(--bar)}
        .track .planned{background:var(--card);border:2px solid var(--bar)}
        .track .limit{width:.62rem;height:.62rem;margin:-.31rem 0 0 -.31rem;transform:rotate(45deg);
        border:2px solid var(--warn);background:var(--card)}
        .track .limit.missed{border-color:var(--bad);background:var(--bad)}
        .track .today{width:0;height:1.4rem;margin-top:-.7rem;border-left:2px dotted var(--soft)}
        .axis{position:relative;height:1.3rem;font-size:.75rem;color:var(--soft)}
        .axis span{position:absolute;top:0;transform:translateX(-50%);white-space:nowrap}
        .axis span:first-child{transform:none}.axis span:last-child:not(:first-child){transform:translateX(-100%)}
        .legend{display:flex;flex-wrap:wrap;gap:.25rem 1.3rem;font-size:.8rem;color:var(--soft);margin:0 0 .6rem;
        padding:0;list-style:none}
        .legend-track{display:inline-block;width:1.1rem;height:1.1rem;margin-right:.4rem;vertical-align:-.25rem}
        .legend-track i{left:50%}.swatch{width:.85rem;height:.7rem;margin-right:.4rem;vertical-align:-.05rem}
        .plot{position:relative;height:8rem;border-bottom:1px solid var(--rule);margin-bottom:.2rem}
        .plot svg{display:block;width:100%;height:100%}
        .plot .peak{position:absolute;right:0;top:0;font-size:.75rem;color:var(--soft);background:var(--card);
        padding:0 .25rem;line-height:1.2}
        .strip{shape-rendering:crispEdges}.fill{fill:var(--bar)}.fill-soft{fill:var(--bar-soft)}.fill-base{fill:var(--line)}
        .fill-pause{fill:var(--pause)}.area{fill:var(--bar-soft);opacity:.55}
        .curve{fill:none;stroke:var(--bar);stroke-width:2;vector-effect:non-scaling-stroke}
        .mean{stroke:var(--soft);stroke-width:1.2;stroke-dasharray:5 4;vector-effect:non-scaling-stroke}
        .source{border-top:1px solid var(--line);margin-top:1.3rem;padding-top:.1rem}
        details{margin:.6rem 0}
        summary{cursor:pointer;color:var(--accent);font-weight:600;font-size:.9rem;padding:.2rem 0}
        .record{border:1px solid var(--rule);border-radius:4px;padding:1.2rem 1.3rem;margin:1.1rem 0}
        .record h3{margin-top:0;text-align:center;font-size:1.3rem}
        .record.missing{border-style:dashed}
        .sign{display:grid;grid-template-columns:1fr 1fr;gap:1rem;margin-top:1rem}
        .sign div{border:1px solid var(--line);border-radius:4px;min-height:5.5rem;padding:.5rem .7rem;
        font-size:.8rem;color:var(--soft)}
        pre{background:var(--wash);border-radius:4px;padding:.8rem .9rem;margin:.3rem 0 .9rem;font-size:.78rem;
        line-height:1.45;white-space:pre-wrap;overflow-wrap:anywhere}
        .steps{padding-left:1.3rem}
        .steps>li{margin-bottom:.6rem}
        .box{border:2px solid var(--warn);border-radius:4px;background:var(--warn-wash);padding:1rem 1.3rem}
        .box ul{margin:.2rem 0 0;padding-left:1.2rem;max-width:75ch}
        .box li{margin:.3rem 0}
        footer{grid-column:1/-1;color:var(--soft);font-size:.8rem;padding-top:.5rem}
        @media (max-width:60rem){.frame{grid-template-columns:minmax(0,1fr);padding:1rem 1rem 2rem}
        nav{position:static;overflow-x:auto;margin-bottom:1rem}nav h2{display:none}
        nav ol{display:flex;border:0}nav a{white-space:nowrap;padding:.35rem .6rem;border:1px solid var(--line);
        border-radius:1rem;margin-right:.4rem;background:var(--card)}}
        @media (max-width:40rem){main>section{padding:1rem .9rem;border-radius:4px}
        .verdict{gap:.7rem;padding:.8rem .8rem}.verdict .icon{width:2rem;height:2rem}.word{font-size:1.4rem}
        .facts{grid-template-columns:minmax(0,1fr);gap:0}.facts dd{margin-bottom:.55rem}
        .figures{grid-template-columns:1fr 1fr}
        .rows li{grid-template-columns:minmax(0,3fr) minmax(min-content,2fr);gap:0 .6rem}th,td{min-width:6.5rem}
        .rows .strip-cell{grid-column:1/-1;grid-row:2}.sign{grid-template-columns:1fr}
        .rows li.scale .what,.rows li.scale .value{display:none}}
        @page{size:A4;margin:16mm 15mm 18mm;@bottom-right{content:counter(page) " / " counter(pages);
        font:7.5pt sans-serif;color:#414c57}}
        @media print{:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#111820;--soft:#414c57;
        --line:#cfd2d0;--rule:#9aa09e;--accent:#1d4a75;--wash:#f1f4f7;--bar:#2c6aa0;--bar-soft:#a9c6df;
        --good:#11613a;--good-wash:#e5f2e9;--warn:#764700;--warn-wash:#fbf0da;--bad:#981b1b;--bad-wash:#fbe8e6;
        --none:#4f5b67;--none-wash:#eceeed;--pause:#c9a55a}
        html{font-size:8.6pt}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
        nav,.skip{display:none}.frame{display:block;max-width:none;padding:0}
        main>section{border:0;border-radius:0;padding:0;margin:0 0 1.6rem}
        h2,h3,h4,caption,figcaption,thead{break-after:avoid}
        tr,.verdict,.figures,.chain,.box,figure{break-inside:avoid}
        .record{break-before:page;break-inside:avoid-page;border:0;padding:0}.record:last-child{break-after:page}
        .record.missing{break-before:auto;border:1px dashed var(--rule);padding:.7rem 1rem}
        .scroll{overflow:visible}a{color:inherit;text-decoration:none}
        details::details-content{content-visibility:visible;display:block;height:auto}
        summary{list-style:none;color:inherit}
        .word{font-size:1.9rem}}

        """
}
