/// The page at `/`: arrow keys, W, A, S, D, or a finger on the world steer.
let gamePage = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Jazzy game</title>
    <link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
    %3Ccircle cx='8' cy='8' r='7' fill='%23c2410c'/%3E%3C/svg%3E">
    <style>
      :root { color-scheme: light dark; }
      * { box-sizing: border-box; }
      body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 0 auto; padding: 1rem; }
      h1 { font-size: 1.5rem; margin: 0; }
      #status { margin: .5rem 0; min-height: 1.5em; }
      canvas { display: block; width: 100%; border: 1px solid; border-radius: .5rem; touch-action: none; }
      #self { color: light-dark(#c2410c, #fb923c); }
      #others { color: light-dark(#1d4ed8, #93c5fd); }
      #coins { color: light-dark(#a16207, #facc15); }
      #legend { display: flex; flex-wrap: wrap; gap: 0 1.5rem; }
    </style>
    </head>
    <body>
    <h1>Jazzy game</h1>
    <p id="status" role="status">Connecting …</p>
    <canvas id="world" width="800" height="400" role="img" aria-label="The world"></canvas>
    <p id="legend">
      <span id="self">You: <output id="score">0</output></span>
      <span id="others">Others: <output id="count">0</output></span>
      <span id="coins">Coins</span>
    </p>
    <p>Steer with the arrow keys, with W, A, S and D, or with a finger on the world.</p>
    <script type="module">
    const element = id => document.getElementById(id);
    const address = location.origin.replace(/^http/, "ws") + "/game";
    const keys = { ArrowUp: 1, KeyW: 1, ArrowDown: 2, KeyS: 2, ArrowLeft: 4, KeyA: 4, ArrowRight: 8, KeyD: 8 };
    const canvas = element("world"), brush = canvas.getContext("2d");
    let socket, own, place, held = 0, pointer, watch;

    /// The reverse of World.snapshot.
    function read(buffer) {
      const view = new DataView(buffer);
      let offset = 0;
      const next = (type, size) => view["get" + type]((offset += size) - size, true);
      const point = () => ({ x: next("Int16", 2), y: next("Int16", 2) });
      const list = item => Array.from({ length: next("Uint16", 2) }, item);
      return {
        step: next("Uint32", 4),
        players: list(() => ({ id: next("Uint32", 4), ...point(), score: next("Uint16", 2) })),
        coins: list(point),
      };
    }

    function disc(id, { x, y }, radius) {
      brush.fillStyle = getComputedStyle(element(id)).color;
      brush.beginPath();
      brush.arc(x, y, radius, 0, 2 * Math.PI);
      brush.fill();
    }

    function show({ players, coins }) {
      brush.clearRect(0, 0, canvas.width, canvas.height);
      for (const coin of coins) disc("coins", coin, 8);
      for (const player of players) disc(player.id == own ? "self" : "others", player, 14);
      place = players.find(player => player.id == own);
      element("score").textContent = place?.score ?? 0;
      element("count").textContent = players.filter(player => player.id != own).length;
    }

    function hold(directions) {
      if (directions == held || own == undefined) return;
      held = directions;
      socket.send(Uint8Array.of(held));
    }

    /// Toward a finger, until it is reached.
    function follow() {
      if (!pointer || !place) return;
      const box = canvas.getBoundingClientRect();
      const x = (pointer.clientX - box.left) / box.width * canvas.width - place.x;
      const y = (pointer.clientY - box.top) / box.height * canvas.height - place.y;
      hold((y < -4 ? 1 : 0) | (y > 4 ? 2 : 0) | (x < -4 ? 4 : 0) | (x > 4 ? 8 : 0));
    }

    addEventListener("keydown", event => {
      if (!(event.code in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      hold(held | keys[event.code]);
    });
    addEventListener("keyup", event => hold(held & ~(keys[event.code] ?? 0)));
    addEventListener("blur", () => hold(0));
    canvas.onpointerdown = canvas.onpointermove = event => { if (event.buttons) pointer = event; };
    canvas.onpointerup = canvas.onpointercancel = canvas.onpointerleave = () => {
      pointer = undefined;
      hold(0);
    };

    // A machine that is gone does not say so.
    function expectSnapshot() {
      clearTimeout(watch);
      watch = setTimeout(lose, 5000);
    }

    function connect() {
      socket = new WebSocket(address);
      socket.binaryType = "arraybuffer";
      expectSnapshot();
      socket.onmessage = event => {
        expectSnapshot();
        if (typeof event.data != "string") {
          show(read(event.data));
          follow();
          return;
        }
        const welcome = JSON.parse(event.data);
        own = welcome.player;
        canvas.width = welcome.width;
        canvas.height = welcome.height;
        element("status").textContent = "You are player " + own + ".";
      };
      socket.onclose = lose;
    }

    function lose({ code, reason } = {}) {
      clearTimeout(watch);
      socket.onmessage = socket.onclose = null;
      socket.close();
      own = undefined;
      held = 0;
      const what = code == 1013 ? reason : "the connection is lost";
      element("status").textContent = "The game is over: " + what + ". Trying again …";
      setTimeout(connect, 1000);
    }

    connect();
    </script>
    </body>
    </html>

    """
