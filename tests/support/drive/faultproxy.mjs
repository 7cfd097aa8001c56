// SPDX-License-Identifier: Apache-2.0
//
// Stands between the homeserver and the appservice, on loopback. Passes everything on, one connection for each of the homeserver's,
// which closes with it; remembers which events and to-device messages came in transactions that the appservice took. Answers
// transactions with 500 while `refuseEvery` says so: by turns one that the appservice never sees, and one that it took and whose
// answer is lost. With `hold`, transactions get no answer and are not passed on. A target that is not there is answered 502.

import { Agent, createServer, request } from 'node:http';

const toDeviceKeys = ['to_device', 'de.sorunome.msc2409.to_device'];

export class FaultProxy {
  refuseEvery = 0; // 10: one transaction in ten, repeated ones counted too; 0: none
  hold = false;
  counts = { transactions: 0, held: 0, refused: 0, answersLost: 0, unreachable: 0 };
  arrived = new Map(); // id of an event or a to-device message -> when it was passed on in a transaction that was taken

  static async listen({ port, target }) {
    const proxy = new FaultProxy();
    proxy.target = target;
    proxy.server = createServer((incoming, outgoing) => proxy.#pass(incoming, outgoing));
    proxy.server.on('connection', (socket) => {
      socket.onward = new Agent({ keepAlive: true, maxSockets: 1 });
      socket.on('close', () => socket.onward.destroy());
    });
    await new Promise((done, failed) => proxy.server.once('error', failed).listen(port, '127.0.0.1', done));
    return proxy;
  }

  close() {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(done));
  }

  #pass(incoming, outgoing) {
    const chunks = [];
    incoming.on('data', (chunk) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      const isTransaction = incoming.method === 'PUT' && incoming.url.includes('/transactions/');
      if (isTransaction) this.counts.transactions++;
      if (isTransaction && this.hold) return this.counts.held++;
      const refuse = isTransaction && this.refuseEvery > 0 && this.counts.transactions % this.refuseEvery === 0;
      const loseAnswer = refuse && this.counts.answersLost < this.counts.refused;
      if (refuse) this.counts[loseAnswer ? 'answersLost' : 'refused']++;
      if (refuse && !loseAnswer) return answer(outgoing, 500, 'M_UNKNOWN');
      const since = Date.now();
      const { method, url: path, headers, socket } = incoming;
      const onward = request({ agent: socket.onward, host: '127.0.0.1', port: this.target, method, path, headers }, (reply) => {
        const parts = [];
        reply.on('data', (part) => parts.push(part));
        reply.on('end', () => {
          if (isTransaction && reply.statusCode === 200) this.#note(body, since);
          if (loseAnswer) return answer(outgoing, 500, 'M_UNKNOWN');
          outgoing.writeHead(reply.statusCode, reply.headers).end(Buffer.concat(parts));
        });
      });
      onward.on('error', () => {
        if (isTransaction) this.counts.unreachable++;
        if (!outgoing.headersSent) answer(outgoing, 502, 'M_UNKNOWN');
      });
      onward.end(body);
    });
  }

  #note(body, since) {
    const transaction = JSON.parse(body.toString());
    const messages = toDeviceKeys.flatMap((key) => transaction[key] ?? []).map((message) => message.content?.['org.matrix.msgid']);
    for (const id of [...messages, ...transaction.events.map((event) => event.event_id)]) {
      if (id && !this.arrived.has(id)) this.arrived.set(id, since);
    }
  }
}

function answer(outgoing, status, code) {
  outgoing.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ errcode: code, error: 'the test says so' }));
}
