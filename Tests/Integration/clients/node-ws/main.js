// A client made with node-ws, driven as pipe.py describes.
//
//     node main.js URL whole|fragmented OFFER     (OFFER: JSON, the perMessageDeflate option of node-ws)
'use strict';

const WebSocket = require('ws');

const [url, , offer] = process.argv.slice(2);
const socket = new WebSocket(url, { perMessageDeflate: JSON.parse(offer), maxPayload: 0 });

function fail(error) {
    console.error(error);
    process.exit(1);
}

async function* commands() {
    let parts = [];
    let length = 0;
    const input = process.stdin[Symbol.asyncIterator]();
    // The next so many bytes; null at the end of the input.
    async function take(count) {
        while (length < count) {
            const { done, value } = await input.next();
            if (done) return null;
            parts.push(value);
            length += value.length;
        }
        const all = parts.length === 1 ? parts[0] : Buffer.concat(parts, length);
        parts = [all.subarray(count)];
        length -= count;
        return all.subarray(0, count);
    }
    for (let kind = await take(1); kind !== null; kind = await take(1)) {
        const fragments = [];
        for (let count = (await take(4)).readUInt32BE(); count > 0; count--) {
            fragments.push(await take((await take(4)).readUInt32BE()));
        }
        yield { isText: kind.toString() === 't', fragments };
    }
}

function tell(data, isBinary) {
    const head = Buffer.alloc(5);
    head.write(isBinary ? 'b' : 't');
    head.writeUInt32BE(data.length, 1);
    process.stdout.write(Buffer.concat([head, data]));
}

async function serve() {
    for await (const { isText, fragments } of commands()) {
        const isEchoed = new Promise((resolve) => socket.once('message', (...message) => resolve(tell(...message))));
        fragments.forEach((fragment, index) => {
            socket.send(fragment, { binary: !isText, fin: index === fragments.length - 1 });
        });
        await isEchoed;
    }
    socket.close(1000);
}

socket.on('open', () => serve().catch(fail));
socket.on('error', fail);
socket.on('close', (code) => process.exit(code === 1000 ? 0 : 1));
