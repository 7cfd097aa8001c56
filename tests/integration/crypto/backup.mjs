// SPDX-License-Identifier: Apache-2.0
//
// node backup.mjs PEER: what our side (the program PEER, a session of an account) puts into the account's key backup, a new
// client of the owner's (an OlmMachine of matrix-sdk-crypto-wasm) decrypts with the backup's key, takes in, and reads all
// events with that were said in both directions before it was there. Prints what was done; exit code 0 only if it could.

import assert from 'node:assert/strict';
import { Homeserver } from './homeserver.mjs';
import { Ours, Theirs, loadWasm, wasm } from './sides.mjs';

const peer = process.argv[2];
const rotations = 60; // two sessions each: more than fit one upload
const room = '!backup:test';
const count = () => {};
await loadWasm();

const server = new Homeserver();
const key = wasm.BackupDecryptionKey.createRandomKey();
const owner = await Theirs.make('@owner:test', 'OWNER', server, count);
const bob = await Theirs.make('@bob:test', 'BOB', server, count);
const ours = new Ours(peer, '@owner:test', server, count, 'BRIDGE', true);
ours.other = bob;
bob.other = ours;
await ours.ask({ do: 'begin' });
const settle = async () => { while ((await ours.settle()) | (await owner.settle()) | (await bob.settle())); };
await settle();
await owner.track(['@owner:test']);
const bridge = await owner.machine.getDevice(new wasm.UserId('@owner:test'), new wasm.DeviceId('BRIDGE'));
await owner.perform(await bridge.verify()); // the owner signs it
await bob.track(['@owner:test']);
await settle();

let events = 0;
const said = [];
async function say(from, to) {
  const content = { call_id: `c${++events}`, version: '1', text: 'ünïcödé 🎈' };
  const sealed = await from.encrypt(room, [to.user], 'm.call.invite', content);
  const event = { type: 'm.room.encrypted', sender: from.user, room_id: room, event_id: `$${events}`, origin_server_ts: 1700000000000 + events, content: sealed };
  const opened = await to.open(event);
  assert.ok(opened.event, `$${events} is read: ${opened.reason}`);
  said.push({ event, content });
}
for (let i = 0; i < rotations; ++i) {
  for (const [from, to] of [[ours, bob], [bob, ours]]) {
    await from.rotate(room, [to.user]);
    await from.prepare(room, [to.user]);
    await settle();
    await say(from, to);
    await say(from, to);
  }
}
// Only now the homeserver says where the backup is: what has waited goes there in few uploads, also over a restart.
server.backup = { version: '7', publicKey: key.megolmV1PublicKey.publicKeyBase64, rooms: {}, uploads: [] };
await ours.ask({ do: 'restart' });
await settle();
await say(ours, bob);
await settle();

const sessions = new Set(said.map(({ event }) => event.content.session_id));
assert.ok(sessions.size >= 2 * rotations, `${sessions.size} sessions`);
const kept = server.backup.rooms[room];
for (const session of sessions) assert.ok(kept[session], `the backup has ${session}`);
assert.equal(server.backup.uploads[0], 100, 'as many as may go at once');
assert.ok(server.backup.uploads.every((n) => n > 0 && n <= 100), 'no upload of more than 100');
for (const one of Object.values(kept)) {
  assert.deepEqual(Object.keys(one).sort(), ['first_message_index', 'forwarded_count', 'is_verified', 'session_data']);
  assert.deepEqual(Object.keys(one.session_data).sort(), ['ciphertext', 'ephemeral', 'mac']);
}

// A client that was not there, with nothing but the key of the backup.
const fresh = await wasm.OlmMachine.initialize(new wasm.UserId('@owner:test'), new wasm.DeviceId('NEW'));
const read = (event) => fresh.decryptRoomEvent(JSON.stringify(event), new wasm.RoomId(room), new wasm.DecryptionSettings(wasm.TrustRequirement.Untrusted));
await assert.rejects(read(said[0].event));
const data = new Map();
for (const [session, { session_data: { ephemeral, mac, ciphertext } }] of Object.entries(kept)) {
  assert.throws(() => wasm.BackupDecryptionKey.createRandomKey().decryptV1(ephemeral, mac, ciphertext), 'with another key');
  data.set(session, JSON.parse(wasm.BackupDecryptionKey.fromBase64(key.toBase64()).decryptV1(ephemeral, mac, ciphertext)));
}
const size = data.size;
const result = await fresh.importBackedUpRoomKeys(new Map([[new wasm.RoomId(room), data]]), undefined, '7');
assert.equal(Number(result.importedCount), size);
for (const { event, content } of said) assert.deepEqual(JSON.parse((await read(event)).event).content, content, event.event_id);

ours.close();
owner.close();
bob.close();
fresh.close();
console.log(`        ${size} sessions of the backup, in ${server.backup.uploads.length} uploads`);
console.log(`        ${said.length} events, read by a client that was not there`);
console.log('backed up, and restored by the other side');
