extension DashboardPage {
    /// What is shown of a sample, and the WebSocket that brings them.
    static let script = #"""
        const kinds = ["text", "binary", "ping", "pong"];
        const codes = {
          1000: "normal", 1001: "going away", 1002: "protocol error", 1003: "unsupported data", 1005: "no code",
          1006: "no close frame", 1007: "invalid data", 1008: "policy", 1009: "too big", 1010: "extension missing",
          1011: "internal error", 1012: "restart", 1013: "try again later", 1014: "bad gateway", 1015: "TLS",
        };
        const sum = counts => Object.values(counts ?? {}).reduce((total, value) => total + value, 0);

        const tiles = {
          websockets: tile("WebSockets"), received: tile("Messages in"), sent: tile("Messages out"),
          receivedBytes: tile("Bytes in"), sentBytes: tile("Bytes out"), unsent: tile("Unsent output"),
          lag: tile("Loop lag"), busy: tile("Busiest loop"), refused: tile("Refused"), ended: tile("Failed"),
        };
        const charts = {
          messages: chart("Messages per second", ["received", "sent"], rate, { least: 10 }),
          bytes: chart("Bytes per second", ["received", "sent"], bytes, { least: 1000 }),
          connections: chart("Connections", ["WebSockets", "all"], count, { least: 10 }),
          lag: chart("Time per iteration, and lag", ["lag", "average"], time, { least: 1e6 }),
        };
        const tables = {
          kinds: table("traffic", "Messages by kind",
            [["Kind"], ["Received"], ["Bytes"], ["Sent"], ["Bytes"]]),
          topics: table("traffic", "Busiest topics",
            [["Topic", "any"], ["Subscribers"], ["Published/s"], ["Delivered/s"], ["Bytes/s"]],
            { none: "Nothing was published in the last second." }),
          receivers: table("traffic", "Slowest receivers", [["Client", "any"], ["Route", "text"], ["Unsent"]],
            { none: "No client is behind." }),
          rate: table("traffic", "Limited and dropped", [["What"], ["Count"], ["Per s"]]),
          codes: table("ends", "Closes by code", [["Code"], ["Count"], ["Per s"]], { none: "No WebSocket has ended." }),
          causes: table("ends", "Closes by cause", [["Cause"], ["Count"], ["Per s"]], { none: "No WebSocket has ended." }),
          refused: table("ends", "Refusals by reason", [["Reason"], ["Count"], ["Per s"]], { none: "Nobody was refused." }),
          failures: table("ends", "Failures by rule", [["Rule"], ["Count"], ["Per s"]], { none: "No WebSocket has failed." }),
          incidents: table("ends", "Last refusals, failures and losses",
            [["Time"], ["What", "text"], ["Reason", "text"], ["Client", "text"], ["Route", "text"]],
            { isWhole: true, isLog: true, none: "None so far." }),
          loops: table("machine", "Event loops",
            [["Loop"], ["WebSockets"], ["Received/s"], ["Sent/s"], ["Topics"], ["Subscriptions"], ["Unsent"],
              ["Iterations/s"], ["Lag"], ["Longest"], ["Busy"]],
            { isWhole: true }),
        };
        const cards = {
          loop: pairs("cards", "All loops"), workers: pairs("cards", "Workers"), process: pairs("cards", "Process"),
          broker: pairs("cards", "Broker"), tls: pairs("cards", "TLS"), history: pairs("cards", "History"),
        };
        for (const fill of Object.values(tables)) fill(null);
        for (const fill of Object.values(cards)) fill(null);
        for (const fill of Object.values(tiles)) fill(["–"], "\u00a0");

        // MARK: A sample

        let before, latest, isPaused = false;

        /// Those that are not 0, the most first, with how many there are a second.
        function ranked(counts, earlier, seconds, name = words) {
          const rows = Object.entries(counts ?? {}).filter(([, value]) => value > 0).sort((a, b) => b[1] - a[1]);
          const most = rows[0]?.[1] ?? 1;
          return rows.map(([key, value]) => [
            { text: name(key), share: value / most }, count(value), rate((value - (earlier?.[key] ?? 0)) / seconds)]);
        }

