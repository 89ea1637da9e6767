extension DashboardPage {
    /// Figures have the identifiers that the script looks for. `NONCE` stands for that of the response.
    static let document = #"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="robots" content="noindex">
        <title>Jazzy dashboard</title>
        <link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%23c2410c'/%3E%3Cpath fill='none' stroke='%23fff' stroke-width='3' stroke-linecap='round' stroke-linejoin='round' d='M6 21l6-8 6 5 8-10'/%3E%3C/svg%3E">
        <style nonce="NONCE">\#(style)</style>
        </head>
        <body data-state="connecting">
        <a class="skip" href="#main">Skip to the figures</a>
        <header>
          <svg class="logo" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8"/><path d="M6 21l6-8 6 5 8-10"/></svg>
          <div class="name"><h1>Jazzy</h1><p id="place">&nbsp;</p></div>
          <p id="status" role="status"><span class="dot" aria-hidden="true"></span><span id="state">Connecting …</span></p>
          <p class="up"><span class="label">Up</span> <span id="uptime">–</span></p>
          <button id="pause" type="button" aria-pressed="false">Pause</button>
        </header>
        <p id="banner" role="alert" hidden></p>
        <noscript><p class="notice">This page needs JavaScript, which is part of it.</p></noscript>
        <main id="main" tabindex="-1">
          <section aria-labelledby="now-title">
            <h2 id="now-title" class="unseen">Now</h2>
            <dl id="tiles"></dl>
          </section>
          <section aria-labelledby="charts-title">
            <h2 id="charts-title">The last two minutes</h2>
            <div id="charts" class="grid"></div>
          </section>
          <section aria-labelledby="traffic-title">
            <h2 id="traffic-title">Traffic</h2>
            <div id="traffic" class="grid"></div>
          </section>
          <section aria-labelledby="ends-title">
            <h2 id="ends-title">Ends and refusals</h2>
            <div id="ends" class="grid"></div>
          </section>
          <section aria-labelledby="machine-title">
            <h2 id="machine-title">Machinery</h2>
            <div id="machine" class="grid"></div>
            <div id="cards" class="columns"></div>
          </section>
        </main>
        <footer><p>All counts are exact, and begin when the server listens. <span id="viewers"></span></p></footer>
        <script type="module" nonce="NONCE">\#(drawing)\#(script)</script>
        </body>
        </html>

        """#
}
