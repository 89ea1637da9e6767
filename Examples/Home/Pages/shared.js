// What the scripts of all pages use. Texts of others become text nodes: there is nothing here that reads HTML.
const element = id => document.getElementById(id);

function make(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const drawn = (name, attributes = {}) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};

// Only what is new is written, and so read out.
function tell(target, text) {
  if (target.textContent != text) target.textContent = text;
}

// Does it once before the page is drawn next, however often it is asked for. To know where a list ends the browser lays it
// out: not for each of many things that come at once.
function beforeDrawing(act) {
  let isDue = false;
  const draw = () => {
    isDue = false;
    act();
  };
  return () => {
    if (!isDue) document.hidden ? setTimeout(draw) : requestAnimationFrame(draw);
    isDue = true;
  };
}

// Made once: to make one takes a browser longer than all else of a line, and many lines come at once.
const clock = options => {
  const format = new Intl.DateTimeFormat([], options);
  return time => format.format(time);
};

const grouped = value => value.toLocaleString("en");
const counted = (count, one, many = one + "s") => grouped(count) + " " + (count == 1 ? one : many);
const socketAddress = path => location.origin.replace(/^http/, "ws") + path;

function tellLink(state, text) {
  element("link").dataset.is = state;
  tell(element("link"), text);
}

// In milliseconds. The server tells each page something at least every 15 seconds.
const silence = 30_000, patience = 10_000, stable = 5_000, watchEach = 2_000;

// A WebSocket that comes back: soon at first, then less often, and at once when there is reason to hope. One on which
// nothing comes is dead, though nobody has said so: a page is not told of pings. The messages are objects of JSON, each
// with one key, which is the name of its handler. Those of a topic with history are in envelopes: `beginning` and
// `counted` get these (see the guide "History").
function connect(path, handlers, { tells = true } = {}) {
  const link = { socket: null, send: message => link.socket.send(JSON.stringify(message)) };
  let failures = 0, timer, isOver = false, isLost = false, heardAt = 0, openedAt = 0;
  // A clock that was set back says nothing of how long ago that was.
  const isAgo = (time, length) => Math.abs(Date.now() - time) > length;

  function open() {
    clearTimeout(timer);
    isOver = isLost = false;
    heardAt = openedAt = Date.now();
    const socket = link.socket = new WebSocket(socketAddress(path));
    socket.onopen = () => {
      if (tells) tellLink("live", "Connected");
      handlers.opened?.();
    };
    socket.onmessage = ({ data }) => {
      heardAt = Date.now();
      const message = JSON.parse(data);
      if ("epoch" in message) return handlers.beginning?.(message);
      if ("t" in message) handlers.counted?.(message);
      for (const [name, content] of Object.entries("t" in message ? JSON.parse(message.d) : message)) {
        if (Object.hasOwn(handlers, name)) handlers[name](content);
      }
    };
    socket.onclose = lose;
  }

  // Whatever the connection still brings counts for nothing.
  function leave() {
    const { socket } = link;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  function lose() {
    leave();
    isLost = true;
    if (tells) tellLink("lost", "Connection lost, trying again …");
    handlers.lost?.();
    if (isAgo(openedAt, stable)) failures = 0;
    timer = setTimeout(open, Math.min(400 * 1.6 ** failures++, 5000) * (.75 + Math.random() / 2));
  }

  // Who wakes up, or comes into another network, has a connection that is dead, mostly without having been told.
  function hope() {
    if (isOver || !(isLost || isAgo(heardAt, silence))) return;
    if (!isLost) lose();
    open();
  }

  setInterval(() => {
    const isOpening = link.socket.readyState == WebSocket.CONNECTING;
    if (!isOver && !isLost && isAgo(heardAt, isOpening ? patience : silence)) lose();
  }, watchEach);

  addEventListener("online", hope);
  addEventListener("visibilitychange", () => { if (!document.hidden) hope(); });
  addEventListener("pagehide", () => {
    isOver = true;
    clearTimeout(timer);
    leave();
  });
  // Back from the browser's cache of pages, where a page lives on without its connection.
  addEventListener("pageshow", event => {
    if (!event.persisted) return;
    lose();
    open();
  });

  open();
  return link;
}

// A curve in a box of 100 by 30, from the lowest of the values to the highest.
function curve(values) {
  const low = Math.min(...values), range = Math.max(...values) - low || 1;
  const points = values.map((value, place) =>
    (place / Math.max(1, values.length - 1) * 100).toFixed(2) + " " + (28 - (value - low) / range * 26).toFixed(2));
  return "M" + points.join("L");
}

