extension DashboardPage {
    /// Formats, tables and charts. Texts become text nodes, never HTML: topics and reasons may be anything.
    static let drawing = #"""
        const element = id => document.getElementById(id);

        function make(name, properties = {}, ...children) {
          const made = Object.assign(document.createElement(name), properties);
          made.append(...children);
          return made;
        }

        // MARK: Formats

        const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
        const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
        const count = value => value === undefined || value === null ? "–" : whole.format(value);
        const words = name => String(name).replaceAll("_", " ");

        function scaled(value, units, step) {
          let place = 0;
          while (place < units.length - 1 && Math.abs(value) >= step * 0.9995) { value /= step; place++; }
          return [value === 0 ? "0" : short.format(value), units[place]];
        }

        const inBytes = value => scaled(value, ["B", "kB", "MB", "GB", "TB", "PB"], 1000);
        const inTime = ns => ns < 999.5e6
          ? scaled(ns, ["ns", "µs", "ms"], 1000) : [short.format(ns / 1e9), "s"];
        const rated = value => value > 0 && value < 99.5 ? [short.format(value), ""]
          : value < 999999.5 ? [whole.format(value), ""] : scaled(value, ["", "k", "M", "G"], 1000);
        const bytes = value => value === undefined || value === null ? "–" : inBytes(value).join(" ");
        const time = ns => ns === undefined || ns === null ? "–" : inTime(ns).join(" ");
        const rate = value => rated(value).join("").trim();
        const percent = share => `${share < 0.0995 ? (share * 100).toFixed(1) : whole.format(share * 100)} %`;
        const clock = ms => new Date(ms).toLocaleTimeString([], { hour12: false });

