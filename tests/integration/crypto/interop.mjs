// SPDX-License-Identifier: Apache-2.0
//
// node interop.mjs PEER [SEED [ROUNDS]]: random conversations between our machine (the program PEER) and an OlmMachine of
// matrix-sdk-crypto-wasm, which knows nothing of ours. Every event that must be read is read with what was sent, every
// other one is not. Prints the seed and what was exchanged; exit code 0 only without a disagreement.

import assert from 'node:assert/strict';
import { Homeserver } from './homeserver.mjs';
import { Ours, Theirs, loadWasm } from './sides.mjs';

const [peer, seedText, roundsText] = process.argv.slice(2);
const seed = Number(seedText ?? Math.floor(Math.random() * 2 ** 31));
const rounds = Number(roundsText ?? 12);
const leastEachWay = 1000;
console.log(`seed ${seed}`);

let state = seed >>> 0;
const random = () => { // mulberry32
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const below = (n) => Math.floor(random() * n);
const shuffled = (list) => {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; --i) {
    const j = below(i + 1);
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
};

const figures = {};
const count = (what, n = 1) => { figures[what] = (figures[what] ?? 0) + n; };

await loadWasm();
const server = new Homeserver();
const room = '!interop:test';
const ours = new Ours(peer, '@nova_alice:test', server, count);
await ours.ask({ do: 'begin' });
await ours.settle();
assert.ok(ours.complete, 'our device is complete');

let events = 0;
const texts = ['', 'plain', 'ünïcödé 🎈 \u2028', '"quoted\\', 'x'.repeat(3000)];
const newContent = () => ({ call_id: `c${below(1e9)}`, version: '1', n: below(2 ** 31), text: texts[below(texts.length)], deep: { list: [1, null, true, { a: [] }] } });
const eventOf = (side, content) => ({ type: 'm.room.encrypted', sender: side.user, room_id: room, event_id: `$e${++events}`, origin_server_ts: 1700000000000 + events, content });

async function settleAll(theirs) {
  for (let moved = true; moved;) moved = (await ours.settle()) | (await theirs.settle());
}

// Each returns the sealed event with what it must open as.
async function seal(from, to) {
  const content = newContent();
  const type = ['m.call.invite', 'm.call.candidates', 'm.call.hangup'][below(3)];
  const sealed = await from.encrypt(room, [to.user], type, content);
  return { event: eventOf(from, sealed), type, content };
}
async function mustOpen(to, { event, type, content }, way) {
  const opened = await to.open(event);
  assert.ok(opened.event, `${way} ${event.event_id} is read: ${opened.reason}`);
  assert.equal(opened.event.type, type);
  assert.deepEqual(opened.event.content, content);
  count(way);
}
async function mustNotOpen(to, event, kind) {
  const opened = await to.open(event);
  assert.equal(opened.event, undefined, `${kind} is not read`);
  count(kind);
}

async function step(theirs) {
  const outwards = random() < 0.5;
  const [from, to] = outwards ? [ours, theirs] : [theirs, ours];
  const way = outwards ? 'ours to theirs' : 'theirs to ours';
  const prepare = async () => {
    await from.prepare(room, [to.user]);
    await settleAll(theirs);
  };
  switch (below(10)) {
    case 0: case 1: { // some, out of order
      await prepare();
      const batch = [];
      for (let i = below(8) + 1; i > 0; --i) batch.push(await seal(from, to));
      for (const one of shuffled(batch)) await mustOpen(to, one, way);
      if (batch.length > 1) count('out of order', batch.length);
      break;
    }
    case 2: { // the ratchet goes on unseen
      await prepare();
      const skipped = below(40);
      const first = await seal(from, to);
      let last = first;
      for (let i = 0; i < skipped; ++i) last = await seal(from, to);
      if (last !== first) await mustOpen(to, last, way);
      await mustOpen(to, first, way);
      count('skipped indices', skipped);
      break;
    }
    case 3: { // rotation
      await from.rotate(room, [to.user]);
      await prepare();
      await mustOpen(to, await seal(from, to), way);
      count('rotations');
      break;
    }
    case 4: { // the key is late
      await from.rotate(room, [to.user]);
      to.holdBack = true;
      await prepare();
      const late = await seal(from, to);
      await mustNotOpen(to, late.event, 'key not there yet');
      to.holdBack = false;
      to.reorder = shuffled;
      await settleAll(theirs);
      to.reorder = undefined;
      await mustOpen(to, late, way);
      break;
    }
    case 5: { // the key is lost; only with the next session is there another
      await from.rotate(room, [to.user]);
      to.lose = true;
      await prepare();
      const lost = await seal(from, to);
      to.lose = false;
      await settleAll(theirs);
      await mustNotOpen(to, lost.event, 'key lost');
      await from.rotate(room, [to.user]);
      await prepare();
      await mustOpen(to, await seal(from, to), way);
      break;
    }
    case 6: { // replayed, and changed on the way
      await prepare();
      const good = await seal(from, to);
      const flipped = structuredClone(good.event);
      const text = flipped.content.ciphertext;
      const at = 8 + below(text.length - 8);
      flipped.content.ciphertext = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
      await mustNotOpen(to, flipped, 'changed');
      await mustOpen(to, good, way);
      await mustOpen(to, good, 'same event again');
      if (to === ours) await mustNotOpen(to, { ...good.event, event_id: `$replay${events}` }, 'replayed'); // theirs leaves that to others
      await mustNotOpen(to, { ...good.event, sender: '@eve:test' }, 'other sender');
      await mustNotOpen(to, { ...good.event, room_id: '!else:test' }, 'other room');
      break;
    }
    case 7: // our process ends and begins again from its rows
      await ours.ask({ do: 'restart' });
      await settleAll(theirs);
      count('restarts');
      break;
    case 8: { // decided, not committed: it has not happened
      if (!outwards) break;
      await prepare();
      const content = newContent();
      const command = { do: 'encrypt', room, members: [theirs.user], type: 'm.call.invite', content };
      const first = await ours.ask({ ...command, commit: false });
      await ours.ask({ do: 'revert' });
      const again = await ours.ask(command);
      assert.deepEqual(again.content, first.content);
      await mustOpen(theirs, { event: eventOf(ours, again.content), type: 'm.call.invite', content }, way);
      count('reverts');
      break;
    }
    default: // to-device messages that come twice
      await from.rotate(room, [to.user]);
      to.twice = true;
      await prepare();
      to.twice = false;
      await mustOpen(to, await seal(from, to), way);
      count('to-device twice');
  }
}

// What their side exports, our library reads, too.
async function readExported(theirs, sent) {
  const keys = JSON.parse(await theirs.exported());
  for (const { event, content } of sent) {
    const key = keys.find((one) => one.session_id === event.content.session_id);
    assert.ok(key, 'the session was exported');
    const opened = await ours.ask({ do: 'open_exported', session_key: key.session_key, ciphertext: event.content.ciphertext });
    assert.ok(opened.plain, `with an exported key: ${opened.fault}`);
    assert.deepEqual(JSON.parse(opened.plain).content, content);
    count('with exported key');
  }
}

for (let round = 0; round < rounds || Math.min(figures['ours to theirs'] ?? 0, figures['theirs to ours'] ?? 0) < leastEachWay; ++round) {
  assert.ok(round < 10 * rounds, 'enough was exchanged');
  if (round % 4 === 3) { // without one-time keys, the fallback key serves
    server.device(ours.user, ours.device).oneTime = {};
    count('begun with our fallback key');
  }
  const theirs = await Theirs.make(`@wasm${round}:test`, `WASM${round}`, server, count);
  ours.other = theirs;
  theirs.other = ours;
  await theirs.track([ours.user]);
  await settleAll(theirs);
  if (round % 2) await theirs.prepare(room, [ours.user]); // who begins the Olm session
  await settleAll(theirs);
  for (let i = 0; i < 60; ++i) await step(theirs);
  await theirs.prepare(room, [ours.user]);
  await settleAll(theirs);
  const sent = [];
  for (let i = 0; i < 5; ++i) sent.push(await seal(theirs, ours));
  for (const one of sent) await mustOpen(ours, one, 'theirs to ours');
  await readExported(theirs, sent);
  theirs.close();
}

for (const [name, times] of server.handedOut) assert.equal(times, 1, name);
count('one-time keys handed out, each once', server.handedOut.size);
for (const kind of ['our pre-key messages', 'our normal Olm messages', 'their pre-key messages', 'their normal Olm messages', 'replayed', 'key lost', 'restarts'])
  assert.ok(figures[kind] > 0, `there were: ${kind}`);
ours.close();
for (const [what, n] of Object.entries(figures).sort()) console.log(`${String(n).padStart(6)}  ${what}`);
console.log('no disagreement');
