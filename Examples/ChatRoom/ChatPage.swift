/// The page at `/`. It uses `/room`, so all clients there see its messages, with this page or without. Where a server has
/// several processes, and says on which one it is, and who is there, the page shows that.
public let chatPage = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Jazzy chat</title>
    <link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
    %3Cpath fill='%23c2410c' d='M3 1h10a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H8l-4 3v-3H3a2 2 0 0 1-2-2V3a2 2 0 0 1 2-2z'/%3E\
    %3Cg fill='%23fff'%3E%3Ccircle cx='5' cy='6.5' r='1'/%3E%3Ccircle cx='8' cy='6.5' r='1'/%3E\
    %3Ccircle cx='11' cy='6.5' r='1'/%3E%3C/g%3E%3C/svg%3E">
    <style>
      :root { color-scheme: light dark; }
      * { box-sizing: border-box; }
      body {
        font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; height: 100vh; height: 100dvh;
        margin: 0 auto; padding: 1rem; display: flex; flex-direction: column;
      }
      h1 { font-size: 1.5rem; margin: 0; }
      #log { list-style: none; padding: 0; margin: 1rem 0; flex: 1; overflow-y: auto; overflow-wrap: anywhere; }
      .notice { opacity: .75; font-style: italic; }
      #process, #people { margin: 0; opacity: .75; overflow-wrap: anywhere; }
      #process:empty, #people:empty { display: none; }
      form { display: flex; flex-wrap: wrap; gap: .5rem; }
      input { font: inherit; padding: .4rem; min-width: 0; }
      #name { flex: 1 1 8rem; }
      #text { flex: 4 1 8rem; }
      ::placeholder { color: inherit; opacity: .75; }
      button { font: inherit; padding: .4rem 1rem; }
      @media (max-width: 30rem) { #name { flex-basis: 100%; } }
    </style>
    </head>
    <body>
    <h1>Jazzy chat</h1>
    <p id="process" role="status"></p>
    <p id="people" role="status"></p>
    <ul id="log" role="log" tabindex="0" aria-label="What was said"></ul>
    <form id="form">
      <input id="name" maxlength="30" aria-label="Your name" required>
      <input id="text" placeholder="Say something" aria-label="Message" autocomplete="off" autofocus>
      <button id="button" disabled>Send</button>
    </form>
    <script type="module">
    const element = id => document.getElementById(id);
    const log = element("log"), form = element("form"), name = element("name"), text = element("text"),
      button = element("button");
    const address = location.origin.replace(/^http/, "ws") + "/room";
    // The server announces it for members whose page could not.
    const joined = " joined.", left = " left.", lost = "'s connection is lost.";
    // What a server of several processes says first; and who is there on all of them, in lines, whenever that changes.
    const onProcess = "You are on process ", here = "Here are\\n";
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
        if (line.startsWith(onProcess) && !line.includes(": ")) {
          element("process").textContent = line;
          return;
        }
        if (line.startsWith(here)) {
          element("people").textContent = "Here: " + line.slice(here.length).split("\\n").join(", ");
          return;
        }
        // Messages have the member's name in front.
        show(line, !line.includes(": ") && [joined, left, lost].some(end => line.endsWith(end)));
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
      button.disabled = true;
      socket.onclose = null;
      socket.close();
    });

    // Back from the browser's cache of pages, where a page lives on without its connection.
    addEventListener("pageshow", event => {
      if (event.persisted) connect();
    });

    connect();
    </script>
    </body>
    </html>

    """