        function rates(now, then) {
          const seconds = (now.uptime_ns - then.uptime_ns) / 1e9;
          const per = choose => Math.max(0, (choose(now) - choose(then)) / seconds);
          const loops = now.loops.map((loop, place) =>
            Math.max(0, loop.time_ns - (then.loops[place]?.time_ns ?? 0)) / (seconds * 1e9));
          const iterations = now.iterations.total - then.iterations.total;
          return {
            seconds, loops, per,
            received: per(sample => sum(sample.messages.received)), sent: per(sample => sum(sample.messages.sent)),
            receivedBytes: per(sample => sum(sample.messages.received_bytes)),
            sentBytes: per(sample => sum(sample.messages.sent_bytes)),
            iteration: iterations > 0 ? (now.iterations.time_ns - then.iterations.time_ns) / iterations : 0,
            refused: per(sample => sum(sample.refused)), failed: per(sample => sum(sample.failures)),
            dropped: per(sample => sample.messages.dropped),
          };
        }

        function showTiles(now, rates) {
          const { connections, messages } = now, busiest = Math.max(0, ...rates.loops);
          const lag = now.iterations.lag_ns;
          tiles.websockets([count(connections.websockets_now)], `${count(connections.websockets_total)} in all`);
          tiles.received([...rated(rates.received).slice(0, 1), rated(rates.received)[1] + "/s"],
            `${count(sum(messages.received))} in all`);
          tiles.sent([...rated(rates.sent).slice(0, 1), rated(rates.sent)[1] + "/s"],
            `${count(sum(messages.sent))} in all`);
          const [inNumber, inUnit] = inBytes(rates.receivedBytes), [outNumber, outUnit] = inBytes(rates.sentBytes);
          tiles.receivedBytes([inNumber, inUnit + "/s"], `${bytes(sum(messages.received_bytes))} in all`);
          tiles.sentBytes([outNumber, outUnit + "/s"], `${bytes(sum(messages.sent_bytes))} in all`);
          tiles.unsent(inBytes(messages.buffered_bytes), `${count(messages.dropped)} dropped`,
            rates.dropped > 0 ? "bad" : "");
          tiles.lag(inTime(lag), `longest ${time(now.iterations.longest_ns)}`, lag > 1e9 ? "bad" : lag > 1e8 ? "warn" : "");
          tiles.busy(percent(busiest).split(" "), `of ${now.loops.length} ${now.loops.length == 1 ? "loop" : "loops"}`,
            busiest > 0.95 ? "bad" : busiest > 0.8 ? "warn" : "");
          tiles.refused([count(sum(now.refused))], `${rate(rates.refused)}/s now`, rates.refused > 0 ? "warn" : "");
          tiles.ended([count(sum(now.failures))], `${rate(rates.failed)}/s now`, rates.failed > 0 ? "warn" : "");
        }

        function showTraffic(now, then, { seconds }) {
          const { messages } = now;
          tables.kinds(kinds.map(kind => [kind, count(messages.received[kind]), count(messages.received_bytes[kind]),
            count(messages.sent[kind]), count(messages.sent_bytes[kind])]));
          const [span, most] = [now.topics_ns / 1e9, Math.max(1, ...now.topics.map(topic => topic.deliveries))];
          tables.topics(now.topics.map(topic => [
            { text: topic.name + (topic.is_cut ? "…" : ""), share: topic.deliveries / most }, count(topic.subscribers),
            rate(topic.publications / span), rate(topic.deliveries / span), bytes(topic.bytes / span)]));
          const slowest = Math.max(1, ...now.receivers.map(receiver => receiver.unsent_bytes));
          tables.receivers(now.receivers.map(({ address, route, unsent_bytes }) => [
            { text: address, share: unsent_bytes / slowest }, route ?? "–", bytes(unsent_bytes)]));
          const limited = sample => ({
            "messages dropped for slow receivers": sample.messages.dropped,
            ...Object.fromEntries([["drop", "messages dropped by rate"], ["pause", "pauses by rate"],
              ["close", "closes by rate"]].map(([key, name]) => [name, sample.messages.rate_exceeded[key]])),
            "frames that viewers of this page missed": sample.viewers.skipped,
          });
          const [current, earlier] = [limited(now), limited(then)];
          tables.rate(Object.keys(current).map(name =>
            [name, count(current[name]), rate((current[name] - earlier[name]) / seconds)]));
        }

