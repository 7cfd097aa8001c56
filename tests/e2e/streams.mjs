// SPDX-License-Identifier: Apache-2.0
//
// What comes and goes in mid-call by renegotiation: video, shared screens, a new path (ICE restart); from each side and from
// both at once. And the name that one side asserts for itself.

import { breakMedia, mendMedia } from '../support/drive/network.mjs';
import { countMedia, mediaLines, untilQuiet, untilReceived } from '../support/drive/media.mjs';
import { bridgeGround } from './ground.mjs';
import { expect, expectEqual } from './checks.mjs';

export const family = 'streams';
export const setUp = (options) => bridgeGround(options);

const stable = (s) => s.call?.signalling === 'stable';
const settled = (phone) => phone.until('having nothing to negotiate', stable);

async function shares(sharer, watcher) {
  await sharer.do('setScreen', true);
  await watcher.until(`seeing ${sharer.name}'s screen`, (s) => s.call?.peerScreen && stable(s));
  const bytes = await untilReceived(watcher, 'screen');
  return `screen ${sharer.name} -> ${watcher.name}: ${bytes} bytes`;
}

async function sharesNoMore(sharer, watcher) {
  await sharer.do('setScreen', false);
  await watcher.until(`${sharer.name}'s screen having gone`, (s) => s.call && !s.call.peerScreen && stable(s));
  await settled(sharer);
}

const purposesAtBob = async ({ bob }) => (await bob.state()).call.feeds.map((feed) => feed.purpose).sort();
const purposesAtAlice = async ({ alice }) => (await alice.state()).call.streams.filter((s) => s.video + s.audio > 0).map((s) => s.purpose).sort();

