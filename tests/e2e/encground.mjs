// SPDX-License-Identifier: Apache-2.0
//
// The ground of the families that look at encryption: that of the other bridge families, with encrypted rooms everywhere, TURN
// passwords, and a record of all secrets that are used. `inspect` says of a call that is over how its events went over the wire;
// `nothingWritten` is each family's last check.

import { devicesOf, encryptionLine, ghostDevices, requireEncrypted, requireEncryptedRoom } from '../support/drive/encryption.mjs';
import { countMedia, mediaLines } from '../support/drive/media.mjs';
import { requireNothing, Secrets } from '../support/drive/secrets.mjs';
import { bridgeGround } from './ground.mjs';
import { expect, expectEqual } from './checks.mjs';

export async function encryptedGround(options, extra = {}) {
  const ground = await bridgeGround(options, { encrypted: true, turn: true, ...extra });
  const secrets = (ground.secrets = new Secrets());
  secrets.addBed(ground.bed);
  ground.browser.beforeClosing = (phone) => secrets.addPhone(phone);
  // Timelines do not survive a kill, and what a page knows does not survive the page: both are read while they are there.
  const [refresh, killAndRestart] = [ground.refresh.bind(ground), ground.killAndRestart.bind(ground)];
  ground.refresh = async () => {
    await refresh();
    await secrets.readBridge(ground.bed);
  };
  ground.killAndRestart = async () => {
    await secrets.readBridge(ground.bed);
    return killAndRestart();
  };
  return ground;
}

// A room that bob makes, with the ghost in it.
export async function bobsRoom(ground, options) {
  const { bob, bed } = ground;
  const room = await bob.do('createDirectRoom', bed.ghost, options);
  await bob.until('seeing the ghost in the room', (s) => s.rooms.some((r) => r.roomId === room && r.encrypted && r.joined.includes(bed.ghost)));
  return room;
}

// Of a call that is over and was hung up by `by`: every event was encrypted, at bob's page and in the room, none has a shield, and
// the ghost's came from one device that its own identity has signed. phone: whose page is asked. Gives lines.
export async function inspect(ground, ids, { by, room = ground.room, phone = ground.bob } = {}) {
  const { bed } = ground;
  const users = [bed.ghost, bed.userId('bob')];
  if (by) await phone.entry('the hangup', (e) => e.type === 'm.call.hangup' && e.callId === ids.matrixId && e.from === (by === 'alice' ? bed.ghost : bed.userId('bob')));
  const events = await requireEncrypted(phone, ids.matrixId, { from: users });
  const devices = devicesOf(events, bed.ghost);
  expectEqual(devices.length, 1, "the ghost's devices in the call");
  const known = await ghostDevices(bed);
  expect(known.some((device) => device.id === devices[0] && device.signed), `the ghost's device ${devices[0]} must be signed by its identity: ${JSON.stringify(known)}`);
  const seen = await requireEncryptedRoom({ homeserver: bed.homeserver, token: bed.tokens.as, userId: bed.ghost, roomId: room }, users);
  return [encryptionLine(phone, events), `in the room: ${Object.entries(seen.encrypted).map(([user, n]) => `${n} encrypted from ${user}`).join(', ')}, no call event in the clear`];
}

// A whole call: placed by `from`, answered, media counted, hung up by `by`, and looked at.
export async function wholeCall(ground, from, by, options = {}) {
  const ids = await ground.connected(from, options);
  const media = await countMedia(ground.alice, ground.bob, options);
  await ground.over(by, ids);
  return { ids, lines: [...(await inspect(ground, ids, { by, room: options.room })), ...mediaLines(media)] };
}

export async function nothingWritten(ground) {
  const { bed, browser, secrets } = ground;
  for (const phone of browser.phones) await secrets.addPhone(phone);
  await secrets.readBridge(bed);
  const kinds = Object.keys(secrets.counts());
  for (const kind of ['as token', 'hs token', 'admin token', 'alice token', 'root key', 'access token', 'SDP fingerprint', 'ICE password', 'TURN password']) {
    expect(kinds.includes(kind), `the run must have used a secret of the kind "${kind}"; it used ${kinds.join(', ')}`);
  }
  return requireNothing(secrets.search(bed.folder), secrets);
}