        function showEnds(now, then, { seconds }) {
          const nameOfCode = code => codes[code] ? `${code} ${codes[code]}` : code;
          tables.codes(ranked(now.closes.codes, then.closes.codes, seconds, nameOfCode));
          tables.causes(ranked(now.closes.causes, then.closes.causes, seconds));
          tables.refused(ranked(now.refused, then.refused, seconds));
          tables.failures(ranked(now.failures, then.failures, seconds));
          const withCode = ({ text, close_code }) => close_code ? `${text} (${nameOfCode(close_code)})` : text;
          tables.incidents(now.incidents.slice(0, 16).map(incident => [
            clock(incident.time_ms), { text: incident.kind, className: "text kind" }, withCode(incident),
            incident.address, incident.route ?? "–"]));
        }

        function showMachine(now, then, { seconds, loops, iteration }) {
          tables.loops(now.loops.map((loop, place) => {
            const per = name => rate(Math.max(0, loop[name] - (then.loops[place]?.[name] ?? 0)) / seconds);
            return [`${place}`, count(loop.websockets), per("received"), per("sent"), count(loop.topics),
              count(loop.subscriptions), bytes(loop.buffered_bytes), per("iterations"), time(loop.lag_ns),
              time(loop.longest_ns), { text: percent(loops[place]), share: loops[place] }];
          }));
          const { workers, broker, tls, history, process } = now;
          cards.workers({
            "threads": count(workers.threads), "busy": count(workers.busy),
            "connections that wait": { text: count(workers.queued), className: workers.queued > workers.threads ? "bad" : "" },
          });
          cards.broker(broker && {
            "state": broker.is_joined ? { text: "joined", className: "good" } : { text: "apart", className: "bad" },
            "lag": time(broker.lag_ns), "waiting": `${count(broker.queued_messages)} messages, ${bytes(broker.queued_bytes)}`,
            "published": count(broker.published), "delivered": count(broker.delivered), "refused": count(broker.refused),
            "dropped": count(broker.dropped), "gaps": count(broker.gaps), "losses": count(broker.losses),
            "reconnects": count(broker.reconnects), "topics": count(broker.topics),
            "refused topics": { text: count(broker.refused_topics), className: broker.refused_topics > 0 ? "bad" : "" },
          });
          cards.history(history && {
            "topics": count(history.topics), "messages": count(history.messages), "memory": bytes(history.bytes),
            "clients that continued": count(history.recovered), "that could not": count(history.not_recovered),
          });
          const days = tls?.expires && Math.floor((tls.expires - now.time_ms / 1000) / 86400);
          cards.tls(tls && {
            "full handshakes": count(tls.full), "resumed": count(tls.resumed), "failed": count(tls.failed),
            "reloads": count(tls.reloads), "failed reloads": count(tls.failed_reloads),
            "certificate": !tls.expires ? "–" : days < 0 ? { text: "expired", className: "bad" }
              : { text: `${count(days)} days left`, className: days < 14 ? "bad" : "" },
          });
          cards.process({
            "processor": "cpu_ns" in process
              ? `${percent((process.cpu_ns - then.process.cpu_ns) / (seconds * 1e9))} of a core` : "–",
            "memory": bytes(process.resident_bytes), "address space": bytes(process.virtual_bytes),
            "descriptors": `${count(process.descriptors)} of ${count(process.max_descriptors)}`,
          });
          cards.loop({
            "iterations": count(now.iterations.total), "average now": time(iteration),
            "longest": time(now.iterations.longest_ns), "connections": count(now.connections.now),
            "most at a time": count(now.connections.peak), "all that came": count(now.connections.total),
            "in handshakes": count(now.connections.handshakes),
          });
        }

