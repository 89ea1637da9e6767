// Opens the chat page as a browser would, as far as the page can tell: fetches it, runs its script on a few stand-ins
// for elements, and prints what it shows as lines of JSON. A line on standard input is typed into the page and sent;
// the end of standard input leaves the page.
'use strict';

const readline = require('readline');
const vm = require('vm');
const WebSocket = require('ws');

const tell = (event) => process.stdout.write(JSON.stringify(event) + '\n');
const elements = {
    log: { append: (item) => tell({ shown: item.textContent, isNotice: item.className === 'notice' }) },
    form: {},
    name: {},
    text: {},
    button: {
        isDisabled: true,
        get disabled() { return this.isDisabled; },
        set disabled(isDisabled) {
            this.isDisabled = isDisabled;
            tell({ isReady: !isDisabled });
        },
    },
};
const listeners = {};

async function open(address) {
    const response = await fetch(address);
    const page = await response.text();
    const [, script] = page.match(/<script type="module">([^]*)<\/script>/);
    vm.runInNewContext(`"use strict"; {${script}}`, {
        document: {
            getElementById: (id) => elements[id],
            createElement: () => ({ scrollIntoView() {} }),
        },
        location: new URL(address),
        addEventListener: (name, listener) => { listeners[name] = listener; },
        setTimeout,
        WebSocket: function (url) { return new WebSocket(url, { perMessageDeflate: false }); },
    });
    elements.name.value = process.argv[3];
}

const typed = readline.createInterface({ input: process.stdin });
typed.on('line', (line) => {
    elements.text.value = line;
    elements.form.onsubmit({ preventDefault() {} });
});
typed.on('close', () => listeners.pagehide());
open(process.argv[2]);
