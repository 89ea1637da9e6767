/// The page at `/`. It talks to `/room`, so whoever is there reads along, with this page or without.
let chatPage = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>Jazzy chat</title>
    <style>
      body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 0 auto; padding: 1rem; }
      #log { list-style: none; padding: 0; height: 60vh; overflow-y: auto; }
      .notice { color: #666; font-style: italic; }
      form { display: flex; gap: .5rem; }
      input { font: inherit; padding: .4rem; min-width: 0; }
      #text { flex: 1; }
      button { font: inherit; padding: .4rem 1rem; }
    </style>
    </head>
    <body>
    <h1>Jazzy chat</h1>
    <ul id="log" aria-live="polite"></ul>
    <form id="form">
      <input id="name" size="10" maxlength="30" aria-label="Your name" required>
      <input id="text" placeholder="Say something" aria-label="Message" autocomplete="off" autofocus>
      <button id="button" disabled>Send</button>
    </form>
    <script type="module">
    const element = id => document.getElementById(id);
    const log = element("log"), form = element("form"), name = element("name"), text = element("text"),
      button = element("button");
    const address = location.origin.replace(/^http/, "ws") + "/room";
    const joined = " joined.", left = " left.";
    let socket;

    name.value = "Guest " + Math.floor(1000 + 9000 * Math.random());

    function show(line, isNotice) {
      const item = document.createElement("li");
      item.textContent = line;
      item.className = isNotice ? "notice" : "";
      log.append(item);
      item.scrollIntoView();
    }

    function connect() {
      socket = new WebSocket(address);
      socket.onopen = () => {
        button.disabled = false;
        socket.send(name.value + joined);
      };
      socket.onmessage = event => {
        const line = event.data;
        // What somebody says has the name before it.
        show(line, !line.includes(": ") && (line.endsWith(joined) || line.endsWith(left)));
      };
      socket.onclose = () => {
        if (!button.disabled) show("The connection is lost. Trying again …", true);
        button.disabled = true;
        setTimeout(connect, 1000);
      };
    }

    form.onsubmit = event => {
      event.preventDefault();
      if (button.disabled || !text.value.trim()) return;
      socket.send(name.value + ": " + text.value);
      text.value = "";
    };

    addEventListener("pagehide", () => {
      if (!button.disabled) socket.send(name.value + left);
      socket.onclose = null;
      socket.close();
    });

    connect();
    </script>
    </body>
    </html>

    """
