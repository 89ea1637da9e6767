const log = element("log");
// So much is kept of each log, and shown of each message.
const lineLimit = 500, textLimit = 4000, byteLimit = 512;
const routes = [
  { name: "echo", about: "Greets, and sends texts back. Binary messages are not answered.",
    ideas: ["Hello!", "Grüße, 世界 🎷", "שלום, عالم"] },
  { name: "status", about: "Answers commands, which are texts.", ideas: ["ping", "status", "Status?"] },
  { name: "feed", about: "Sends one value as JSON when a connection opens. It does not answer.", ideas: [] },
  { name: "chat", about: "Sends every text to all who are connected. Open this page twice, and both see it.",
    ideas: ["Hello, everybody!", "Who is there?"] },
].map(route => ({ ...route, socket: null, lines: [] }));
let current;

const stateNames = ["Connecting …", "Connected.", "Closing …", "Not connected."];
const state = route => route.socket?.readyState ?? WebSocket.CLOSED;

// As in a dump: 48 65 6c 6c 6f
const hex = bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join(" ");
const cut = (text, limit) => text.length > limit ? text.slice(0, limit) + " … and more" : text;

const longTime = clock({ hour: "numeric", minute: "2-digit", second: "2-digit", hour12: false });

function line(direction, kind, size, content) {
  const what = { sent: "→", received: "←", event: "•" }[direction];
  const item = make("li", { className: direction }, make("time", { className: "number" }, longTime(new Date())),
    make("span", { className: "arrow", title: direction, role: "img", ariaLabel: direction }, what));
  if (kind) item.append(make("span", { className: "kind number" }, kind + ", " + counted(size, "byte")));
  item.append(make("span", { className: kind == "binary" ? "content mono" : "content", dir: "auto" }, content));
  return item;
}

// Of the current route, what its log does not show yet.
let fresh = [];
const drawLines = beforeDrawing(() => {
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  const follows = isAtEnd || fresh.some(({ className }) => className == "sent");
  log.append(...fresh);
  fresh = [];
  while (log.childElementCount > lineLimit) log.firstElementChild.remove();
  if (follows) log.scrollTop = log.scrollHeight;
});

function add(route, item) {
  route.lines.push(item);
  if (route.lines.length > lineLimit) route.lines.shift();
  if (route != current) return;
  fresh.push(item);
  if (fresh.length > lineLimit) fresh.shift();
  drawLines();
}

function addMessage(route, direction, data) {
  const item = typeof data == "string"
    ? line(direction, "text", new TextEncoder().encode(data).length, cut(data, textLimit))
    : line(direction, "binary", data.byteLength, cut(hex(new Uint8Array(data).subarray(0, byteLimit + 1)), byteLimit * 3));
  add(route, item);
}

const addEvent = (route, text) => add(route, line("event", "", 0, text));

function drawState() {
  const now = state(current);
  const isOpen = now == WebSocket.OPEN;
  element("open").disabled = now != WebSocket.CLOSED;
  for (const id of ["send", "close"]) element(id).disabled = !isOpen;
  for (const button of element("ideas").children) button.disabled = !isOpen;
  tell(element("state"), stateNames[now]);
  for (const { tab, ...route } of routes) tab.dataset.is = ["waiting", "live", "waiting", "none"][state(route)];
  const count = routes.filter(route => state(route) == WebSocket.OPEN).length;
  tellLink(count ? "live" : "none", count ? counted(count, "route") + " open" : "Not connected");
}

function open(route) {
  const socket = route.socket = new WebSocket(socketAddress("/" + route.name));
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    addEvent(route, "Connected.");
    drawState();
  };
  socket.onmessage = ({ data }) => addMessage(route, "received", data);
  socket.onclose = ({ code, reason, wasClean }) => {
    const how = code == 1006 ? "The connection is lost, or was not accepted" : "Closed with " + code;
    addEvent(route, how + (reason ? ", “" + reason + "”" : "") + (wasClean || code == 1006 ? "." : ", not cleanly."));
    drawState();
  };
  drawState();
}

function send(data) {
  if (state(current) != WebSocket.OPEN) return;
  current.socket.send(data);
  addMessage(current, "sent", data);
}

function choose(route) {
  current = route;
  for (const { tab, ...other } of routes) {
    const isChosen = other.name == route.name;
    tab.ariaSelected = String(isChosen);
    tab.tabIndex = isChosen ? 0 : -1;
  }
  element("panel").setAttribute("aria-labelledby", route.tab.id);
  tell(element("address"), socketAddress("/" + route.name));
  tell(element("about"), route.about);
  tell(element("problem"), "");
  element("ideas").replaceChildren(...route.ideas.map(idea =>
    make("button", { type: "button", dir: "auto", onclick: () => send(idea) }, idea)));
  fresh = [];
  log.replaceChildren(...route.lines);
  log.scrollTop = log.scrollHeight;
  drawState();
}

for (const route of routes) {
  const tab = route.tab = make("button", { id: "tab-" + route.name, role: "tab" },
    make("span", { className: "mono" }, "/" + route.name));
  tab.setAttribute("aria-controls", "panel");
  tab.onclick = () => { location.hash = route.name; };
  element("routes").append(make("li", { role: "presentation" }, tab));
}

element("routes").onkeydown = ({ key, target }) => {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[key];
  const place = routes.findIndex(({ tab }) => tab == target);
  if (!step || place < 0) return;
  const next = routes[(place + step + routes.length) % routes.length];
  next.tab.focus();
  location.hash = next.name;
};

// What "48 65 6c" or "48656c" says; null if it says nothing.
function bytesOf(text) {
  const digits = text.replace(/\s+/g, "");
  if (digits.length % 2 || /[^0-9a-f]/i.test(digits)) return null;
  return Uint8Array.from(digits.match(/../g) ?? [], pair => parseInt(pair, 16)).buffer;
}

element("form").onsubmit = event => {
  event.preventDefault();
  const text = element("message").value;
  const data = element("kind").value == "binary" ? bytesOf(text) : text;
  tell(element("problem"), data === null ? "Bytes are written as pairs of hexadecimal digits: 4a 61 7a 7a" : "");
  if (data === null) return;
  send(data);
  element("message").value = "";
};
element("kind").onchange = () => {
  element("message").placeholder = element("kind").value == "binary" ? "4a 61 7a 7a" : "A message";
};

element("ending").onsubmit = event => {
  event.preventDefault();
  const reason = element("reason").value;
  const isTooLong = new TextEncoder().encode(reason).length > 123;
  tell(element("problem"), isTooLong ? "A reason has at most 123 bytes." : "");
  if (isTooLong || state(current) != WebSocket.OPEN) return;
  current.socket.close(Number(element("code").value), reason);
  addEvent(current, "Closing with " + element("code").value + " …");
  drawState();
};

element("open").onclick = () => open(current);
element("clear").onclick = () => {
  [current.lines, fresh] = [[], []];
  log.replaceChildren();
};

const routeInAddress = () => routes.find(({ name }) => "#" + name == location.hash) ?? routes[0];
addEventListener("hashchange", () => choose(routeInAddress()));
choose(routeInAddress());
addEventListener("pagehide", () => routes.forEach(({ socket }) => socket?.close()));
