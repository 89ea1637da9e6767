// Follows a resumable route with the script of a server: says what happens on standard output, in lines of JSON, and
// closes when its standard input ends. Where Node has no WebSocket of its own, that of the package `ws` is passed in.
import { createRequire } from 'node:module';

const [, , script, address, options] = process.argv;
const text = await (await fetch(script)).text();
const { Resumable } = await import('data:text/javascript,' + encodeURIComponent(text));
const { WebSocket } = createRequire(import.meta.url)('ws');

const tell = (event) => process.stdout.write(JSON.stringify(event) + '\n');
const feed = new Resumable(address, {
  WebSocket,
  ...JSON.parse(options),
  onBegin: (beginning) => tell({ event: 'begin', ...beginning }),
  onMessage(message, topic) {
    const text = typeof message === 'string' ? message : new TextDecoder().decode(message);
    const number = Number(text.replaceAll('"', '').trim());
    tell({ event: 'message', number, topic, position: feed.position, positions: feed.positions });
  },
  onLost: (loss) => tell({ event: 'lost', ...loss }),
});
process.stdin.on('end', () => feed.close()).resume().unref();
