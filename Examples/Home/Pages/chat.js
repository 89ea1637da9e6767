const log = element("log"), text = element("text");
// So many lines are kept on the page.
const limit = 500;
let here = "", own = "", people = new Set(), isIn = false;
let last = { name: null, day: null };
// Where the page is in what was said here, and how many of the lines that it has missed are still to come.
let position = null, missing = 0, greeting = "";

// What a browser remembers, if it may.
const kept = {
  get name() { try { return localStorage.getItem("jazzy.name"); } catch { return null; } },
  set name(name) { try { localStorage.setItem("jazzy.name", name); } catch { /* It asks again. */ } },
};
// What is asked for: the name may be given with a number behind it, because somebody has it, perhaps the connection that
// was lost. What was granted last counts again where more is refused.
let wanted = { room: roomInAddress(), name: kept.name ?? "Guest " + Math.floor(1000 + 9000 * Math.random()) };
let granted = null;
element("name").value = wanted.name;

function roomInAddress() {
  try { return decodeURIComponent(location.hash.slice(1)) || "Lobby"; } catch { return "Lobby"; }
}

// The same voice for the same name, in every browser.
function voice(name) {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) % 9973;
  return sum % 6 + 1;
}

function avatar(name) {
  const [letter] = new Intl.Segmenter().segment(name.trim())[Symbol.iterator]();
  const made = make("span", { className: "avatar", ariaHidden: "true" }, letter?.segment.toUpperCase() ?? "?");
  made.dataset.voice = voice(name);
  return made;
}

// Whether the log shows what is new, also when it becomes smaller.
let isAtEnd = true, height = 0, fresh = [];

const drawLines = beforeDrawing(() => {
  log.append(...fresh);
  fresh = [];
  while (log.childElementCount > limit) log.firstElementChild.remove();
  if (isAtEnd) log.scrollTop = log.scrollHeight;
  else element("newer").hidden = false;
});

function show(item, isOwn = false) {
  fresh.push(item);
  if (fresh.length > limit) fresh.shift();
  isAtEnd ||= isOwn;
  drawLines();
}

function notice(...content) {
  last.name = null;
  show(make("li", { className: "notice" }, ...content));
}

const bdi = text => make("bdi", {}, text);

function tellOf(names, what) {
  if (names.length > 5) notice(counted(names.length, "person", "people"), what);
  else names.forEach(name => notice(bdi(name), what));
}

const shortTime = clock({ hour: "2-digit", minute: "2-digit" });

function showLine({ name, text, date }) {
  const isOwn = name == own, when = new Date(date);
  const item = make("li", { className: isOwn ? "own" : "other" });
  item.dataset.voice = voice(name);
  if (last.name != name) {
    const time = make("time", { dateTime: date }, shortTime(when));
    item.append(avatar(name), make("p", { className: "who" }, bdi(name), " ", time));
  }
  last.name = name;
  item.append(make("p", { className: "said", dir: "auto" }, text));
  show(item, isOwn);
}

function drawPeople() {
  const names = [...people].sort((one, other) => (other == own) - (one == own) || one.localeCompare(other));
  element("people-list").replaceChildren(...names.map(name =>
    make("li", {}, avatar(name), make("bdi", { title: name }, name), ...(name == own ? [make("em", {}, "you")] : []))));
  tell(element("people-count"), grouped(people.size));
  tell(element("count"), people.size == 1 ? "Nobody else is here." : counted(people.size, "person", "people") + " here");
}

function roomItem(name) {
  const badge = make("span", { className: "badge number" });
  const link = make("a", { href: "#" + encodeURIComponent(name) }, make("bdi", { title: name }, name), badge);
  return { item: make("li", {}, link), link, badge };
}

// Those that stay are not made anew: somebody may be about to use one.
let roomItems = new Map();
function drawRooms(list) {
  const before = roomItems;
  roomItems = new Map(list.map(({ name }) => [name, before.get(name) ?? roomItem(name)]));
  for (const [name, { item }] of before) if (!roomItems.has(name)) item.remove();
  list.forEach(({ name, people }, place) => {
    const { item, link, badge } = roomItems.get(name), next = element("room-list").children[place] ?? null;
    if (next != item) element("room-list").insertBefore(item, next);
    badge.title = counted(people, "person", "people");
    tell(badge, grouped(people));
    link.ariaCurrent = name == here ? "true" : null;
  });
}

