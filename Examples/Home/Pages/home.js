const shown = 48;
const bars = Array.from({ length: shown }, (_, place) =>
  drawn("rect", { x: place * 240 / shown + .75, y: 0, width: 240 / shown - 1.5, height: 80, rx: 1.2 }));
element("bars").append(...bars);
let beats = [];

function drawBeats() {
  const top = Math.max(8, ...beats);
  bars.forEach((bar, place) => {
    const height = Math.max(1.5, 78 * (beats[place] ?? 0) / top);
    bar.setAttribute("y", 80 - height);
    bar.setAttribute("height", height);
  });
}

// The two largest units of it: "2 h 5 min".
function duration(seconds) {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const parts = units.map(([size, unit], place) =>
    [Math.floor(seconds % (units[place - 1]?.[0] ?? Infinity) / size), unit]);
  const first = parts.findIndex(([count]) => count > 0);
  return parts.slice(first < 0 ? 3 : first).slice(0, 2).map(part => part.join(" ")).join(" ");
}

connect("/vitals", {
  welcome({ history }) {
    beats = history;
    drawBeats();
  },
  vitals({ connections, messages, perSecond, upSeconds, people, rooms }) {
    beats = [...beats.slice(1 - shown), perSecond];
    drawBeats();
    tell(element("per-second"), grouped(perSecond));
    tell(element("connections"), grouped(connections));
    tell(element("messages"), grouped(messages));
    tell(element("up"), duration(upSeconds));
    tell(element("attendance"), people == 0 ? "Nobody is there yet."
      : counted(people, "person", "people") + " in " + counted(rooms, "room") + ".");
  },
});

let prices = [], first = "";
function drawPrice() {
  element("spark").firstElementChild.setAttribute("d", curve(prices));
  tell(element("price"), first + " " + prices.at(-1).toFixed(2));
}

connect("/ticks", {
  welcome({ names, history }) {
    first = names[0];
    prices = history[0];
    drawPrice();
  },
  tick({ prices: [price] }) {
    prices = [...prices.slice(-239), price];
    drawPrice();
  },
}, { tells: false });