        function lasting(ns) {
          const seconds = Math.floor(ns / 1e9);
          const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]]
            .map(([size, unit], place, all) => [Math.floor((place ? seconds % all[place - 1][0] : seconds) / size), unit]);
          const first = Math.min(2, Math.max(0, parts.findIndex(([value]) => value > 0)));
          return parts.slice(seconds < 60 ? 3 : first, seconds < 60 ? 4 : first + 2).map(part => part.join(" ")).join(" ");
        }

        // Only what is new is written: selections stay, and nothing is read out again.
        function write(node, text) {
          if (node.textContent !== text) node.textContent = text;
        }

        // MARK: Cards

        function card(place, isWhole = false) {
          const made = make("div", { className: isWhole ? "card whole" : "card" });
          element(place).append(made);
          return made;
        }

        /// A table that is filled anew with each sample. A cell is a text, or {text, share, className}.
        function table(place, title, columns, { isWhole = false, isLog = false, none = "None." } = {}) {
          const heads = columns.map(([name, className = ""]) => make("th", { scope: "col", className }, name));
          const body = make("tbody");
          const scroller = make("div", { className: isLog ? "scroll log" : "scroll" },
            make("table", {}, make("caption", {}, title), make("thead", {}, make("tr", {}, ...heads)), body));
          const made = card(place, isWhole);
          made.append(scroller);
          const sizes = new ResizeObserver(() => {
            // What can be scrolled must be reached by keys, too; a longer number makes only the table wider.
            const scrolls = scroller.scrollWidth > scroller.clientWidth + 1;
            scroller.tabIndex = scrolls ? 0 : -1;
            if (scrolls) { scroller.role = "region"; scroller.ariaLabel = title; }
            else { scroller.removeAttribute("tabindex"); scroller.role = scroller.ariaLabel = null; }
          });
          for (const each of [scroller, scroller.firstChild]) sizes.observe(each);

          const cellOf = (cell, place) => {
            const { text, share, className = columns[place][1] ?? "" } = typeof cell == "object" ? cell : { text: cell };
            return [String(text), share, className];
          };
          const rowFor = cells => make("tr", {}, ...cells.map((cell, place) => {
            const [, share, className] = cellOf(cell, place);
            const made = place ? make("td", { className }) : make("th", { scope: "row", className });
            made.append(make("span"));
            if (share !== undefined) made.append(make("span", { className: "share", ariaHidden: "true" }, make("i")));
            return made;
          }));
          return rows => {
            made.hidden = rows === undefined || rows === null;
            if (made.hidden) return;
            body.className = rows.length ? "" : "none";
            if (!rows.length) {
              body.replaceChildren(make("tr", {}, make("td", { colSpan: columns.length }, none)));
              return;
            }
            if (body.rows[0]?.cells.length !== columns.length) body.replaceChildren();
            while (body.rows.length > rows.length) body.lastChild.remove();
            rows.forEach((cells, place) => {
              if (!body.rows[place]) body.append(rowFor(cells));
              cells.forEach((cell, column) => {
                const [text, share, className] = cellOf(cell, column), node = body.rows[place].cells[column];
                if (node.className !== className) node.className = className;
                write(node.firstChild, text);
                if (share !== undefined) node.lastChild.firstChild.style.width = `${Math.min(1, share) * 100}%`;
              });
            });
          };
        }

        /// A card of names and values; a value is a text, or {text, className}.
        function pairs(place, title) {
          const list = make("dl", { className: "pairs" }), made = card(place);
          made.append(make("h3", {}, title), list);
          return values => {
            made.hidden = !values;
            if (!values) return;
            for (const [place, [name, value]] of Object.entries(values).entries()) {
              if (!list.children[place]) list.append(make("div", {}, make("dt"), make("dd")));
              const [term, text] = list.children[place].children;
              write(term, name);
              write(text, value.text ?? value);
              text.className = value.className ?? "";
            }
            while (list.children.length > Object.keys(values).length) list.lastChild.remove();
          };
        }

        function tile(name) {
          const value = make("dd"), more = make("dd", { className: "more" });
          const made = make("div", {}, make("dt", {}, name), value, more);
          element("tiles").append(made);
          return ([number, unit], text = "", tone = "") => {
            const shown = unit ? `${number} ${unit}` : number;
            if (value.textContent !== shown) {
              value.replaceChildren(number, ...(unit ? [make("span", { className: "unit" }, ` ${unit}`)] : []));
            }
            write(more, text);
            made.dataset.tone = tone;
          };
        }

        // MARK: Charts

        const shownMs = 120000;

        function svg(name, attributes, ...children) {
          const made = document.createElementNS("http://www.w3.org/2000/svg", name);
          for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
          made.append(...children);
          return made;
        }

        /// The least of 1, 2 and 5 times a power of ten that is not below.
        function above(value, least) {
          const power = 10 ** Math.floor(Math.log10(Math.max(value, least)));
          return [1, 2, 5, 10].map(step => step * power).find(top => top >= Math.max(value, least) * 0.9999);
        }

        /// A chart of the last two minutes. `names` are those of its lines, `format` makes a text of a value.
        function chart(title, names, format, { least = 1, most = Infinity } = {}) {
          const points = [], area = svg("path", { class: "area s0" });
          const lines = names.map((_, place) => svg("path", { class: `s${place % 6}` }));
          const rules = [0.5, 99.5 / 2].map(y => svg("line", { x1: 0, x2: 1200, y1: y, y2: y }));
          const drawing = svg("svg", { viewBox: "0 0 1200 100", preserveAspectRatio: "none", role: "img",
            "aria-label": `${title}: nothing yet.` },
            ...rules, area, ...lines);
          const values = names.map(() => make("b", {}, "–"));
          const legend = make("span", { className: "legend" }, ...names.map((name, place) => make("span", {},
            make("span", { className: `swatch s${place % 6}`, ariaHidden: "true" }), `${name} `, values[place])));
          const [top, half] = ["scale", "scale half"].map(className => make("span", { className, ariaHidden: "true" }));
          const made = make("figure", { className: "card" },
            make("figcaption", {}, make("h3", {}, title), legend),
            make("div", { className: "plot" }, drawing, top, half),
            make("div", { className: "times", ariaHidden: "true" }, make("span", {}, "2 min ago"), make("span", {}, "now")));
          element("charts").append(made);
          let told = -Infinity;

          function path(place, limit, now) {
            let text = "", before = -Infinity;
            for (const [at, values] of points) {
              const x = (1200 + (at - now) / shownMs * 1200).toFixed(1);
              text += `${at - before > 3500 ? "M" : "L"}${x} ${(99 - Math.min(1, values[place] / limit) * 96).toFixed(2)}`;
              before = at;
            }
            return text;
          }

          return {
            add(at, values) {
              points.push([at, values]);
              while (points.length && at - points[0][0] > shownMs) points.shift();
            },
            draw(now) {
              if (!points.length) return;
              const all = points.flatMap(([, values]) => values), limit = Math.min(most, above(Math.max(...all), least));
              write(top, format(limit));
              write(half, format(limit / 2));
              lines.forEach((line, place) => line.setAttribute("d", path(place, limit, now)));
              // One area below each stretch without a gap.
              area.setAttribute("d", path(0, limit, now).split("M").filter(Boolean).map(part => {
                const xs = part.split("L").map(point => point.split(" ")[0]);
                return `M${xs[0]} 99L${part}L${xs.at(-1)} 99Z`;
              }).join(""));
              const last = points.at(-1)[1];
              values.forEach((node, place) => write(node, format(last[place])));
              if (now - told < 5000) return;
              told = now;
              drawing.setAttribute("aria-label", `${title}. ` + names.map((name, place) => {
                const seen = points.map(([, values]) => values[place]);
                return `${name}: now ${format(last[place])}, least ${format(Math.min(...seen))}, `
                  + `most ${format(Math.max(...seen))}.`;
              }).join(" "));
            },
          };
        }

        """#
}
