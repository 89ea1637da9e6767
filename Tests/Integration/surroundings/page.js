// What a page has around its script: `WebSocket`, and a function of its own that shows messages.
'use strict';

globalThis.WebSocket = require('ws');
globalThis.show = (message) => console.log(JSON.stringify(message));
