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

const grouped = value => value.toLocaleString("en");
const counted = (count, one, many = one + "s") => grouped(count) + " " + (count == 1 ? one : many);
const socketAddress = path => location.origin.replace(/^http/, "ws") + path;

function tellLink(state, text) {
  element("link").dataset.is = state;
  tell(element("link"), text);
}

// A WebSocket that comes back: soon at first, then less often, and at once when there is reason to hope. The messages
// are objects of JSON, each with one key, which is the name of its handler. Those of a topic with history are in envelopes:
// `beginning` and `counted` get these (see the guide "History").
function connect(path, handlers, { tells = true } = {}) {
  const link = { socket: null, send: message => link.socket.send(JSON.stringify(message)) };
  let failures = 0, timer, isOver = false, heardAt = 0;

  function open() {
    clearTimeout(timer);
    isOver = false;
    heardAt = Date.now();
    const socket = link.socket = new WebSocket(socketAddress(path));
    socket.onopen = () => {
      failures = 0;
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
    socket.onclose = () => {
      if (tells) tellLink("lost", "Connection lost, trying again …");
      handlers.lost?.(failures == 0);
      const wait = Math.min(400 * 1.6 ** failures++, 5000) * (.75 + Math.random() / 2);
      if (!isOver) timer = setTimeout(open, wait);
    };
  }

  // Who wakes up, or comes into another network, has a connection that is dead, mostly without having been told.
  function hope() {
    const socket = link.socket, isSilent = Date.now() - heardAt > 30000;
    if (isOver || (socket.readyState != WebSocket.CLOSED && !isSilent)) return;
    if (socket.readyState != WebSocket.CLOSED) {
      [socket.onopen, socket.onmessage] = [null, null];
      const lose = socket.onclose;
      socket.onclose = null;
      socket.close();
      lose();
    }
    open();
  }

  addEventListener("online", hope);
  addEventListener("visibilitychange", () => { if (!document.hidden) hope(); });
  addEventListener("pagehide", () => {
    isOver = true;
    clearTimeout(timer);
    link.socket.close(1000);
  });
  // Back from the browser's cache of pages, where a page lives on without its connection.
  addEventListener("pageshow", event => { if (event.persisted) open(); });

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

