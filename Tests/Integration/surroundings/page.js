// What a page has around its script: `WebSocket`, an address, and functions of its own, such as one that shows messages.
'use strict';

globalThis.WebSocket = require('ws');
globalThis.show = (message) => console.log(JSON.stringify(message));
globalThis.reload = () => show('reload');
globalThis.offline = (again) => Number.isFinite(again) && show('offline');
if (process.env.PAGE) globalThis.location = new URL(process.env.PAGE);
