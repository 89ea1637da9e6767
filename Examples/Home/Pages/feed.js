const canvas = element("chart");
let names = [], history = [], rows = [], chosen = 0, isPaused = false, received = 0, perSecond = 4, shown = 240;

function row(name, place) {
  const price = make("span", { className: "price number" }), change = make("span", { className: "change number" });
  const spark = drawn("svg", { class: "spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": true });
  const line = drawn("path");
  spark.append(line);
  const button = make("button", { className: "panel" }, make("span", { className: "name" }, name), spark, price, change);
  button.dataset.voice = place + 1;
  button.onclick = () => {
    chosen = place;
    draw();
  };
  return { button, price, change, line, item: make("li", {}, button) };
}

function percent(values) {
  const change = (values.at(-1) / values[0] - 1) * 100;
  return { text: (change < 0 ? "▼ " : "▲ ") + Math.abs(change).toFixed(2) + " %", name: change < 0 ? "down" : "up" };
}

function drawChart(values) {
  const ratio = devicePixelRatio, width = canvas.width = canvas.clientWidth * ratio;
  const height = canvas.height = canvas.clientHeight * ratio;
  const brush = canvas.getContext("2d"), style = getComputedStyle(canvas);
  const unit = parseFloat(style.fontSize) * ratio;
  const low = Math.min(...values), high = Math.max(...values), margin = (high - low || 1) * .12;
  const bottom = height - 1.6 * unit, right = width - 4.2 * unit;
  const x = place => place / (shown - 1) * right;
  const y = value => bottom - (value - low + margin) / (high - low + 2 * margin || 1) * bottom;

  brush.font = `${unit * .75}px ${style.fontFamily}`;
  brush.textBaseline = "middle";
  brush.lineWidth = ratio;
  for (let step = 0; step < 5; step++) {
    const value = low + (high - low) * step / 4;
    brush.strokeStyle = style.borderTopColor;
    brush.beginPath();
    brush.moveTo(0, y(value));
    brush.lineTo(right, y(value));
    brush.stroke();
    brush.fillStyle = style.outlineColor;
    brush.fillText(value.toFixed(2), right + .6 * unit, y(value));
  }
  for (let seconds = 0; seconds <= 60; seconds += right > 22 * unit ? 15 : 30) {
    brush.textAlign = seconds == 0 ? "right" : seconds == 60 ? "left" : "center";
    brush.fillText(seconds == 0 ? "now" : "−" + seconds + " s", right * (1 - seconds / 60), height - .6 * unit);
  }

  const begin = shown - values.length;
  brush.beginPath();
  values.forEach((value, place) => brush.lineTo(x(begin + place), y(value)));
  brush.strokeStyle = style.color;
  brush.lineWidth = .14 * unit;
  brush.lineJoin = "round";
  brush.stroke();
  brush.lineTo(right, bottom);
  brush.lineTo(x(begin), bottom);
  const fade = brush.createLinearGradient(0, 0, 0, bottom);
  fade.addColorStop(0, style.color);
  fade.addColorStop(1, "transparent");
  brush.globalAlpha = .22;
  brush.fillStyle = fade;
  brush.fill();
  brush.globalAlpha = 1;
  brush.beginPath();
  brush.arc(right, y(values.at(-1)), .3 * unit, 0, 2 * Math.PI);
  brush.fillStyle = style.color;
  brush.fill();
}

function draw() {
  if (isPaused || history.length == 0) return;
  rows.forEach(({ button, price, change, line }, place) => {
    const values = history[place], { text, name } = percent(values);
    price.textContent = values.at(-1).toFixed(2);
    change.textContent = text;
    change.className = "change number " + name;
    line.setAttribute("d", curve(values));
    button.ariaPressed = String(place == chosen);
  });
  const values = history[chosen], { text, name } = percent(values);
  canvas.dataset.voice = chosen + 1;
  tell(element("chosen"), names[chosen]);
  element("chosen-price").textContent = values.at(-1).toFixed(2);
  element("chosen-change").textContent = text;
  element("chosen-change").className = "number " + name;
  drawChart(values);
  tell(element("rate"), `${perSecond} ticks a second, ${grouped(received)} received since this page was opened. Changes are those of the last minute.`);
}

connect("/ticks", {
  welcome(told) {
    [names, history, perSecond] = [told.names, told.history, told.ticksPerSecond];
    shown = 60 * perSecond;
    rows = names.map(row);
    element("instruments").replaceChildren(...rows.map(({ item }) => item));
    chosen = Math.min(chosen, names.length - 1);
    draw();
  },
  tick({ prices }) {
    received++;
    history = history.map((values, place) => [...values.slice(1 - shown), prices[place]]);
    draw();
  },
});

element("pause").onclick = () => {
  isPaused = !isPaused;
  element("pause").ariaPressed = String(isPaused);
  draw();
};

// Also when it becomes dark.
new ResizeObserver(draw).observe(canvas);
matchMedia("(prefers-color-scheme: dark)").onchange = draw;
