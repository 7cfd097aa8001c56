// SPDX-License-Identifier: Apache-2.0
//
// A page's record of what went over the wire, for the person who watches and for the drivers' ladders. Entries are plain
// objects with `t` (ms since 1970), `from`, `to` and `label`. Never holds SDP, tokens or passwords: `outline` drops them.

export class WireLog {
  constructor() {
    this.entries = [];
    this.listeners = [];
  }

  add(entry) {
    const complete = { t: Date.now(), ...entry };
    this.entries.push(complete);
    if (this.entries.length > 2000) this.entries.shift();
    this.tell(complete);
    return complete;
  }

  // To be called again when an entry has learnt more (a request its status).
  tell(entry) {
    for (const listener of this.listeners) listener(entry);
  }
}

const hidden = new Set(['sdp', 'initiator_sdp', 'answer_sdp', 'offer', 'answer', 'description', 'credential', 'password', 'token']);

// The shape of a payload with its bulk replaced by counts.
export function outline(value) {
  if (Array.isArray(value)) return value.every((v) => v && typeof v === 'object' && 'candidate' in v) ? `${value.length} candidates` : value.map(outline);
  if (!value || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hidden.has(key) ? '…' : outline(inner)]));
}
