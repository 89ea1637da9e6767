// A client made with node-ws, driven by lines of JSON: commands on standard input, what happens on standard output.
// Payloads travel in base64.
'use strict';

const readline = require('readline');
const WebSocket = require('ws');

const [, , address, headers] = process.argv;
const socket = new WebSocket(address, { headers: JSON.parse(headers), perMessageDeflate: false, maxPayload: 0 });
const encode = (data) => Buffer.from(data).toString('base64');
const tell = (event) => process.stdout.write(JSON.stringify(event) + '\n');

socket.on('open', () => tell({ event: 'open' }));
socket.on('message', (data, isBinary) => tell({ event: 'message', isBinary, data: encode(data) }));
socket.on('ping', (data) => tell({ event: 'ping', data: encode(data) }));
socket.on('pong', (data) => tell({ event: 'pong', data: encode(data) }));
socket.on('error', (error) => tell({ event: 'error', message: error.message }));
socket.on('close', (code, reason) => {
    tell({ event: 'close', code, reason: reason.toString() });
    commands.close();
});

const commands = readline.createInterface({ input: process.stdin });
commands.on('line', (line) => {
    const command = JSON.parse(line);
    const data = command.data === undefined ? undefined : Buffer.from(command.data, 'base64');
    if (command.command === 'send') socket.send(data, { binary: command.isBinary, fin: command.fin });
    else if (command.command === 'ping') socket.ping(data);
    else if (command.command === 'close') socket.close(command.code, command.reason);
});
commands.on('close', () => socket.terminate());