function mayTalk(may) {
  isIn = may;
  element("send").disabled = !may;
}

function join() {
  const since = position && wanted.room == here ? `${position.epoch}:${position.offset}` : undefined;
  link.send({ join: { ...wanted, since } });
}

// Behind the lines that were said before.
function greet() {
  if (missing > 0) return;
  isAtEnd = true;
  notice(greeting, bdi(own), ".");
}

let rooms = [], again;
const link = connect("/rooms", {
  opened: join,
  lost() {
    if (isIn) notice("The connection is lost. Trying again …");
    mayTalk(false);
  },
  rooms({ list }) { drawRooms(rooms = list); },
  joined({ room, name, people: names }) {
    greeting = room == here ? "You are " : "You came as ";
    if (room != here) position = null;
    [here, own, people] = [room, name, new Set(names)];
    wanted.room = room;
    granted = { ...wanted };
    element("name").value = name;
    tell(element("here"), room);
    tell(element("problem"), "");
    document.title = room + " · Jazzy for Swift";
    mayTalk(true);
    drawPeople();
    drawRooms(rooms);
  },
  // What the page has stays where nothing was missed; else it begins anew with what was said last.
  beginning({ epoch, offset, recovered, count }) {
    position = { epoch, offset };
    missing = count;
    if (!recovered) {
      log.replaceChildren();
      fresh = [];
      last.name = null;
    }
    greet();
  },
  counted({ o }) {
    position.offset = o;
    missing = Math.max(-1, missing - 1);
  },
  // Some of it the page knows already, because it was told who is there when it came.
  came({ names }) {
    tellOf(names.filter(name => !people.has(name)), " came.");
    names.forEach(name => people.add(name));
    drawPeople();
  },
  went({ names }) {
    tellOf(names.filter(name => people.has(name)), " went.");
    names.forEach(name => people.delete(name));
    drawPeople();
  },
  said({ line }) {
    showLine(line);
    if (missing == 0) greet();
  },
  refused({ reason }) {
    tell(element("problem"), reason);
    if (isIn) {
      if (wanted.room != granted.room) history.replaceState(null, "", "#" + encodeURIComponent(granted.room));
      wanted = { ...granted };
      element("name").value = own;
    } else {
      // Somebody may go.
      clearTimeout(again);
      again = setTimeout(() => { if (!isIn && link.socket.readyState == WebSocket.OPEN) join(); }, 5000);
    }
  },
});

function enter(room) {
  wanted.room = room;
  if (link.socket.readyState == WebSocket.OPEN) join();
  if (!isWide.matches) element("rooms").open = false;
}

addEventListener("hashchange", () => enter(roomInAddress()));

element("new-room").onsubmit = event => {
  event.preventDefault();
  location.hash = encodeURIComponent(element("room").value.trim());
  element("room").value = "";
};

element("rename").onsubmit = event => {
  event.preventDefault();
  kept.name = wanted.name = element("name").value.trim();
  enter(wanted.room);
};

element("form").onsubmit = event => {
  event.preventDefault();
  if (!isIn || !text.value.trim()) return;
  tell(element("problem"), "");
  link.send({ say: { text: text.value } });
  text.value = "";
  fit();
};

function fit() {
  text.style.height = "auto";
  text.style.height = text.scrollHeight + 2 + "px";
}
text.oninput = fit;
text.onkeydown = event => {
  if (event.key != "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  element("form").requestSubmit();
};

// An event of before it became smaller, or larger, says nothing of where it is now.
log.onscroll = () => {
  if (log.clientHeight != height) return;
  isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  if (isAtEnd) element("newer").hidden = true;
};
new ResizeObserver(() => {
  height = log.clientHeight;
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}).observe(log);
element("newer").onclick = () => { log.scrollTop = log.scrollHeight; };

// On a wide screen both lists are always there, on others one at a time.
const isWide = matchMedia("(min-width: 56rem)");
const sides = [element("rooms"), element("people")];
function arrange() {
  for (const side of sides) side.open = isWide.matches;
}
sides.forEach((side, place) => side.ontoggle = () => {
  if (side.open && !isWide.matches) sides[1 - place].open = false;
});
isWide.onchange = arrange;
arrange();
if (isWide.matches) text.focus();
