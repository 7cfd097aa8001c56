// SPDX-License-Identifier: Apache-2.0
//
// The bridge's call service as seen by a host's phone: REST requests and the event stream, nothing else. Gives parsed answers,
// or throws ServiceError with the service's code. Requests that may be repeated without harm are repeated while the service
// cannot be reached. The stream resumes after the last event seen; events reach `onEvent` one at a time and in order.

import { outline } from '../common/wirelog.js';

export class ServiceError extends Error {
  constructor(status, body) {
    super(body?.message ?? body?.error ?? `HTTP ${status}`);
    this.status = status;
    this.code = body?.error ?? `HTTP_${status}`;
    this.body = body ?? {};
  }
}

const eventNames = [
  'call.initiated', 'call.answered', 'call.ice_candidate', 'call.negotiate', 'call.negotiation_failed', 'call.media_changed', 'call.identity_changed',
  'call.glare', 'call.rejected', 'call.rejected_locally', 'call.ended', 'call.unavailable', 'call.transfer_requested', 'call.transfer_failed',
  'call.undecryptable',
];
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class CallService {
  constructor({ api, token, log, onEvent, onOnline }) {
    Object.assign(this, { base: api.replace(/\/+$/, ''), token, log, onEvent, onOnline });
    this.lastEventId = null;
    this.queue = Promise.resolve();
  }

  async request(method, path, body, { repeatFor = 0, keepalive = false } = {}) {
    const entry = this.log.add({ kind: 'rest', from: 'softphone', to: 'bridge', method, path, body: outline(body), label: `${method} ${path}` });
    const giveUpAt = Date.now() + repeatFor;
    for (;;) {
      let response;
      try {
        response = await fetch(this.base + path, {
          method,
          keepalive,
          cache: 'no-store',
          headers: { Authorization: `Bearer ${this.token}`, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
          body: body === undefined ? undefined : JSON.stringify(body),
        });
      } catch (error) {
        if (Date.now() >= giveUpAt) {
          entry.status = 0;
          entry.label += ' ✗ unreachable';
          this.log.tell(entry);
          throw new ServiceError(0, { error: 'UNREACHABLE', message: error.message });
        }
        await pause(300);
        continue;
      }
      const answer = await response.json().catch(() => null);
      if (answer?.error === 'NOT_READY' && Date.now() < giveUpAt) { // it is there, and still starting
        await pause(300);
        continue;
      }
      entry.status = response.status;
      entry.ms = Date.now() - entry.t;
      entry.code = answer?.error;
      entry.callId = answer?.call_id ?? answer?.id;
      entry.label += ` → ${response.status}${answer?.error ? ` ${answer.error}` : ''}`;
      this.log.tell(entry);
      if (!response.ok) throw new ServiceError(response.status, answer);
      return answer;
    }
  }

  openStream(after) {
    this.lastEventId = after;
    const connect = () => {
      if (this.closed) return;
      const address = new URL(`${this.base}/events`);
      address.searchParams.set('access_token', this.token); // EventSource cannot send headers
      if (this.lastEventId !== null) address.searchParams.set('last_event_id', this.lastEventId);
      const source = (this.source = new EventSource(address));
      source.onopen = () => this.onOnline(true);
      // Its own way to reconnect gives up for good on an HTTP error: ours does not.
      source.onerror = () => {
        source.close();
        this.onOnline(false);
        setTimeout(connect, 500);
      };
      for (const name of eventNames) source.addEventListener(name, (event) => this.take(name, event));
    };
    connect();
  }

  take(name, event) {
    const before = this.lastEventId;
    if (event.lastEventId) this.lastEventId = event.lastEventId;
    let data;
    try {
      data = JSON.parse(event.data);
    } catch {
      this.log.add({ kind: 'sse', from: 'bridge', to: 'softphone', name, label: `${name} (not JSON)` });
      return;
    }
    const detail = data.reason ? ` ${data.reason}` : data.candidates ? ` (${data.candidates.length})` : '';
    this.log.add({ kind: 'sse', from: 'bridge', to: 'softphone', name, id: event.lastEventId, callId: data.call_id, data: outline(data), label: name + detail });
    this.queue = this.queue.then(() => this.onEvent(name, data, before)).catch((error) => console.error(name, error));
  }

  close() {
    this.closed = true;
    this.source?.close();
  }
}
