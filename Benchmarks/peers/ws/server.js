// An echo server on Node.js's ws, for comparison.
//
//     server.js --port N [--deflate] [--certificate FILE --key FILE]
//
// As its documentation recommends for speed: no compression unless asked for (and then without context takeover), no
// tracking of clients, and messages are not turned into strings.
'use strict';

const { readFileSync } = require('fs');
const http = require('http');
const https = require('https');
const { WebSocketServer } = require('ws');

const { values } = require('util').parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    deflate: { type: 'boolean', default: false },
    certificate: { type: 'string' },
    key: { type: 'string' },
  },
});

const listener = values.certificate
  ? https.createServer({ cert: readFileSync(values.certificate), key: readFileSync(values.key) })
  : http.createServer();
const server = new WebSocketServer({
  server: listener,
  clientTracking: false,
  maxPayload: 16 * 1024 * 1024,
  perMessageDeflate: values.deflate && {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    threshold: 64,
  },
});
server.on('listening', () => console.log(`listening on port ${values.port}`));
server.on('error', (error) => {
  console.error(`ws: ${error.message}`);
  process.exit(1);
});
server.on('connection', (socket) => {
  socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }));
  socket.on('error', () => {});
});
listener.listen(Number(values.port));
