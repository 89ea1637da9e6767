extension DashboardPage {
    static let style = #"""
        :root {
          color-scheme: light dark;
          --paper: light-dark(#f8f6f3, #141210); --surface: light-dark(#fff, #1d1a17);
          --ink: light-dark(#1c1917, #f5f2ee); --muted: light-dark(#57534e, #a8a29e);
          --line: light-dark(#e2dcd4, #38332d); --accent: light-dark(#c2410c, #fb923c);
          --good: light-dark(#15803d, #4ade80); --warn: light-dark(#a16207, #facc15);
          --bad: light-dark(#b91c1c, #f87171);
          --series-0: light-dark(#1d4ed8, #93c5fd); --series-1: var(--accent);
          --series-2: light-dark(#0f766e, #5eead4); --series-3: light-dark(#7e22ce, #d8b4fe);
          --series-4: light-dark(#be185d, #f9a8d4); --series-5: var(--warn);
        }
        html { font-size: clamp(100%, 50% + .5vw, 175%); scroll-padding-top: 5rem; -webkit-text-size-adjust: 100%; }
        *, ::before, ::after { box-sizing: border-box; }
        [hidden] { display: none !important; }
        body {
          margin: 0; background: var(--paper); color: var(--ink);
          font: 1rem/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums;
        }
        h1, h2, h3, p, dl, dd, figure { margin: 0; }
        h1 { font-size: 1.15rem; line-height: 1.2; letter-spacing: -.01em; }
        h2 { font-size: 1.05rem; letter-spacing: -.01em; margin: 0 0 .7rem; }
        h3, caption { font-size: .95rem; font-weight: 600; text-align: start; }
        a { color: var(--accent); }
        :focus-visible { outline: .15rem solid var(--accent); outline-offset: .15rem; border-radius: .3rem; }
        main:focus-visible { outline: none; }
        .unseen { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); }
        .skip { position: fixed; inset: .5rem auto auto .5rem; z-index: 3; transform: translateY(-4rem); }
        .skip { background: var(--surface); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .9rem; }
        .skip:focus { transform: none; }

        header {
          position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; align-items: center; gap: .4rem 1rem;
          padding: .65rem clamp(.75rem, 2vw, 2rem); border-bottom: 1px solid var(--line);
          background: color-mix(in srgb, var(--paper) 88%, transparent); backdrop-filter: blur(.6rem);
        }
        .logo { width: 2.1rem; height: 2.1rem; flex: none; }
        .logo rect { fill: #c2410c; }
        .logo path { fill: none; stroke: #fff; stroke-width: 3; stroke-linecap: round; stroke-linejoin: round; }
        .name { flex: 1 1 7rem; min-width: 0; }
        #place { color: var(--muted); font-size: .85rem; line-height: 1.3; overflow-wrap: anywhere; }
        #status { display: flex; align-items: center; gap: .5rem; font-weight: 600; font-size: .95rem; }
        .dot { width: .65rem; height: .65rem; border-radius: 50%; background: var(--tone); }
        body { --tone: var(--muted); }
        [data-state=live] { --tone: var(--good); }
        [data-state=warned], [data-state=paused] { --tone: var(--warn); }
        [data-state=lost] { --tone: var(--bad); }
        .up { color: var(--muted); font-size: .95rem; }
        .up span + span { color: var(--ink); font-weight: 600; }
        button {
          font: inherit; font-size: .95rem; color: inherit; background: var(--surface); border: 1px solid var(--line);
          border-radius: .55rem; padding: .4rem .9rem; min-width: 5.4rem; cursor: pointer;
        }
        button:hover { border-color: var(--muted); }
        button[aria-pressed=true] { background: var(--ink); color: var(--paper); border-color: var(--ink); }
        #banner { padding: .7rem clamp(.75rem, 2vw, 2rem); background: var(--bad); font-weight: 600; }
        #banner { color: light-dark(#fff, #1c1917); }
        .notice { padding: 1rem clamp(.75rem, 2vw, 2rem); }

        main, footer { padding: 1rem clamp(.75rem, 2vw, 2rem); }
        main { display: grid; gap: 1.6rem; }
        section { min-width: 0; }
        [data-state=lost] main { filter: grayscale(1); opacity: .55; }
        footer { color: var(--muted); font-size: .85rem; padding-bottom: 2rem; }
        .grid { display: grid; gap: .9rem; grid-template-columns: repeat(var(--columns, 1), minmax(0, 1fr)); }
        @media (min-width: 50rem) { .grid { --columns: 2; } }
        @media (min-width: 115rem) { .grid { --columns: 4; } }
        .columns { columns: 20rem; column-gap: .9rem; margin-top: .9rem; }
        .columns .card { break-inside: avoid; margin-bottom: .9rem; }
        .card, #tiles > div {
          background: var(--surface); border: 1px solid var(--line); border-radius: .75rem; min-width: 0;
        }
        .card { padding: .85rem 1rem; }
        .card.whole { grid-column: 1 / -1; }

        #tiles { display: grid; gap: .9rem; grid-template-columns: repeat(2, minmax(0, 1fr)); }
        @media (min-width: 50rem) { #tiles { grid-template-columns: repeat(5, minmax(0, 1fr)); } }
        @media (min-width: 115rem) { #tiles { grid-template-columns: repeat(10, minmax(0, 1fr)); } }
        #tiles > div { padding: .75rem .95rem .8rem; display: grid; align-content: start; }
        #tiles dt { color: var(--muted); font-size: .85rem; }
        #tiles dd { font-size: 1.65rem; line-height: 1.25; font-weight: 650; letter-spacing: -.02em; }
        #tiles dd { white-space: nowrap; }
        #tiles dd.more {
          color: var(--muted); font-size: .8rem; font-weight: 400; letter-spacing: 0; white-space: normal;
        }
        #tiles .unit { font-size: .55em; font-weight: 500; color: var(--muted); letter-spacing: 0; }
        #tiles [data-tone=bad] dd:not(.more) { color: var(--bad); }
        #tiles [data-tone=warn] dd:not(.more) { color: var(--warn); }

        figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .1rem 1rem; }
        .legend { display: flex; flex-wrap: wrap; gap: 0 1rem; font-size: .9rem; color: var(--muted); }
        .legend b { color: var(--ink); font-weight: 600; display: inline-block; min-width: 3em; }
        .swatch { display: inline-block; width: .8em; height: .8em; border-radius: .2em; margin-inline-end: .4em; }
        .swatch { background: currentColor; vertical-align: -.06em; }
        .plot { position: relative; margin-top: .6rem; height: 9.5rem; border-bottom: 1px solid var(--line); }
        .plot svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
        .plot path { fill: none; stroke: currentColor; stroke-width: .125rem; vector-effect: non-scaling-stroke; }
        .plot path { stroke-linejoin: round; }
        .plot path.area { fill: currentColor; stroke: none; opacity: .13; }
        .plot line { stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
        .scale { position: absolute; inset-inline-start: 0; font-size: .75rem; color: var(--muted); line-height: 1; }
        .scale { padding: .15rem .3rem .15rem 0; background: var(--surface); border-radius: 0 0 .3rem 0; }
        .scale.half { top: 50%; }
        .times { display: flex; justify-content: space-between; font-size: .75rem; color: var(--muted); }
        .s0 { color: var(--series-0); } .s1 { color: var(--series-1); } .s2 { color: var(--series-2); }
        .s3 { color: var(--series-3); } .s4 { color: var(--series-4); } .s5 { color: var(--series-5); }

        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: .92rem; }
        caption { padding-bottom: .35rem; }
        th, td { padding: .28rem 0 .28rem .9rem; text-align: end; vertical-align: baseline; white-space: nowrap; }
        th:first-child, td:first-child { text-align: start; padding-inline-start: 0; }
        thead th { color: var(--muted); font-size: .8rem; font-weight: 500; }
        tbody tr { border-top: 1px solid var(--line); }
        tbody th { font-weight: 400; white-space: normal; overflow-wrap: break-word; }
        .text { text-align: start; }
        .any, td.text { white-space: normal; overflow-wrap: anywhere; }
        th.any { min-width: 9rem; }
        .log table { min-width: 38rem; }
        .log tbody th, .log td.kind { white-space: nowrap; }
        .zero { color: var(--muted); }
        .none td { color: var(--muted); text-align: start; }
        .share { display: block; height: .22rem; border-radius: .2rem; background: var(--line); margin-top: .2rem; }
        .share { overflow: hidden; }
        .share i { display: block; height: 100%; background: var(--accent); border-radius: inherit; }
        .pairs { display: grid; grid-template-columns: 1fr auto; font-size: .92rem; margin-top: .35rem; }
        .pairs > div { display: grid; grid-template-columns: subgrid; grid-column: 1 / -1; padding: .28rem 0; gap: 1rem; }
        .pairs > div { border-top: 1px solid var(--line); }
        .pairs dt { color: var(--muted); }
        .pairs dd { text-align: end; overflow-wrap: anywhere; }
        .bad { color: var(--bad); font-weight: 600; } .good { color: var(--good); font-weight: 600; }

        @media (max-width: 30rem) {
          .up { order: 5; } #tiles dd { font-size: 1.4rem; } .plot { height: 7.5rem; } .card { padding: .75rem .8rem; }
          th, td { padding-inline-start: .6rem; }
        }
        @media (prefers-reduced-motion: no-preference) {
          [data-state=live] .dot { animation: beat 2s ease-in-out infinite; }
          @keyframes beat { 50% { opacity: .45; } }
        }
        @media (forced-colors: active) { .swatch, .dot, .share i { forced-color-adjust: none; } }
        """#
}
