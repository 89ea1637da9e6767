// What the script of resumable routes does, with connections and a clock that the test moves itself.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { beforeEach, test } from 'node:test';

const text = readFileSync(new URL('../../../Sources/JazzySwift/Client/jazzy.js', import.meta.url), 'utf8');
const { Resumable } = await import('data:text/javascript,' + encodeURIComponent(text));

const EPOCH = '9f3c00000000a001';
let now, timers, sockets, listeners, events;

class Connection {
  constructor(url, protocol) {
    Object.assign(this, { url, protocol, isClosed: false });
    sockets.push(this);
  }
  begin(offset, recovered = false, count = 0, epoch = EPOCH) {
    this.onmessage({ data: JSON.stringify({ epoch, offset, recovered, count }) });
  }
  say(data) {
    this.onmessage({ data });
  }
  end(code, reason = '') {
    this.onerror({});
    this.onclose({ code, reason });
  }
  close() {
    this.isClosed = true;
    // As the package `ws` does with one that has not opened.
    this.onerror({});
  }
}

/** Whoever is on time runs, in order. */
function pass(time) {
  const end = now + time;
  for (;;) {
    const next = [...timers].filter(([, timer]) => timer.at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
    if (!next) break;
    timers.delete(next[0]);
    now = next[1].at;
    next[1].run();
  }
  now = end;
}

function follow(options = {}) {
  return new Resumable('https://example.org/feed?room=7#top', {
    WebSocket: Connection,
    onBegin: (beginning) => events.push(['begin', beginning.recovered, beginning.count]),
    onMessage: (message) => events.push(message),
    onLost: ({ code, again }) => events.push(['lost', code, again]),
    ...options,
  });
}

const last = () => sockets.at(-1);

beforeEach(() => {
  [now, timers, sockets, listeners, events] = [0, new Map(), [], new Map(), []];
  let number = 0;
  globalThis.setTimeout = (run, time) => timers.set((number += 1), { run, at: now + time }) && number;
  globalThis.clearTimeout = (timer) => timers.delete(timer);
  Date.now = () => now;
  Math.random = () => 0.5;
  globalThis.addEventListener = (name, listener) => listeners.set(name, listener);
  globalThis.removeEventListener = (name, listener) => listeners.get(name) === listener && listeners.delete(name);
  globalThis.document = Object.assign(
    { addEventListener: globalThis.addEventListener, removeEventListener: globalThis.removeEventListener },
    { visibilityState: 'visible', baseURI: 'https://example.org/page' },
  );
});

test('It comes back at the position that it has counted', () => {
  const feed = follow();
  assert.equal(last().url, 'wss://example.org/feed?room=7');
  assert.equal(last().protocol, 'jazzy.resume.1');
  assert.equal(feed.position, '');
  last().begin(55);
  last().say('a');
  last().say('b');
  assert.equal(feed.position, EPOCH + ':57');
  last().end(1006);
  assert.equal(feed.isLive, false);
  pass(500);
  assert.equal(last().url, `wss://example.org/feed?room=7&since=${EPOCH}%3A57`);
  last().begin(57, true, 1);
  last().say('c');
  assert.equal(feed.isLive, true);
  assert.equal(feed.position, EPOCH + ':58');
  assert.deepEqual(events, [['begin', false, 0], 'a', 'b', ['lost', 1006, 500], ['begin', true, 1], 'c']);
});

test('A new epoch is where it goes on', () => {
  const feed = follow({ since: EPOCH + ':4' });
  assert.equal(last().url, `wss://example.org/feed?room=7&since=${EPOCH}%3A4`);
  last().begin(2, false, 0, 'another');
  assert.equal(feed.position, 'another:2');
});

/** What is sent on a connection with several topics. */
function beginTopic(t, offset, recovered = false, count = 0, epoch = EPOCH) {
  last().say(JSON.stringify({ t, epoch, offset, recovered, count }));
}
function sayOf(t, o, content) {
  last().say(JSON.stringify({ t, o, ...content }));
}
function followSeveral(options = {}) {
  return follow({
    onBegin: ({ t, recovered, count }) => events.push(['begin', t, recovered, count]),
    onMessage: (message, topic) => events.push([topic, message]),
    ...options,
  });
}

test('Each of several topics comes back at its own position', () => {
  const feed = followSeveral();
  beginTopic('a', 5);
  beginTopic('b:c/ü', 0);
  sayOf('a', 6, { d: '{"x":1}' });
  sayOf('b:c/ü', 1, { d: '' });
  sayOf('a', 7, { d: 'seven' });
  assert.deepEqual(feed.positions, [EPOCH + ':7:a', EPOCH + ':1:b:c/ü']);
  last().end(1006);
  pass(500);
  assert.equal(
    last().url, `wss://example.org/feed?room=7&since=${EPOCH}%3A7%3Aa&since=${EPOCH}%3A1%3Ab%3Ac%2F%C3%BC`);
  beginTopic('a', 7, true, 1);
  sayOf('a', 8, { d: 'eight' });
  beginTopic('b:c/ü', 9, false, 0, 'another');
  assert.deepEqual(feed.positions, [EPOCH + ':8:a', 'another:9:b:c/ü']);
  assert.deepEqual(events, [
    ['begin', 'a', false, 0], ['begin', 'b:c/ü', false, 0], ['a', '{"x":1}'], ['b:c/ü', ''], ['a', 'seven'],
    ['lost', 1006, 500], ['begin', 'a', true, 1], ['a', 'eight'], ['begin', 'b:c/ü', false, 0],
  ]);
});

test('Positions of several topics are where it begins', () => {
  followSeveral({ since: [EPOCH + ':7:a', EPOCH + ':1:b:c', 'nonsense', ':1:d', EPOCH + ':3:'] });
  assert.equal(
    last().url,
    `wss://example.org/feed?room=7&since=${EPOCH}%3A7%3Aa&since=${EPOCH}%3A1%3Ab%3Ac&since=${EPOCH}%3A3%3A`);
});

test('What was binary is binary again', () => {
  followSeveral();
  beginTopic('a', 0);
  sayOf('a', 1, { b: 'AP8i' });
  const [topic, message] = events.at(-1);
  assert.equal(topic, 'a');
  assert.ok(message instanceof ArrayBuffer);
  assert.deepEqual([...new Uint8Array(message)], [0, 255, 34]);
});

test('Where an offset is missing, or comes twice, it comes back at what it has', () => {
  for (const wrong of [7, 5, 0, undefined, '6']) {
    const feed = followSeveral();
    beginTopic('a', 4);
    sayOf('a', 5, { d: 'five' });
    sayOf('a', wrong, { d: 'wrong' });
    assert.deepEqual(events.at(-1).slice(0, 2), ['lost', 1006], String(wrong));
    assert.equal(feed.position, EPOCH + ':5:a');
    assert.ok(!JSON.stringify(events).includes('wrong'));
  }
  followSeveral();
  beginTopic('a', 0);
  sayOf('b', 1, { d: 'of a topic that has not begun' });
  assert.equal(events.at(-1)[0], 'lost');
});

test("A handler's own messages do not count, and it can be told something", () => {
  const feed = followSeveral();
  assert.equal(feed.send('too early'), false);
  beginTopic('a', 0);
  last().send = (message) => events.push(['sent', message]);
  assert.equal(feed.send('hello'), true);
  for (const data of ['heard', '{"heard":true}', 'null', '7', new ArrayBuffer(1)]) last().say(data);
  assert.deepEqual(events.slice(1), [
    ['sent', 'hello'], [undefined, 'heard'], [undefined, '{"heard":true}'], [undefined, 'null'], [undefined, '7'],
    [undefined, new ArrayBuffer(1)],
  ]);
  assert.equal(feed.position, EPOCH + ':0:a');
});

test('Where there is one topic, messages are not looked into', () => {
  const feed = follow({ onMessage: (message, topic) => events.push([message, topic]) });
  last().begin(0);
  for (const data of ['{"t":"a","o":9,"d":"x"}', '{"t":"a","epoch":"b","offset":1}']) {
    last().say(data);
    assert.deepEqual(events.at(-1), [data, undefined]);
  }
  assert.equal(feed.position, EPOCH + ':2');
});

test('A relative address is that of the page', () => {
  new Resumable('feed', { WebSocket: Connection });
  assert.equal(last().url, 'wss://example.org/feed');
});

test('What is no position is not sent', () => {
  for (const since of ['', 'x', ':4']) {
    follow({ since });
    assert.equal(last().url, 'wss://example.org/feed?room=7');
  }
});

test('Attempts are made at longer times, to a bound, until a connection is stable', () => {
  follow();
  const delays = () => events.filter(([what]) => what === 'lost').map(([, , again]) => again);
  for (let attempt = 0; attempt < 2000; attempt += 1) {
    last().end(1006);
    pass(15_000);
  }
  assert.deepEqual(delays().slice(0, 8), [500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  assert.equal(delays().at(-1), 15_000);
  last().begin(0);
  pass(9_999);
  last().end(1006);
  assert.equal(delays().at(-1), 15_000, 'it was not stable yet');
  pass(15_000);
  last().begin(0);
  pass(10_000);
  last().end(1006);
  assert.equal(delays().at(-1), 500);
});

test('All of the time is drawn from, so that many clients do not come at once', () => {
  follow();
  for (const [chance, again] of [[0, 0], [0.999, 1998]]) {
    Math.random = () => chance;
    last().end(1006);
    assert.deepEqual(events.at(-1), ['lost', 1006, again]);
    pass(2000);
  }
});

test('Who did not keep up comes back at once, if it gets on', () => {
  follow();
  last().begin(0);
  last().say('a');
  last().end(4010);
  assert.deepEqual(events.at(-1), ['lost', 4010, 0]);
  pass(0);
  last().begin(1, true);
  last().end(4010);
  assert.deepEqual(events.at(-1), ['lost', 4010, 500], 'nothing came meanwhile');
});

test('Who is not wanted stays away', () => {
  const feed = follow();
  last().begin(0);
  last().end(1008);
  assert.deepEqual(events.at(-1), ['lost', 1008, null]);
  assert.equal(timers.size + listeners.size, 0);
  assert.equal(feed.isLive, false);
  assert.equal(sockets.length, 1);
});

test('Other codes are no end', () => {
  follow();
  for (const code of [1000, 1001, 1002, 1011, 4000]) {
    last().begin(0);
    last().end(code);
    assert.equal(events.at(-1)[1], code);
    pass(8_000);
  }
  assert.equal(sockets.length, 6);
});

test('Closed is closed, at whatever time', () => {
  const times = {
    'before it opens': () => {},
    'when it has begun': () => last().begin(0),
    'while it waits': () => last().end(1006),
  };
  for (const [when, bring] of Object.entries(times)) {
    sockets = [];
    const feed = follow();
    bring();
    events = [];
    feed.close();
    feed.close();
    last().onmessage({ data: 'late' });
    last().onclose({ code: 1000, reason: '' });
    pass(100_000);
    assert.deepEqual(events, [], when);
    assert.equal(sockets.length, 1, when);
    assert.equal(last().isClosed || when === 'while it waits', true, when);
    assert.equal(timers.size + listeners.size, 0, when);
  }
});

test('It may be closed by what it calls', () => {
  for (const name of ['onBegin', 'onMessage', 'onLost']) {
    sockets = [];
    const feed = follow({ silence: 1000, [name]: () => feed.close() });
    last().begin(0);
    last().say('a');
    last().end(1006);
    pass(100_000);
    assert.equal(sockets.length, 1, name);
    assert.equal(timers.size, 0, name);
  }
});

test('Whoever throws has had the message', () => {
  const feed = follow({ onMessage: () => { throw new Error('in the page') } });
  last().begin(0);
  assert.throws(() => last().say('a'), /in the page/);
  assert.equal(feed.position, EPOCH + ':1');
});

test('What an earlier connection brings counts for nothing', () => {
  const feed = follow();
  const [first] = sockets;
  first.begin(0);
  listeners.get('online')();
  pass(0);
  first.say('late');
  first.end(1006);
  last().begin(0, true);
  first.say('late');
  assert.equal(feed.position, EPOCH + ':0');
  assert.deepEqual(events, [['begin', false, 0], ['lost', 1006, 0], ['begin', true, 0]]);
});

test('A connection that does not begin is given up', () => {
  follow();
  pass(9_999);
  assert.deepEqual(events, []);
  pass(1);
  assert.deepEqual(events, [['lost', 1006, 500]]);
  assert.equal(sockets[0].isClosed, true);
});

test('What is no first frame is given up', () => {
  for (const data of ['hello', '{}', '{"t":"a","o":1,"d":"x"}', '{"t":"a"}', 'null', '{"epoch":1,"offset":2}', '{"epoch":"a","offset":-0.5}', new ArrayBuffer(2)]) {
    follow();
    last().say(data);
    assert.equal(events.at(-1)[0], 'lost');
    assert.equal(last().isClosed, true);
  }
});

test('Silence is death where it is said to be', () => {
  follow();
  last().begin(0);
  pass(10_000_000);
  assert.deepEqual(events, [['begin', false, 0]]);

  sockets = [];
  follow({ silence: 2000 });
  last().begin(0);
  for (const data of ['a', 'b', 'c']) {
    pass(1_999);
    last().say(data);
  }
  assert.equal(sockets.length, 1);
  pass(2_000);
  assert.deepEqual(events.at(-1), ['lost', 1006, 500]);
});

test('Pings are signs of life, where they are shown', () => {
  class Showing extends Connection {
    on(name, listener) {
      this[name] = listener;
    }
  }
  follow({ WebSocket: Showing, silence: 2000 });
  last().ping();
  pass(2_500);
  last().begin(0);
  for (let time = 0; time < 5; time += 1) {
    pass(1_999);
    last().ping();
  }
  assert.equal(sockets.length, 1);
});

test('A page that is shown again after a long silence has a new connection', () => {
  const turn = (visibilityState) => {
    document.visibilityState = visibilityState;
    listeners.get('visibilitychange')();
    pass(0);
  };
  follow();
  last().begin(0);
  pass(40_000);
  turn('hidden');
  assert.equal(sockets.length, 1, 'it is not shown');
  turn('visible');
  assert.equal(sockets.length, 2);
  last().begin(0, true);
  turn('hidden');
  pass(30_000);
  turn('visible');
  assert.equal(sockets.length, 2, 'it was not so long');
  last().say('a');
  pass(29_000);
  turn('visible');
  assert.equal(sockets.length, 2, 'something came');
  assert.deepEqual(events, [['begin', false, 0], ['lost', 1006, 0], ['begin', true, 0], 'a']);
});

test('Where it waits, it comes when the network does, or the user', () => {
  for (const name of ['online', 'visibilitychange']) {
    sockets = [];
    follow();
    last().end(1006);
    listeners.get(name)();
    assert.equal(sockets.length, 2, name);
    pass(1000);
    assert.equal(sockets.length, 2, name);
  }
});

test('Without a WebSocket it says what to do', { skip: !!globalThis.WebSocket }, () => {
  assert.throws(() => new Resumable('wss://example.org/'), /\{ WebSocket \}/);
});

test('Topics that were left do not make an address that no server takes', () => {
  const feed = followSeveral();
  for (let number = 0; number < 500; number++) beginTopic('room/' + number, 1);
  beginTopic('room/7', 4);
  last().end(1006);
  pass(500);
  const { searchParams } = new URL(last().url);
  assert.equal(searchParams.get('room'), '7');
  assert.ok(last().url.length < 4_200);
  assert.deepEqual(searchParams.getAll('since').slice(-2), [EPOCH + ':1:room/499', EPOCH + ':4:room/7']);
  assert.equal(feed.positions.length, 500);
});

test('Times without an end are no times at all, and others are as long as browsers can', () => {
  const plain = globalThis.setTimeout;
  globalThis.setTimeout = (run, time) => plain(run, time > 2 ** 31 - 1 ? 1 : time);
  for (const time of [Infinity, 2 ** 40]) {
    const feed = follow({ patience: time, silence: time, stable: time, longest: time });
    pass(86_400_000);
    last().begin(0);
    pass(86_400_000);
    assert.equal(feed.isLive, true);
    for (let attempt = 0; attempt < 60; attempt++) last().end(1006), runNext();
    last().end(1006);
    assert.ok(Math.min(...[...timers.values()].map(({ at }) => at)) - now > 2 ** 29);
    feed.close();
    assert.equal(timers.size, 0);
  }
  function runNext() {
    const [number, timer] = [...timers].sort(([, a], [, b]) => a.at - b.at)[0];
    timers.delete(number);
    now = timer.at;
    timer.run();
  }
});

test('A clock that was set back hides nothing', () => {
  const feed = follow();
  last().begin(0);
  now -= 3_000_000;
  listeners.get('visibilitychange')();
  pass(0);
  assert.equal(sockets.length, 2);
  assert.equal(feed.isLive, false);
});

test('An envelope without a message is a reason to come back, not a message less', () => {
  for (const content of [{ b: '***' }, { b: 7 }, {}]) {
    events = [];
    const feed = followSeveral();
    beginTopic('a', 3);
    sayOf('a', 4, content);
    assert.equal(feed.position, EPOCH + ':3:a');
    assert.deepEqual(events.map(([name]) => name), ['begin', 'lost']);
    feed.close();
  }
});

test('A position that is none is not asked for', () => {
  follow({ since: `${EPOCH}:${'9'.repeat(30)}` });
  assert.equal(last().url, 'wss://example.org/feed?room=7');
});
