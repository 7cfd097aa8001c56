// SPDX-License-Identifier: Apache-2.0
//
// Transfers: a peer of the host sends the host's user to somebody else, the host sends its peer to somebody else; blind, and
// attended with both calls up. In the end two talk who did not before, media is counted, and every old call is over.

import { countMedia, mediaLines } from '../support/drive/media.mjs';
import { bridgeGround } from './ground.mjs';
import { expect, expectEqual } from './checks.mjs';

export const family = 'transfer';
export const setUp = async (options) => {
  const ground = await bridgeGround(options, { users: ['bob', 'carol'] });
  const room = (ground.privateRoom = await ground.bob.do('createDirectRoom', ground.bed.userId('carol')));
  await ground.carol.until('having joined the room with bob', (s) => s.rooms.some((r) => r.roomId === room && r.membership === 'join'));
  return ground;
};

const autoTransfer = (ground, on) => ground.alice.set('autoTransfer', on);

// bob and carol in a call of their own, without the host; whatever bob had before is on hold.
async function bobCallsCarol({ bob, carol, privateRoom }) {
  const callId = await bob.do('place', privateRoom);
  await carol.stage('ringing-in');
  await carol.do('answer');
  await Promise.all([bob.stage('connected'), carol.stage('connected')]);
  return callId;
}

// alice in a call with `user`, placed by the host; whatever alice had before is on hold.
async function aliceCalls(ground, user) {
  const hostId = await ground.alice.do('place', ground.conversations[user]);
  const { call } = await ground[user].stage('ringing-in');
  await ground[user].do('answer');
  await Promise.all([ground.alice.until(`talking to ${user}`, (s) => s.call?.id === hostId && s.call.stage === 'connected'), ground[user].stage('connected')]);
  return { hostId, matrixId: call.callId };
}

async function transferred(ground, { hostId }) {
  const ended = await ground.alice.until(`the end of the call ${hostId}`, (s) => s.ended.some((e) => e.id === hostId));
  expectEqual(ended.ended.find((e) => e.id === hostId).reason, 'transferred', 'what alice was told of the old call');
  const record = await ground.call(hostId);
  expectEqual([record.status, record.reason], ['ended', 'transferred'], "the old call's record");
}

// alice and carol talk, alice's call replaces the old one.
async function aliceHasCarol(ground, old) {
  const { alice, carol } = ground;
  const { call } = await alice.until('talking to carol', (s) => s.call?.peer === ground.bed.userId('carol') && s.call.stage === 'connected' && s.call.id !== old.hostId);
  await carol.stage('connected');
  await transferred(ground, old);
  await carol.until('having one call', (s) => s.call?.callId === call.matrixId && s.others.length === 0);
  await alice.until('having one call', (s) => s.others.length === 0);
  const media = await countMedia(alice, carol);
  const record = await ground.call(call.id);
  expectEqual([record.replaces, record.matrix.call_id], [old.hostId, (await carol.state()).call.callId], 'replaces, and the Matrix call of both');
  await carol.do('hangup');
  await alice.end(call.id);
  await ground.noLiveCalls();
  return mediaLines(media).join('\n');
}

// bob and carol talk, and the host has no call any more.
async function bobHasCarol(ground, olds) {
  const { alice, bob, carol } = ground;
  await Promise.all(['bob', 'carol'].map((user) => ground[user].until('having one call, connected', (s) => s.call?.stage === 'connected' && s.others.length === 0 &&
    !olds.some((old) => old.matrixId === s.call.callId))));
  const [left, right] = [await bob.state(), await carol.state()];
  expectEqual(left.call.callId, right.call.callId, 'the call that both are in');
  for (const old of olds) await transferred(ground, old);
  await alice.until('having no call', (s) => !s.call && s.others.length === 0);
  await ground.noLiveCalls();
  const media = await countMedia(bob, carol);
  await bob.do('hangup');
  await carol.end(left.call.callId);
  return mediaLines(media).join('\n');
}

