// Stands for Socket.IO, as far as the guide shows it: one socket without a token, then one that comes, speaks and leaves.
// Prints what each call comes to.
'use strict';

const middleware = [];
const handlers = [];

const tell = (...words) => console.log(words.join(' '));
const emitter = (who) => ({ to: (room) => ({ emit: (...words) => tell(who, 'to', room + ':', ...words) }) });

class Socket {
    constructor(token) {
        Object.assign(this, emitter('socket'), { handshake: { auth: { token } }, data: {}, listeners: {} });
    }
    join(room) { tell('joined', room); }
    on(event, listener) { this.listeners[event] = listener; }
}

function connect(token) {
    const socket = new Socket(token);
    middleware.forEach((each) => each(socket, (error) => { socket.error = error; }));
    if (socket.error) tell('refused:', socket.error.message);
    else handlers.forEach((each) => each(socket));
    return socket;
}

globalThis.userOf = (token) => ({ secret: 'Ada' })[token];
globalThis.io = {
    ...emitter('all'),
    use: (each) => middleware.push(each),
    on: (event, handler) => handlers.push(handler),
};

setImmediate(() => {
    connect(undefined);
    const ada = connect('secret');
    ada.listeners.say('Hello!', (answer) => tell('acknowledged:', answer));
    ada.listeners.disconnect();
});
