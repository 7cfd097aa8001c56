// SPDX-License-Identifier: Apache-2.0
//
// What a call's events looked like on the wire, from two sides: as a Matrix page saw them (wire type, shield, device, key), and
// as anybody who may read the room sees them. Accepts phones and rooms; gives facts, or throws with what was wrong.

const isCall = (type) => /^(m|org\.matrix)\.call\./.test(type);

// The events of one call, once the page knows all about each of them.
export async function callEvents(phone, callId, timeout = 10000) {
  const deadline = Date.now() + timeout;
  for (;;) {
    const events = (await phone.entries()).filter((e) => e.kind === 'matrix' && e.callId === callId && isCall(e.type));
    const open = events.filter((e) => !('wireType' in e) || (e.encrypted && e.shield === null));
    if (open.length === 0) return events;
    if (Date.now() > deadline) throw new Error(`${phone.name}: waited ${timeout} ms to know how ${open.map((e) => e.type)} were encrypted`);
    await new Promise((again) => setTimeout(again, 25));
  }
}

const wrong = (event) => {
  if (event.wireType !== 'm.room.encrypted') return `${event.type} went in the clear`;
  if (event.shield !== 'none') return `${event.type} from ${event.from} has a ${event.shield} shield: ${event.shieldReason}`;
  return null;
};

// Every event of the call was encrypted and none has a shield. from: users of whom there must be events. Gives the events.
export async function requireEncrypted(phone, callId, { from = [] } = {}) {
  const events = await callEvents(phone, callId);
  for (const user of from) if (!events.some((e) => e.from === user)) throw new Error(`${phone.name} has seen no event of the call from ${user}`);
  const faults = events.map(wrong).filter(Boolean);
  if (events.length === 0 || faults.length > 0) throw new Error(`${phone.name}: ${faults.join('; ') || `no events of the call ${callId}`}`);
  return events;
}

export const devicesOf = (events, user) => [...new Set(events.filter((e) => e.from === user).map((e) => e.device))];
export const sessionsOf = (events, user) => [...new Set(events.filter((e) => e.from === user).map((e) => e.session))];

// One line for the person who reads the run.
export function encryptionLine(phone, events) {
  const users = [...new Set(events.map((e) => e.from))].sort();
  const early = events.filter((e) => e.firstShield && e.firstShield !== 'none').length;
  const parts = users.map((user) => `${user} ${events.filter((e) => e.from === user).length} (device ${devicesOf(events, user).join(', ')}, ${sessionsOf(events, user).length} room keys)`);
  return `at ${phone.name}: ${events.length} events of the call, all m.room.encrypted, no shield; ${parts.join('; ')}${early ? `; ${early} had one at first` : ''}`;
}

// What this page received and cannot read. since: by the homeserver's clock.
export async function unreadable(phone, { from, roomId, since = 0 } = {}) {
  return (await phone.entries()).filter((e) => e.decrypted === false && e.t >= since && (!from || e.from === from) && (!roomId || e.roomId === roomId));
}

// Waits until this page has received an event that it cannot read for one of these reasons.
export function untilUnreadable(phone, failures, { from, since = 0, timeout } = {}) {
  return phone.entry(`an event that cannot be read (${failures})`, (e) => e.decrypted === false && e.t >= since && (!from || e.from === from) && failures.includes(e.failure), timeout);
}

// The room as its members' homeserver keeps it, newest 200 events: how many were encrypted, by sender, and every call event that was not.
export async function readRoom({ homeserver, token, roomId, userId }) {
  const query = new URLSearchParams({ dir: 'b', limit: '200', ...(userId ? { user_id: userId } : {}) });
  const answer = await fetch(`${homeserver}/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages?${query}`, { headers: { Authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`GET /messages: HTTP ${answer.status} ${await answer.text()}`);
  const { chunk } = await answer.json();
  const encrypted = {};
  for (const event of chunk) if (event.type === 'm.room.encrypted') encrypted[event.sender] = (encrypted[event.sender] ?? 0) + 1;
  return { encrypted, clear: chunk.filter((e) => isCall(e.type)).map((e) => `${e.type} from ${e.sender}`), sessions: [...new Set(chunk.map((e) => e.content.session_id).filter(Boolean))] };
}

// No call event of the room is in the clear, and there are encrypted ones of each of these users.
export async function requireEncryptedRoom(where, users) {
  const room = await readRoom(where);
  if (room.clear.length > 0) throw new Error(`in the clear in ${where.roomId}: ${room.clear.join(', ')}`);
  for (const user of users) if (!room.encrypted[user]) throw new Error(`there is no encrypted event of ${user} in ${where.roomId}`);
  return room;
}

// Keeps what this page's client sends to other devices from the homeserver, and lets the client believe that it arrived: its room
// keys never come. `release` lets later ones through; `deliver` sends what was kept back, as it was.
export async function keepKeysBack(phone) {
  const kept = [];
  const pattern = '**/_matrix/client/v3/sendToDevice/**';
  const handler = async (route) => {
    const request = route.request();
    if (request.method() === 'OPTIONS') return route.continue();
    kept.push({ url: request.url(), body: request.postData(), authorization: request.headers().authorization });
    return route.fulfill({ status: 200, contentType: 'application/json', headers: { 'Access-Control-Allow-Origin': '*' }, body: '{}' });
  };
  await phone.page.route(pattern, handler);
  return {
    kept,
    release: () => phone.page.unroute(pattern, handler),
    deliver: async () => {
      for (const { url, body, authorization } of kept.splice(0)) {
        const answer = await fetch(url, { method: 'PUT', headers: { Authorization: authorization, 'Content-Type': 'application/json' }, body });
        if (!answer.ok) throw new Error(`PUT ${new URL(url).pathname}: HTTP ${answer.status}`);
      }
    },
  };
}

// A request to the homeserver as the bridge makes it for one of its users: for what somebody else does to a ghost's devices.
export async function asGhost(bed, method, path, { user = bed.ghost, body } = {}) {
  const answer = await fetch(`${bed.homeserver}/_matrix/client/v3${path}?${new URLSearchParams({ user_id: user })}`, {
    method, headers: { Authorization: `Bearer ${bed.tokens.as}`, 'Content-Type': 'application/json' }, body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path} as ${user}: HTTP ${answer.status} ${await answer.text()}`);
  return answer.json();
}

// The ghost's devices that can encrypt, as everybody may ask for them; signed: by the ghost's own identity, as far as signatures are there.
export async function ghostDevices(bed, user = bed.ghost) {
  const answer = await fetch(`${bed.homeserver}/_matrix/client/v3/keys/query?${new URLSearchParams({ user_id: user })}`, {
    method: 'POST', headers: { Authorization: `Bearer ${bed.tokens.as}`, 'Content-Type': 'application/json' }, body: JSON.stringify({ device_keys: { [user]: [] } }),
  });
  const { device_keys: keys, self_signing_keys: signing } = await answer.json();
  const [signer] = Object.keys(signing?.[user]?.keys ?? {});
  return Object.entries(keys?.[user] ?? {}).map(([id, device]) => ({ id, signed: Boolean(signer && device.signatures?.[user]?.[signer]) }));
}