export const checks = {
  'host adds video to a voice call and takes it back': async (ground) => {
    const { alice, bob } = ground;
    const ids = await ground.connected('alice');
    await countMedia(alice, bob);
    await alice.do('setVideo', true);
    await bob.until("getting alice's picture", (s) => s.call?.feeds.some((f) => f.purpose === 'm.usermedia' && f.video && !f.videoMuted));
    await untilReceived(bob, 'video');
    await bob.do('setVideo', true);
    await alice.until("getting bob's picture", (s) => s.call?.streams.some((stream) => stream.video) && !s.call.peerVideoMuted && stable(s));
    const media = await countMedia(alice, bob, { video: true });
    await alice.do('setVideo', false);
    await bob.until("alice's picture having gone", (s) => s.call?.feeds.every((f) => !f.video) && stable(s));
    await untilQuiet(bob, 'video');
    await untilReceived(alice, 'video');
    await countMedia(alice, bob);
    await alice.do('setVideo', true);
    await bob.until("getting alice's picture again", (s) => s.call?.feeds.some((f) => f.video && !f.videoMuted) && stable(s));
    await countMedia(alice, bob, { video: true });
    await ground.over('bob', ids);
    return mediaLines(media).join('\n');
  },

  'Matrix adds video to a voice call and takes it back': async (ground) => {
    const { alice, bob } = ground;
    const ids = await ground.connected('bob');
    await countMedia(alice, bob);
    await bob.do('setVideo', true);
    await alice.until("getting bob's picture", (s) => s.call?.streams.some((stream) => stream.video) && !s.call.peerVideoMuted && stable(s));
    await untilReceived(alice, 'video');
    await alice.do('setVideo', true);
    await bob.until("getting alice's picture", (s) => s.call?.feeds.some((f) => f.video && !f.videoMuted) && stable(s));
    const media = await countMedia(alice, bob, { video: true });
    await bob.do('setVideo', false); // to the SDK this is a mute
    await alice.until("knowing that bob's picture has gone", (s) => s.call?.peerVideoMuted);
    await untilQuiet(alice, 'video');
    await alice.do('setVideo', false);
    await bob.until("alice's picture having gone", (s) => s.call?.feeds.every((f) => !f.video) && stable(s));
    await countMedia(alice, bob);
    await ground.over('alice', ids);
    return mediaLines(media).join('\n');
  },

  'host shares a screen': async (ground) => {
    const { alice, bob } = ground;
    const ids = await ground.connected('alice');
    const note = await shares(alice, bob);
    expectEqual(await purposesAtBob(ground), ['m.screenshare', 'm.usermedia'], "purposes of alice's streams at bob");
    await countMedia(alice, bob);
    await sharesNoMore(alice, bob);
    await shares(alice, bob);
    await countMedia(alice, bob);
    await ground.over('alice', ids);
    return note;
  },

  'Matrix shares a screen': async (ground) => {
    const { alice, bob } = ground;
    const ids = await ground.connected('alice');
    const note = await shares(bob, alice);
    expectEqual(await purposesAtAlice(ground), ['m.screenshare', 'm.usermedia'], "purposes of bob's streams at alice");
    await countMedia(alice, bob);
    await sharesNoMore(bob, alice);
    await shares(bob, alice);
    await countMedia(alice, bob);
    await ground.over('bob', ids);
    return note;
  },

  'screens in a video call, one after the other': async (ground) => {
    const { alice, bob } = ground;
    const ids = await ground.connected('bob', { video: true });
    await countMedia(alice, bob, { video: true });
    const notes = [await shares(alice, bob), await shares(bob, alice)];
    await countMedia(alice, bob, { video: true });
    await sharesNoMore(alice, bob);
    await sharesNoMore(bob, alice);
    await countMedia(alice, bob, { video: true });
    await ground.over('alice', ids);
    return notes.join('\n');
  },

  'both share at the same moment': async (ground) => {
    const { alice, bob } = ground;
    const notes = [];
    for (const from of ['alice', 'bob']) {
      const ids = await ground.connected(from);
      notes.push(...await Promise.all([shares(alice, bob), shares(bob, alice)]));
      await countMedia(alice, bob);
      await Promise.all([sharesNoMore(alice, bob), sharesNoMore(bob, alice)]);
      await countMedia(alice, bob);
      await ground.over(from, ids);
    }
    return notes.join('\n');
  },

  'host restarts ICE': async (ground) => {
    const { alice, bob } = ground;
    for (const from of ['alice', 'bob']) {
      const ids = await ground.connected(from);
      await countMedia(alice, bob);
      const before = [(await alice.stats()).ufrag, (await bob.stats()).ufrag];
      await alice.do('restartIce');
      for (const phone of [alice, bob]) await settled(phone);
      for (const [i, phone] of [alice, bob].entries()) {
        const { ufrag } = await phone.stats();
        expect(ufrag && ufrag !== before[i], `${phone.name} must have new ICE credentials: ${before[i]}, then ${ufrag}`);
      }
      await countMedia(alice, bob);
      expectEqual((await ground.call(ids.hostId)).status, 'connected', "the call's status");
      await ground.over(from, ids);
    }
  },

  'the path breaks and comes back': async (ground) => {
    const { alice, bob } = ground;
    const ids = await ground.connected('bob');
    await countMedia(alice, bob);
    const before = (await alice.stats()).ufrag;
    await breakMedia();
    await alice.stage('interrupted');
    await bob.until('losing the connection', (s) => s.call && s.call.stage !== 'connected');
    await mendMedia();
    // Both may have begun to restart ICE, at the same time: what counts is that they find each other again.
    await Promise.all([alice.stage('connected', 40000), bob.stage('connected', 40000)]);
    await countMedia(alice, bob);
    const after = (await alice.stats()).ufrag;
    expectEqual((await ground.call(ids.hostId)).status, 'connected', "the call's status");
    await ground.over('alice', ids);
    return after === before ? 'came back by itself' : 'came back by a restart of ICE';
  },

  'the path stays broken until ICE has been restarted': async (ground) => {
    const { alice, bob } = ground;
    const ids = await ground.connected('alice');
    await countMedia(alice, bob);
    const before = (await alice.stats()).ufrag;
    await breakMedia();
    await alice.stage('interrupted');
    await alice.entry('an offer', (e) => e.path === `/calls/${ids.hostId}/negotiate` || (e.name === 'call.negotiate' && e.callId === ids.hostId));
    await mendMedia();
    await Promise.all([alice.stage('connected', 40000), bob.stage('connected', 40000)]);
    for (const phone of [alice, bob]) await settled(phone);
    await countMedia(alice, bob);
    expect((await alice.stats()).ufrag !== before, 'alice must have new ICE credentials');
    expectEqual((await ground.call(ids.hostId)).status, 'connected', "the call's status");
    await ground.over('bob', ids);
  },

  'each asserts an identity': async (ground) => {
    const { alice, bob } = ground;
    const ids = await ground.connected('alice');
    await alice.do('setIdentity', { id: '@support:test', display_name: 'Support' });
    await bob.until('the asserted identity', (s) => s.call?.identity?.displayName === 'Support' && s.call.identity.id === '@support:test');
    await bob.do('sendIdentity', { id: '@bobs-boss:test', display_name: "Bob's boss" });
    await alice.until('the asserted identity', (s) => s.call?.identity?.display_name === "Bob's boss");
    expectEqual((await ground.call(ids.hostId)).identity?.id, '@bobs-boss:test', "the call object's identity");
    await bob.do('sendIdentity', null);
    await alice.until('the identity being taken back', (s) => s.call && !s.call.identity);
    await ground.over('bob', ids);
  },
};
