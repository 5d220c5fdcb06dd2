/// The style of a report. Everything is in the page: it is read from a mail or a disk as well as from a server.
enum ReportStyle {
    static let css = """
        :root{color-scheme:light dark;--paper:#fbfaf7;--card:#ffffff;--ink:#1d2327;--soft:#5c666d;--line:#dfe3e4;--own:#0b7a75;\
        --good:#1a7f37;--bad:#b3261e;\
        --a:#0b7a75;--b:#7a5bd0;--c:#8d9499;--d:#c98a1b;--e:#c2553d;--f:#3f77c4;--g:#7d9a3c;--h:#a8588f}
        @media (prefers-color-scheme:dark){:root{--paper:#14181b;--card:#1c2226;--ink:#e6e9ea;--soft:#9aa5ab;--line:#313a40;\
        --own:#3cc4bb;--good:#56c271;--bad:#ff8a80;\
        --a:#3cc4bb;--b:#a58cf0;--c:#8b959b;--d:#e0ac4c;--e:#e5836d;--f:#79a8e8;--g:#a9c765;--h:#dd93c6}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--paper);color:var(--ink);\
        font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;font-variant-numeric:tabular-nums}
        main{max-width:1000px;margin:0 auto;padding:36px 20px 64px}
        header p,.hint{color:var(--soft)}
        h1{font-size:28px;line-height:1.2;margin:0 0 4px;letter-spacing:-.01em}
        h2{font-size:19px;margin:40px 0 6px}
        h3{font-size:15px;margin:0 0 8px;font-weight:600}
        p{margin:6px 0}
        .chip{display:inline-block;padding:2px 10px;border-radius:999px;font-size:13px;font-weight:600;border:1px solid currentColor;\
        vertical-align:4px;margin-left:10px}
        .good{color:var(--good)}.bad{color:var(--bad)}
        .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:12px;margin:22px 0 0}
        .card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px}
        .card b{display:block;font-size:25px;line-height:1.2;font-weight:650;letter-spacing:-.01em}
        .card span{display:block;color:var(--soft);font-size:13px}
        .card span.name{margin-bottom:2px}
        .pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(380px,1fr));gap:12px}
        .pair svg{max-width:560px;margin:0 auto}
        .reasons{margin:8px 0 0;padding-left:20px}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;width:100%;font-size:14px}
        th{color:var(--soft);font-weight:600;text-align:right;border-bottom:1px solid var(--line);padding:6px 10px;white-space:nowrap}
        td{text-align:right;border-bottom:1px solid var(--line);padding:6px 10px;white-space:nowrap}
        th:first-child,td:first-child{text-align:left;padding-left:0}
        td.text{text-align:left;white-space:normal;overflow-wrap:anywhere}
        tr.own td{font-weight:650}
        td.best{color:var(--own)}
        td small{color:var(--soft);font-weight:400}
        tr:last-child td{border-bottom:0}
        .changed td{font-weight:650}
        .settings{columns:2;column-gap:36px;font-size:13.5px}
        .settings div{display:flex;justify-content:space-between;gap:12px;border-bottom:1px solid var(--line);padding:3px 0;\
        break-inside:avoid}
        .settings div.changed{font-weight:650}
        .settings code{color:inherit}
        @media (max-width:640px){.settings{columns:1}.pair{grid-template-columns:1fr}}
        code{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:var(--soft)}
        svg{display:block;width:100%;height:auto;overflow:visible}
        svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--ink)}
        svg .tick{fill:var(--soft);font-size:11.5px}
        svg .name{font-size:13px}
        svg .name.own,svg .value{font-weight:650}
        svg .note{fill:var(--soft)}
        svg .grid{stroke:var(--line);stroke-width:1}
        svg .line{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
        svg .whisker{stroke:var(--ink);stroke-width:1.4}
        svg .ring{fill:none;stroke:var(--ink);stroke-width:1.4}
        svg .bar.own{fill:var(--own);opacity:.8}svg .bar.other{fill:var(--c);opacity:.55}
        .line.a{stroke:var(--a)}.line.b{stroke:var(--b)}.line.d{stroke:var(--d)}.line.f{stroke:var(--f)}
        .dot.a{fill:var(--a)}.dot.b{fill:var(--b)}.dot.d{fill:var(--d)}.dot.f{fill:var(--f)}
        .fill.a{fill:var(--a)}.fill.b{fill:var(--b)}.fill.c{fill:var(--c)}.fill.d{fill:var(--d)}.fill.e{fill:var(--e)}\
        .fill.f{fill:var(--f)}.fill.g{fill:var(--g)}.fill.h{fill:var(--h)}
        .legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:13px;color:var(--soft);margin:6px 0 4px}
        .legend i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px;vertical-align:-1px}
        i.a{background:var(--a)}i.b{background:var(--b)}i.c{background:var(--c)}i.d{background:var(--d)}i.e{background:var(--e)}\
        i.f{background:var(--f)}i.g{background:var(--g)}i.h{background:var(--h)}
        .time{display:flex;height:16px;border-radius:5px;overflow:hidden;margin:10px 0 6px}
        .time i{display:block;height:100%}
        dl{margin:0;font-size:14px}
        dl div{display:flex;justify-content:space-between;gap:16px;border-bottom:1px solid var(--line);padding:5px 0}
        dl div:last-child{border-bottom:0}
        dt{color:var(--soft)}dd{margin:0;text-align:right;overflow-wrap:anywhere}
        footer{margin-top:44px;padding-top:14px;border-top:1px solid var(--line);color:var(--soft);font-size:13px}
        @media print{body{background:#fff}.card{break-inside:avoid}}
        """
}
