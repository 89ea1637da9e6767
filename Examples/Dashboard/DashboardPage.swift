/// The page at `/`: a checkbox for each topic, and a chart for each of its values, with the last ten seconds.
let dashboardPage = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Jazzy dashboard</title>
    <link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
    %3Cpath fill='none' stroke='%23c2410c' stroke-width='2' d='M1 12l4-5 4 3 6-8'/%3E%3C/svg%3E">
    <style>
      :root { color-scheme: light dark; }
      * { box-sizing: border-box; }
      body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
      h1 { font-size: 1.5rem; margin: 0; }
      #status { margin: .5rem 0; min-height: 1.5em; }
      fieldset { border: 0; padding: 0; margin: 0; display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; }
      label { padding: .5rem 0; }
      #charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(18rem, 100%), 1fr)); gap: 1rem; }
      figure { margin: 0; min-width: 0; }
      canvas { display: block; width: 100%; height: 5rem; border-bottom: 1px solid; }
      canvas { color: light-dark(#c2410c, #fb923c); }
      figcaption { display: flex; justify-content: space-between; gap: 1rem; overflow-wrap: anywhere; }
      output { font-variant-numeric: tabular-nums; }
    </style>
    </head>
    <body>
    <h1>Jazzy dashboard</h1>
    <p id="status" role="status">Connecting …</p>
    <fieldset id="topics" aria-label="Topics" disabled></fieldset>
    <div id="charts"></div>
    <script type="module">
    const element = id => document.getElementById(id);
    const address = location.origin.replace(/^http/, "ws") + "/feed";
    const topics = ["connections", "traffic", "loops"];
    const shown = 100;
    const charts = new Map();
    let socket, watch;

    function add(parent, name, properties = {}) {
      const child = Object.assign(document.createElement(name), properties);
      parent.append(child);
      return child;
    }

    const boxes = topics.map(topic => {
      const label = add(element("topics"), "label");
      const box = add(label, "input", { type: "checkbox", value: topic, checked: true });
      label.append(" " + topic);
      box.onchange = () => {
        ask(box.checked ? "subscribe" : "unsubscribe", [topic]);
        expectSample();
      };
      return box;
    });

    // Only what is new is read out.
    function tell(text) {
      if (element("status").textContent != text) element("status").textContent = text;
    }

    function ask(what, topics) {
      socket.send(JSON.stringify({ [what]: { topics } }));
      if (what == "subscribe") return;
      for (const [name, chart] of charts) {
        if (!topics.includes(chart.topic)) continue;
        chart.figure.remove();
        charts.delete(name);
      }
    }

    function chartOf(topic, name) {
      const key = topic + " " + name;
      if (!charts.has(key)) {
        const figure = add(element("charts"), "figure");
        figure.dataset.topic = topic;
        figure.style.order = topics.indexOf(topic);
        const canvas = add(figure, "canvas");
        const caption = add(figure, "figcaption");
        // "bytesSentPerSecond" is "bytes sent per second".
        add(caption, "span", { textContent: name.replace(/[A-Z]/g, letter => " " + letter.toLowerCase()) });
        charts.set(key, { topic, figure, canvas, output: add(caption, "output"), values: [] });
      }
      return charts.get(key);
    }

    function draw({ canvas, values }) {
      const width = canvas.width = canvas.clientWidth * devicePixelRatio;
      const height = canvas.height = canvas.clientHeight * devicePixelRatio;
      const brush = canvas.getContext("2d"), top = Math.max(1, ...values);
      brush.strokeStyle = getComputedStyle(canvas).color;
      brush.lineWidth = 2 * devicePixelRatio;
      brush.beginPath();
      values.forEach((value, place) => brush.lineTo(
        (shown - values.length + place) / (shown - 1) * width, height - 2 - value / top * (height - 4)));
      brush.stroke();
    }

    const handlers = {
      sample({ topic, values }) {
        if (!boxes.find(box => box.value == topic)?.checked) return;
        tell("Live, ten times a second.");
        for (const [name, value] of Object.entries(values)) {
          const chart = chartOf(topic, name);
          chart.values = [...chart.values, value].slice(-shown);
          chart.output.textContent = value.toLocaleString("en");
          draw(chart);
        }
      },
      missed() { tell("Some samples were missed: the connection is slow."); },
      refused({ reason }) { tell(reason); },
    };

    // A machine that is gone does not say so. Nothing comes where nothing is chosen.
    function expectSample() {
      clearTimeout(watch);
      const isNext = socket.readyState == WebSocket.CONNECTING || boxes.some(box => box.checked);
      if (isNext) watch = setTimeout(lose, 5000);
    }

    function connect() {
      socket = new WebSocket(address);
      expectSample();
      socket.onopen = () => {
        element("topics").disabled = false;
        ask("subscribe", boxes.filter(box => box.checked).map(box => box.value));
        expectSample();
      };
      socket.onmessage = event => {
        expectSample();
        for (const [kind, content] of Object.entries(JSON.parse(event.data))) handlers[kind]?.(content);
      };
      socket.onclose = lose;
    }

    function lose() {
      clearTimeout(watch);
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
      element("topics").disabled = true;
      tell("The connection is lost. Trying again …");
      setTimeout(connect, 1000);
    }

    connect();
    </script>
    </body>
    </html>

    """