        const states = { draining: "Draining: takes no new clients", stopping: "Stopping", stuck: "A loop is stuck" };

        // What stands still, and since when; a connection that was lost meanwhile is there again.
        let pausedAt;
        const tellPaused = () => tell("paused", pausedAt ? `Paused at ${clock(pausedAt)}` : "Paused");

        function show(now, then, current) {
          pausedAt = now.time_ms;
          if (isPaused) tellPaused();
          else tell(states[now.server.state] ? "warned" : "live", states[now.server.state] ?? "Live");
          write(element("place"), `${location.host} · version ${now.server.version}`);
          write(element("uptime"), lasting(now.uptime_ns));
          write(element("viewers"), `This page has ${count(now.viewers.now)} ${now.viewers.now == 1 ? "viewer" : "viewers"}; `
            + `${count(now.viewers.messages)} messages of ${bytes(now.viewers.bytes)} went to them, and are in the counts.`);
          showTiles(now, current);
          showTraffic(now, then, current);
          showEnds(now, then, current);
          showMachine(now, then, current);
          for (const chart of Object.values(charts)) chart.draw(performance.now());
        }

        const begun = sample => sample.time_ms - sample.uptime_ns / 1e6;

        function take(sample) {
          // Another server, or the same one that was started anew: it may be up for longer than the other was.
          if (before && (sample.uptime_ns < before.uptime_ns || Math.abs(begun(sample) - begun(before)) > 2000
              || sample.connections.total < before.connections.total)) before = latest = undefined;
          if (before && sample.uptime_ns === before.uptime_ns) return;
          const then = before ?? sample, current = before ? rates(sample, then) : rates({ ...sample }, { ...then, uptime_ns: -1 });
          const at = performance.now();
          if (before) {
            charts.messages.add(at, [current.received, current.sent]);
            charts.bytes.add(at, [current.receivedBytes, current.sentBytes]);
            charts.lag.add(at, [sample.iterations.lag_ns, current.iteration]);
          }
          charts.connections.add(at, [sample.connections.websockets_now, sample.connections.now]);
          before = sample;
          latest = [sample, then, current];
          if (!isPaused) show(...latest);
          else tellPaused();
        }

        // MARK: The connection

        let socket, watch, lostAt;

        function tell(state, text) {
          document.body.dataset.state = state;
          write(element("state"), text);
        }

        function lost(reason) {
          lostAt ??= Date.now();
          tell("lost", "Connection lost");
          document.title = "Lost: Jazzy dashboard";
          element("banner").hidden = false;
          write(element("banner"), `${reason || "No connection to the server"} since ${clock(lostAt)}. Trying again every second …`);
        }

        function found() {
          lostAt = undefined;
          document.title = "Jazzy dashboard";
          element("banner").hidden = true;
          write(element("banner"), "");
        }

        // A machine that is gone does not say so.
        function expectSample() {
          clearTimeout(watch);
          watch = setTimeout(() => {
            socket.onclose = socket.onmessage = null;
            socket.close();
            again();
          }, 5000);
        }

        function connect() {
          socket = new WebSocket(location.origin.replace(/^http/, "ws") + location.pathname + location.search);
          expectSample();
          socket.onmessage = ({ data }) => {
            expectSample();
            found();
            take(JSON.parse(data));
          };
          socket.onclose = ({ code, reason }) => again(code === 1013 ? reason.replace(/\.$/, "") : "");
        }

        function again(reason) {
          clearTimeout(watch);
          lost(reason);
          setTimeout(connect, 1000);
        }

        element("pause").onclick = () => {
          isPaused = !isPaused;
          element("pause").ariaPressed = String(isPaused);
          write(element("pause"), isPaused ? "Go on" : "Pause");
          if (latest && !lostAt) show(...latest);
        };

        connect();
        """#
}
