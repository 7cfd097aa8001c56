// SPDX-License-Identifier: Apache-2.0
//
// A phone that insists: what it asks for it asks again until it is answered, as a phone does while the bridge or its database is
// away. Sorts what it hears by call, and says after each gap in its event stream that the calls it is talking in go on.

import { HostPhone } from './hostphone.mjs';

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class LoadPhone extends HostPhone {
  told = new Map(); // host call id -> [event]
  byMatrixId = new Map(); // Matrix call id -> host call id
  talking = new Set(); // host call ids

  heard(event) {
    const { call_id: id, matrix } = event.data;
    if (!this.told.has(id)) this.told.set(id, []);
    this.told.get(id).push(event);
    if (event.name === 'call.initiated') this.byMatrixId.set(matrix.call_id, id);
  }

  connected() {
    for (const id of this.talking) this.insist(`/calls/${id}/media-state`, { state: 'connected' }).catch(() => {});
  }

  hears(id, ...names) {
    return this.told.get(id)?.find(({ name }) => names.includes(name));
  }

  // `call.unavailable` is not the end: this phone waits whether it gets through after all.
  isOver(id) {
    return this.hears(id, 'call.ended', 'call.rejected');
  }

  // {status, body} of the first answer that is more than "not now".
  async insist(path, body, patience = 300000) {
    const headers = { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' };
    let last;
    for (const until = Date.now() + patience; Date.now() < until; await pause(100)) {
      try {
        const answer = await fetch(this.api + path, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body) });
        const json = await answer.json();
        if (answer.status < 500 && answer.status !== 429) return { status: answer.status, body: json };
        last = `HTTP ${answer.status} ${json.error}`;
      } catch (error) {
        last = error.cause?.code ?? error.message;
      }
    }
    throw new Error(`${this.user} got no answer to ${path} in ${patience / 1000} s: ${last}`);
  }
}
