/**
 * Follows a resumable route of a Jazzy server over as many connections as it takes: when one is lost it comes back at the
 * position that it has counted, so that each message comes once and in order, or it tells that some are missed. It speaks
 * the subprotocol `jazzy.resume.1`, and needs nothing but a `WebSocket`, of a browser, a worker or Node.
 *
 * @typedef {object} Beginning What a connection begins with, or each topic on a connection with several.
 * @property {boolean} recovered Whether nothing was missed. If not, as at first, load your state anew.
 * @property {number} count How many messages were published meanwhile. They come first.
 * @property {string} epoch What offsets belong to.
 * @property {number} offset That of the last message before those that come.
 * @property {string} [t] The topic, where there are several.
 *
 * @typedef {object} Loss How a connection was lost.
 * @property {number} code Of the close frame; 1006: there was none, or none was waited for.
 * @property {string} reason Of the close frame, or why the connection was given up.
 * @property {number | null} again In how many milliseconds the next attempt begins; `null`: there is none, this is the end.
 *
 * @typedef {object} Options Times are in milliseconds.
 * @property {(message: string | ArrayBuffer, topic?: string) => void} [onMessage] Gets each message, as it was published.
 *   Where there are several topics, one without a topic is the handler's own, and does not count.
 * @property {(beginning: Beginning) => void} [onBegin] Called for each connection and topic, before its messages.
 * @property {(loss: Loss) => void} [onLost] Called for each connection, and each attempt, that has ended.
 * @property {string | string[]} [since] Where to begin: as `position` or `positions` was, or as the page has it.
 * @property {number} [shortest] The first attempt to come back is made within this time, the next ones within twice as
 *   much each, at random, so that all the clients of a server do not come at once. 1,000 by default.
 * @property {number} [longest] The most that becomes of it; 30,000 by default.
 * @property {number} [stable] A connection of this age makes attempts begin with the shortest time again; 10,000 by default.
 * @property {number} [patience] In which a connection has to begin; 10,000 by default.
 * @property {number} [silence] A connection on which nothing comes for this time is taken for dead, and replaced. By
 *   default, 0, there is none. Where messages come regularly, give more than the longest pause between two.
 * @property {number} [absence] A page that is shown again after it was hidden, and to which nothing came for this time,
 *   replaces its connection; 30,000 by default.
 * @property {new (url: string, protocol: string) => any} [WebSocket] Where there is none, as in older versions of Node.
 */
const PROTOCOL = "jazzy.resume.1"
const POLICY_VIOLATION = 1008
const DID_NOT_KEEP_UP = 4010
// Of the positions in an address: a server takes about 8,000 characters of a request, with all cookies.
const LONGEST_QUERY = 4_000
// What browsers take for a time; a longer one would be none.
const LONGEST_TIME = 2 ** 31 - 1
const DEFAULTS = { shortest: 1_000, longest: 30_000, stable: 10_000, patience: 10_000, silence: 0, absence: 30_000 }

export class Resumable {
  /** @type {Options & typeof DEFAULTS} */ #options
  #url; #WebSocket
  // The connection, or the attempt. Whatever an earlier one still brings counts for nothing.
  /** @type {any} */ #socket = null
  #hasBegun = false; #hasComeOn = false; #hasEnded = false; #isEnveloped = false
  /** By topic; of the only one: `undefined`. @type {Map<string | undefined, { epoch: string, offset: number }>} */
  #positions = new Map()
  #attempts = 0; #heardAt = 0
  /** @type {any} */ #retry; /** @type {any} */ #watch; /** @type {any} */ #settling

