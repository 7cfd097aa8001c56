// SPDX-License-Identifier: Apache-2.0
//
// Stands between the homeserver and the appservice, on loopback. Passes everything on, remembers which to-device messages came in
// transactions that the appservice took, and answers transactions itself with 500 while `refuseEvery` says so: the appservice
// never sees those. A target that is not there is answered 502.

import { createServer, request } from 'node:http';

const toDeviceKeys = ['to_device', 'de.sorunome.msc2409.to_device'];

export class FaultProxy {
  refuseEvery = 0; // 10: one transaction in ten, repeated ones counted too; 0: none
  counts = { transactions: 0, refused: 0, unreachable: 0 };
  arrived = new Map(); // id of a to-device message -> when the appservice had taken it

  static async listen({ port, target }) {
    const proxy = new FaultProxy();
    proxy.target = target;
    proxy.server = createServer((incoming, outgoing) => proxy.#pass(incoming, outgoing));
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
      if (isTransaction) {
        this.counts.transactions++;
        if (this.refuseEvery && this.counts.transactions % this.refuseEvery === 0) {
          this.counts.refused++;
          return answer(outgoing, 500, 'M_UNKNOWN');
        }
      }
      const onward = request({ host: '127.0.0.1', port: this.target, method: incoming.method, path: incoming.url, headers: incoming.headers }, (reply) => {
        const parts = [];
        reply.on('data', (part) => parts.push(part));
        reply.on('end', () => {
          if (isTransaction && reply.statusCode === 200) this.#note(body);
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

  #note(body) {
    const transaction = JSON.parse(body.toString());
    for (const message of toDeviceKeys.flatMap((key) => transaction[key] ?? [])) {
      const id = message.content?.['org.matrix.msgid'];
      if (id && !this.arrived.has(id)) this.arrived.set(id, Date.now());
    }
  }
}

function answer(outgoing, status, code) {
  outgoing.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ errcode: code, error: 'the test says so' }));
}
