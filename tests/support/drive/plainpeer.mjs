// SPDX-License-Identifier: Apache-2.0
//
// A Matrix user in rooms that are not encrypted, without a client: signs in, makes rooms with ghosts, sends events, each until the
// homeserver has taken it (once: the transaction id stays the same), and hears by /sync what others send there of calls. `history`
// gives what a room holds in the end, in the homeserver's order.

import { randomUUID } from 'node:crypto';
import { eventually } from './bed.mjs';

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const nothing = { types: [] };
const ofCalls = ['m.call.*'];
const filter = JSON.stringify({
  presence: nothing, account_data: nothing,
  room: { timeline: { limit: 100, types: ofCalls }, state: { lazy_load_members: true, types: [] }, account_data: nothing, ephemeral: nothing },
});

export class PlainPeer {
  heard = new Map(); // call id -> [{type, content}] of what others sent, as it came
  ends = new Map(); // room -> where its history was read to
  histories = new Map(); // room -> its events of calls so far

  constructor({ homeserver, user, password }) {
    Object.assign(this, { homeserver, user, password, closing: new AbortController() });
  }

  async api(method, path, body, { signal } = {}) {
    const headers = { 'Content-Type': 'application/json', ...(this.token ? { Authorization: `Bearer ${this.token}` } : {}) };
    const answer = await fetch(`${this.homeserver}/_matrix/client/v3${path}`, { method, headers, body: body && JSON.stringify(body), signal });
    const json = await answer.json();
    if (answer.ok) return json;
    throw Object.assign(new Error(`${method} ${path} of ${this.user}: HTTP ${answer.status} ${json.errcode} ${json.error}`), { status: answer.status });
  }

  // Until there is an answer; what is refused for good is an error.
  async insist(method, path, body, patience = 300000) {
    for (const until = Date.now() + patience; ; await pause(200)) {
      try {
        return await this.api(method, path, body);
      } catch (error) {
        if ((error.status >= 400 && error.status < 500 && error.status !== 429) || Date.now() > until) throw error;
      }
    }
  }

  async signIn() {
    const answer = await this.api('POST', '/login', { type: 'm.login.password', identifier: { type: 'm.id.user', user: this.user }, password: this.password });
    Object.assign(this, { token: answer.access_token, userId: answer.user_id, deviceId: answer.device_id });
    this.syncing = this.#sync();
  }

  async close() {
    this.closing.abort();
    await this.syncing;
  }

  async makeRoom(ghost) {
    const { room_id: room } = await this.api('POST', '/createRoom', { preset: 'trusted_private_chat', is_direct: true, invite: [ghost] });
    await eventually(`${ghost} to join the room of ${this.user}`, async () => ghost in (await this.api('GET', `/rooms/${encodeURIComponent(room)}/joined_members`)).joined, 60000);
    return room;
  }

  async send(room, type, callId, content = {}) {
    const body = { call_id: callId, party_id: this.deviceId, version: '1', ...content };
    return (await this.insist('PUT', `/rooms/${encodeURIComponent(room)}/send/${type}/${randomUUID()}`, body)).event_id;
  }

  async #sync() {
    let since = null;
    while (!this.closing.signal.aborted) {
      try {
        const query = new URLSearchParams({ filter, timeout: '20000', ...(since ? { since } : {}) });
        const answer = await this.api('GET', `/sync?${query}`, undefined, { signal: this.closing.signal });
        for (const { timeline } of Object.values(answer.rooms?.join ?? {})) {
          for (const event of timeline?.events ?? []) if (event.sender !== this.userId) this.#take(event);
        }
        since = answer.next_batch;
      } catch {
        await pause(200);
      }
    }
  }

  #take({ type, content }) {
    const id = content?.call_id;
    if (!this.heard.has(id)) this.heard.set(id, []);
    this.heard.get(id).push({ type, content });
  }

  hears(callId, ...types) {
    return this.heard.get(callId)?.find(({ type }) => types.includes(type));
  }

  // [{type, sender, content, origin_server_ts}], the oldest first.
  async history(room) {
    const events = this.histories.get(room) ?? [];
    this.histories.set(room, events);
    for (;;) {
      const from = this.ends.get(room);
      const query = new URLSearchParams({ dir: 'f', limit: '500', filter: JSON.stringify({ types: ofCalls }), ...(from ? { from } : {}) });
      const { chunk, end } = await this.insist('GET', `/rooms/${encodeURIComponent(room)}/messages?${query}`);
      events.push(...chunk.map(({ type, sender, content, origin_server_ts }) => ({ type, sender, content, origin_server_ts })));
      if (!end || end === from) return events;
      this.ends.set(room, end);
      if (chunk.length === 0) return events;
    }
  }
}