export const checks = {
  'Matrix sends the host to carol': async (ground) => {
    const { alice, bob, carol } = ground;
    const notes = [];
    for (const from of ['alice', 'bob']) {
      const ids = await ground.connected(from);
      await countMedia(alice, bob);
      await bob.do('transfer', ground.bed.userId('carol'));
      expectEqual((await bob.end(ids.matrixId)).reason, 'transferred', 'what bob sees');
      await alice.until('being asked', (s) => s.transfer?.target.id === ground.bed.userId('carol') && s.transfer.mode === 'create');
      await alice.page.getByRole('button', { name: 'Accept transfer' }).click();
      await carol.stage('ringing-in');
      await carol.do('answer');
      notes.push(await aliceHasCarol(ground, ids));
    }
    return notes.join('\n');
  },

  'Matrix sends the host to carol, the host refuses': async (ground) => {
    const { alice, bob } = ground;
    const ids = await ground.connected('bob');
    await bob.do('transfer', ground.bed.userId('carol'));
    await alice.until('being asked', (s) => Boolean(s.transfer));
    await alice.page.getByRole('button', { name: 'Refuse transfer' }).click();
    await ground.arrives('m.call.reject_replacement', ground.bed.ghost, ids.matrixId);
    await alice.do('hangup');
    await alice.end(ids.hostId);
    await ground.noLiveCalls();
    expectEqual((await ground.carol.state()).call, null, "carol's call");
  },

  'Matrix sends the host to carol, who rejects': async (ground) => {
    const { alice, bob, carol } = ground;
    const ids = await ground.connected('alice');
    await bob.do('transfer', ground.bed.userId('carol'));
    await alice.until('being asked', (s) => Boolean(s.transfer));
    await alice.do('acceptTransfer');
    await carol.stage('ringing-in');
    await carol.do('reject');
    await alice.until('being back in the old call, and knowing why', (s) => s.call?.id === ids.hostId && s.call.note?.key === 'transferFailed' && s.call.note.detail === 'rejected');
    await alice.do('hangup'); // bob has gone: to the SDK a transfer is over once it is said
    await alice.end(ids.hostId);
    await ground.noLiveCalls();
  },

  'Matrix sends the host to carol, the bridge is killed meanwhile': async (ground) => {
    const { alice, bob, carol } = ground;
    const ids = await ground.connected('bob');
    await bob.do('transfer', ground.bed.userId('carol'));
    await alice.until('being asked', (s) => Boolean(s.transfer));
    await ground.killAndRestart();
    await alice.do('acceptTransfer');
    await carol.stage('ringing-in');
    await ground.killAndRestart();
    await carol.do('answer');
    return aliceHasCarol(ground, ids);
  },

  'Matrix has both on the line and connects them, the host calls': async (ground) => {
    await autoTransfer(ground, true);
    const ids = await ground.connected('alice');
    await bobCallsCarol(ground);
    await ground.bob.do('transferToOther'); // the host's call is behind: the host's user places the new call, carol awaits it
    const note = await aliceHasCarol(ground, ids);
    await autoTransfer(ground, false);
    return note;
  },

  'Matrix has both on the line and connects them, the host is called': async (ground) => {
    const { alice, bob } = ground;
    await autoTransfer(ground, true);
    await bobCallsCarol(ground);
    const matrixId = await bob.do('place', ground.room);
    const { call } = await alice.stage('ringing-in');
    await alice.do('answer');
    await Promise.all([alice.stage('connected'), bob.until('talking to alice', (s) => s.call?.callId === matrixId && s.call.stage === 'connected')]);
    await bob.do('transferToOther'); // carol's call is behind: carol places the new call, the host's user awaits it
    const note = await aliceHasCarol(ground, { hostId: call.id, matrixId });
    await autoTransfer(ground, false);
    return note;
  },

  'the host sends bob to carol': async (ground) => {
    const { alice, bob, carol } = ground;
    const notes = [];
    for (const from of ['alice', 'bob']) {
      const ids = await ground.connected(from);
      await countMedia(alice, bob);
      expect((await alice.state()).call.capabilities?.transferee, 'alice must know that bob can be transferred');
      await alice.do('transfer', ground.bed.userId('carol'));
      await carol.stage('ringing-in');
      await carol.do('answer');
      notes.push(await bobHasCarol(ground, [ids]));
    }
    return notes.join('\n');
  },

  'the host sends bob to carol, bob does not want to': async (ground) => {
    const { alice, bob } = ground;
    await bob.set('autoTransfer', false);
    const ids = await ground.connected('alice');
    await alice.do('transfer', ground.bed.userId('carol'));
    await alice.until('knowing that it was refused', (s) => s.call?.note?.key === 'transferFailed' && s.call.note.detail === 'rejected');
    await countMedia(alice, bob);
    await bob.set('autoTransfer', true);
    await ground.over('alice', ids);
  },

  'the host has both on the line and connects them': async (ground) => {
    const { alice } = ground;
    const first = await aliceCalls(ground, 'bob');
    const second = await aliceCalls(ground, 'carol');
    await countMedia(alice, ground.carol);
    await alice.do('transferToOther');
    return bobHasCarol(ground, [first, second]);
  },

  'a peer that cannot be transferred': async (ground) => {
    const { alice, bob } = ground;
    const plain = await ground.browser.open('plain', ground.bed.matrixPage(), { ...ground.fields('bob'), tone: 587, transferee: 'no' });
    await plain.until('being in the conversation', (s) => s.rooms.some((r) => r.roomId === ground.room && r.membership === 'join'));
    const ids = await ground.hostRings();
    await plain.stage('ringing-in');
    await plain.do('answer');
    await Promise.all([alice.stage('connected'), plain.stage('connected'), bob.end(ids.matrixId)]);
    const { status, body } = await ground.rest(`/calls/${ids.hostId}/transfer`, { method: 'POST', body: { target_user: ground.bed.userId('carol') } });
    expectEqual([status, body.error], [409, 'NOT_SUPPORTED_BY_PEER'], 'POST /calls/{id}/transfer');
    expect(await alice.page.getByRole('button', { name: 'Transfer', exact: true }).isDisabled(), 'the button must say so, too');
    await countMedia(alice, plain);
    await plain.do('hangup');
    await alice.end(ids.hostId);
    await ground.browser.closePhone(plain);
  },
};