  /**
   * Connects, and goes on until `close()`, or until the server closes with code 1008, which says that it does not want
   * this client.
   *
   * @param {string | URL} url Of the route, `wss:`, or `https:` as well; in a page it may be relative.
   * @param {Options} [options]
   */
  constructor(url, options = {}) {
    this.#options = { ...DEFAULTS, ...options }
    this.#WebSocket = options.WebSocket ?? globalThis.WebSocket
    if (!this.#WebSocket) throw new TypeError("there is no WebSocket here: give one, as in { WebSocket }")
    this.#url = new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href)
    this.#url.protocol = this.#url.protocol.replace("http", "ws")
    this.#url.hash = ""
    for (const position of [options.since ?? []].flat()) {
      const [, epoch, offset, topic] = /^([^:]+):(\d{1,15})(?::(.*))?$/s.exec(position) ?? []
      if (epoch) this.#positions.set(topic, { epoch, offset: Number(offset) })
    }
    this.#connect()
    globalThis.addEventListener?.("online", this.#onOnline)
    globalThis.document?.addEventListener("visibilitychange", this.#onShown)
  }

  /** Where it is, by topic: give it as `since` to continue behind it, for instance in another page. */
  get positions() {
    return [...this.#positions].map(([topic, { epoch, offset }]) => `${epoch}:${offset}` + (topic === undefined ? "" : `:${topic}`))
  }

  /** The same where there is one topic. Empty before the first beginning. */
  get position() { return this.positions[0] ?? "" }

  /** Whether there is a connection, and it has begun. */
  get isLive() { return this.#hasBegun }

  /** Sends to a handler that takes messages; returns whether there is a connection. @param {any} message */
  send(message) {
    if (this.#hasBegun) this.#socket.send(message)
    return this.#hasBegun
  }

  /** Ends it for good: nothing more is called. */
  close() {
    this.#hasEnded = true
    globalThis.removeEventListener?.("online", this.#onOnline)
    globalThis.document?.removeEventListener("visibilitychange", this.#onShown)
    clearTimeout(this.#retry)
    this.#leave()
  }

  #connect() {
    clearTimeout(this.#retry)
    const url = new URL(this.#url)
    // Where not all fit, those that began last do: the others are of topics that were left, perhaps long ago.
    const since = this.positions.reverse().map((position) => `since=${encodeURIComponent(position)}`)
    while (since.join("&").length > LONGEST_QUERY) since.pop()
    url.search = [url.search.slice(1), ...since.reverse()].filter(Boolean).join("&")
    const socket = (this.#socket = new this.#WebSocket(url.href, PROTOCOL))
    socket.binaryType = "arraybuffer"
    socket.onmessage = (/** @type {any} */ { data }) => socket === this.#socket && this.#take(data)
    socket.onclose = (/** @type {any} */ { code, reason }) => socket === this.#socket && this.#lose(code, reason)
    socket.onerror = () => {} // It is closed, too.
    socket.on?.("ping", () => socket === this.#socket && this.#hear()) // Those that the package `ws` shows.
    this.#expect(this.#options.patience, "it did not begin in time")
  }

  /** @param {string | ArrayBuffer} data */
  #take(data) {
    const frame = !this.#hasBegun || this.#isEnveloped ? parsed(data) : undefined
    const topic = typeof frame?.t === "string" ? frame.t : undefined
    if (!this.#hasBegun) this.#isEnveloped = topic !== undefined
    const isFirst = !this.#hasBegun || (topic !== undefined && "epoch" in frame)
    if (isFirst && typeof frame?.epoch === "string" && Number.isSafeInteger(frame.offset)) return this.#begin(frame, topic)
    if (isFirst) return this.#lose(1006, `its first frame is none of ${PROTOCOL}`)
    this.#hear()
    const position = this.#positions.get(topic)
    if (this.#isEnveloped && topic === undefined) return this.#options.onMessage?.(data)
    if (!position || (this.#isEnveloped && frame.o !== position.offset + 1)) return this.#lose(1006, "an offset is missing")
    const message = this.#isEnveloped ? content(frame) : data
    if (message === undefined) return this.#lose(1006, "an envelope has no message in it")
    position.offset += 1 // Before the message is given away: whoever throws has had it.
    this.#hasComeOn = true
    this.#options.onMessage?.(message, topic)
  }

  /** @param {Beginning} beginning @param {string | undefined} topic */
  #begin(beginning, topic) {
    if (!this.#hasBegun) this.#settling = after(this.#options.stable, () => (this.#attempts = 0))
    this.#hasBegun = true
    this.#positions.delete(topic)
    this.#positions.set(topic, { epoch: beginning.epoch, offset: beginning.offset })
    this.#hear()
    this.#options.onBegin?.(beginning)
  }

  #hear() {
    this.#heardAt = Date.now()
    if (this.#hasBegun) this.#expect(this.#options.silence, "nothing came any more")
  }

  /** Gives the connection up unless something comes within this time. */
  #expect(/** @type {number} */ time, /** @type {string} */ reason) {
    clearTimeout(this.#watch)
    if (time > 0) this.#watch = after(time, () => this.#lose(1006, reason))
  }

  /** The connection has ended, or is given up, and comes back: at random, or at once. */
  #lose(/** @type {number} */ code, /** @type {string} */ reason, isReplaced = false) {
    const isAtOnce = isReplaced || (code === DID_NOT_KEEP_UP && this.#hasBegun && this.#hasComeOn)
    this.#leave()
    if (code === POLICY_VIOLATION) {
      this.close()
      return this.#options.onLost?.({ code, reason, again: null })
    }
    const most = Math.min(LONGEST_TIME, this.#options.longest, this.#options.shortest * 2 ** this.#attempts)
    const again = isAtOnce ? 0 : Math.random() * most
    if (!isAtOnce) this.#attempts += 1
    this.#retry = setTimeout(() => this.#connect(), again)
    this.#options.onLost?.({ code, reason, again })
  }

  #leave() {
    const socket = this.#socket
    this.#socket = null
    this.#hasBegun = this.#hasComeOn = false
    clearTimeout(this.#watch)
    clearTimeout(this.#settling)
    socket?.close()
  }

  /** A connection of the network before is dead, mostly without anybody having been told. */
  #onOnline = () => this.#replace("the network is another")

  #onShown = () => {
    // A clock that was set back says nothing of how long ago that was.
    const isDoubtful = !this.#socket || Math.abs(Date.now() - this.#heardAt) > this.#options.absence
    if (globalThis.document.visibilityState === "visible" && isDoubtful) this.#replace("the page was hidden")
  }

  #replace(/** @type {string} */ reason) {
    if (this.#socket) this.#lose(1006, reason, true)
    else if (!this.#hasEnded) this.#connect()
  }
}

/** @param {any} data @returns {any} */
function parsed(data) {
  try { return JSON.parse(data) } catch {}
}

/** What an envelope has in it; `undefined`: nothing. @param {any} frame @returns {string | ArrayBuffer | undefined} */
function content({ d, b }) {
  if (typeof d === "string") return d
  try { if (typeof b === "string") return Uint8Array.from(atob(b), character => character.charCodeAt(0)).buffer } catch {}
}

/** @param {number} time @param {() => void} act */
const after = (time, act) => setTimeout(act, Math.min(time, LONGEST_TIME))
