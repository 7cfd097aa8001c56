// SPDX-License-Identifier: Apache-2.0
//
// A phone of a bridged user without a browser: the call service's requests, and its event stream, which resumes after the last
// event seen. Keeps every event with the time at which it came.

import { eventually } from './bed.mjs';

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class HostPhone {
  events = []; // {at, id, name, data}
  lastId = null;

  constructor({ api, user, token }) {
    Object.assign(this, { api, user, token, closing: new AbortController() });
  }

  async request(path, { method = 'GET', body } = {}) {
    const answer = await fetch(this.api + path, {
      method, headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' }, body: body && JSON.stringify(body),
    });
    const json = await answer.json().catch(() => null);
    if (!answer.ok) throw new Error(`${method} ${path} of ${this.user}: HTTP ${answer.status} ${json?.error}`);
    return json;
  }

  // Listens until `close`; done once it listens for the first time.
  async open() {
    this.listening = this.#listen();
    await eventually(`${this.user} to have an event stream`, () => this.online);
  }

  async close() {
    this.closing.abort();
    await this.listening;
  }

  async #listen() {
    while (!this.closing.signal.aborted) {
      try {
        const headers = { Authorization: `Bearer ${this.token}`, ...(this.lastId === null ? {} : { 'Last-Event-ID': this.lastId }) };
        const answer = await fetch(`${this.api}/events`, { headers, signal: this.closing.signal });
        if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
        this.online = true;
        this.connected?.();
        let text = '';
        for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
          const blocks = (text + piece).split('\n\n');
          text = blocks.pop();
          for (const block of blocks) this.#take(block);
        }
      } catch {
        // It comes again below, or we are closing.
      }
      this.online = false;
      await pause(100);
    }
  }

  #take(block) {
    const fields = Object.fromEntries(block.split('\n').filter((line) => !line.startsWith(':')).map((line) => line.split(/: (.*)/s)));
    if (fields.id) this.lastId = fields.id;
    if (!fields.event) return;
    const event = { at: Date.now(), id: Number(fields.id), name: fields.event, data: JSON.parse(fields.data) };
    this.events.push(event);
    this.heard?.(event);
  }

  // What has begun to ring, by the Matrix id of the call; without one, all of it.
  rings(matrixId) {
    return this.events.filter(({ name, data }) => name === 'call.initiated' && (!matrixId || data.matrix.call_id === matrixId));
  }
}
