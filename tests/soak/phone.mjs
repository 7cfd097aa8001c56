// SPDX-License-Identifier: Apache-2.0
//
// All calls of one bridged user, as his phones would: requests over a shared pool of connections, and one event stream, of which
// every event is checked for its place: ids grow, and `seq` of a call goes up by one.

import http from 'node:http';

export class Phone {
  last = 0; // id seen last
  seqs = new Map(); // call -> seq seen last
  events = 0;

  // onEvent(name, data, at); onFault(text)
  constructor({ api, user, token, agent, onEvent, onFault }) {
    Object.assign(this, { api, user, token, agent, onEvent, onFault });
  }

  // -> { status, json }
  request(path, body, method = body === undefined ? 'GET' : 'POST') {
    return new Promise((done, fail) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const request = http.request(this.api + path, {
        method, agent: this.agent,
        headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) },
      }, (answer) => {
        const pieces = [];
        answer.on('data', (piece) => pieces.push(piece));
        answer.on('end', () => {
          const json = JSON.parse(Buffer.concat(pieces).toString() || 'null');
          done({ status: answer.statusCode, json });
        });
      });
      request.on('error', fail);
      request.end(text);
    });
  }

  open() {
    return new Promise((done, fail) => {
      this.stream = http.get(`${this.api}/events`, { agent: false, headers: { Authorization: `Bearer ${this.token}` } }, (answer) => {
        if (answer.statusCode !== 200) return fail(new Error(`the event stream of ${this.user}: HTTP ${answer.statusCode}`));
        answer.setEncoding('utf8');
        let rest = '';
        answer.on('data', (piece) => {
          const blocks = (rest + piece).split('\n\n');
          rest = blocks.pop();
          for (const block of blocks) this.#take(block);
        });
        answer.on('close', () => this.closing || this.onFault(`the event stream of ${this.user} ended`));
        answer.on('error', () => {});
        return done();
      });
      this.stream.on('error', (error) => this.closing || fail(error));
    });
  }

  close() {
    this.closing = true;
    this.stream?.destroy();
  }

  #take(block) {
    const lines = block.split('\n');
    const field = (name) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    const name = field('event');
    if (!name) return;
    const at = performance.now();
    const id = Number(field('id'));
    const data = JSON.parse(field('data'));
    this.events += 1;
    if (id <= this.last) this.onFault(`${this.user}: event id ${id} after ${this.last}`);
    this.last = id;
    const expected = (this.seqs.get(data.call_id) ?? 0) + 1;
    if (data.seq !== expected) this.onFault(`${this.user}: ${name} of call ${data.call_id} has seq ${data.seq}, not ${expected}`);
    this.seqs.set(data.call_id, data.seq);
    if (name === 'call.ended') this.seqs.delete(data.call_id);
    this.onEvent(name, data, at);
  }
}
