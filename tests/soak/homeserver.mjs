// SPDX-License-Identifier: Apache-2.0
//
// A homeserver for load: answers what the bridge asks about accounts and rooms, takes what it sends (a transaction id that comes
// again adds nothing, R111), and pushes events in transactions of at most a hundred, one at a time, each again until it is taken.
// It is no Synapse: nothing is checked, stored, encrypted or federated, so that the load falls on the bridge.

import http from 'node:http';

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const perTransaction = 100;

export class StandIn {
  rooms = new Map(); // room id -> Map of member -> membership
  queue = []; // events that wait to be pushed
  sent = new Map(); // transaction id -> event id
  repeats = 0; // sends that came again
  refused = 0; // transactions that were not taken at once
  pushed = 0; // transactions
  serial = 0;

  // onSent({ room, type, sender, content, at }): called once for each event.
  constructor({ port, appservice, token, onSent }) {
    Object.assign(this, { port, appservice, token, onSent });
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    this.server = http.createServer({ keepAliveTimeout: 120000 }, (request, answer) => this.#serve(request, answer));
  }

  async open() {
    await new Promise((done) => this.server.listen(this.port, '127.0.0.1', done));
    this.pushing = this.#push();
  }

  async close() {
    this.closing = true;
    await this.pushing;
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
    this.agent.destroy();
  }

  // onPush(at): when the transaction that holds it is first offered.
  event(room, type, sender, content, { stateKey, onPush } = {}) {
    const event = {
      type, room_id: room, sender, content, event_id: `$e${(this.serial += 1)}`, origin_server_ts: Date.now(), unsigned: { age: 10 },
      ...(stateKey === undefined ? {} : { state_key: stateKey }),
    };
    this.queue.push({ event, onPush });
    this.wake?.();
  }

  invite(room, from, user) {
    this.rooms.set(room, new Map([[from, 'join'], [user, 'invite']]));
    this.event(room, 'm.room.member', from, { membership: 'invite' }, { stateKey: user });
  }

  async #push() {
    while (!this.closing) {
      if (!this.queue.length) {
        await new Promise((done) => {
          this.wake = done;
          setTimeout(done, 100);
        });
        continue;
      }
      const batch = this.queue.splice(0, perTransaction);
      const body = JSON.stringify({ events: batch.map(({ event }) => event) });
      this.pushed += 1;
      const at = performance.now();
      for (const { onPush } of batch) onPush?.(at);
      for (let status = 0; status !== 200 && !this.closing;) {
        status = await this.#put(`/_matrix/app/v1/transactions/${this.pushed}`, body).catch(() => 0);
        if (status === 200) break;
        this.refused += 1;
        await pause(50);
      }
    }
  }

  #put(path, body) {
    return new Promise((done, fail) => {
      const request = http.request(this.appservice + path, {
        method: 'PUT', agent: this.agent,
        headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) },
      }, (answer) => {
        answer.resume();
        answer.on('end', () => done(answer.statusCode));
      });
      request.on('error', fail);
      request.end(body);
    });
  }

  #serve(request, answer) {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      const body = pieces.length ? JSON.parse(Buffer.concat(pieces)) : {};
      const url = new URL(request.url, 'http://x');
      const path = url.pathname.split('/').slice(4).map(decodeURIComponent); // without /_matrix/client/v3
      const give = (json) => {
        const text = JSON.stringify(json);
        answer.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
        answer.end(text);
      };
      if (path[0] === 'sync') setTimeout(() => give({ next_batch: 's1' }), Number(url.searchParams.get('timeout') ?? 0));
      else give(this.#answer(path, url.searchParams.get('user_id'), body));
    });
  }

  #answer([what, room, verb, type, id], user, body) {
    if (what === 'rooms' && verb === 'send') {
      if (this.sent.has(id)) {
        this.repeats += 1;
      } else {
        this.sent.set(id, `$s${this.sent.size}`);
        this.onSent({ room, type, sender: user, content: body, at: performance.now() });
      }
      return { event_id: this.sent.get(id) };
    }
    if (what === 'register') return { user_id: `@${body.username}:test` };
    if (what === 'rooms' && verb === 'join') {
      this.rooms.get(room)?.set(user, 'join');
      return { room_id: room };
    }
    if (what === 'rooms' && verb === 'state') {
      return [...(this.rooms.get(room) ?? [])].map(([member, membership]) => ({
        type: 'm.room.member', room_id: room, sender: member, state_key: member, content: { membership }, event_id: `$m${room}${member}`,
      }));
    }
    if (what === 'rooms' && verb === 'messages') return { chunk: [] };
    if (what === 'joined_rooms') return { joined_rooms: [] };
    if (what === 'appservice' || room === 'ping' || verb === 'ping') return { duration_ms: 1 };
    return { versions: ['v1.11'] };
  }
}
