// SPDX-License-Identifier: Apache-2.0
//
// Hold and mute in mid-call, from each side: what flows is counted, what does not flow is waited for, and each side shows it.

import { countMedia, untilQuiet, untilReceived, untilSilent } from '../support/drive/media.mjs';
import { bridgeGround } from './ground.mjs';
import { expectEqual } from './checks.mjs';

export const family = 'hold';
export const setUp = (options) => bridgeGround(options);

const stable = (s) => s.call?.signalling === 'stable';

// holder has put the other one on hold: neither hears the other, and the one on hold sends nothing at all.
async function onHold(holder, other) {
  await holder.do('setHold', true);
  await other.until('being on hold', (s) => s.call?.peerHeld && stable(s));
  await holder.until('holding', (s) => s.call?.held && stable(s));
  await untilQuiet(holder, 'audio');
  await untilSilent(other);
}

async function resumed(holder, other) {
  await holder.do('setHold', false);
  await other.until('being taken off hold', (s) => s.call && !s.call.peerHeld && stable(s));
  await holder.until('holding no more', (s) => s.call && !s.call.held && stable(s));
}

const holdAndResume = (from, holder, other, rounds = 1) => async (ground) => {
  const ids = await ground.connected(from);
  await countMedia(ground.alice, ground.bob);
  for (let round = 0; round < rounds; round++) {
    await onHold(ground[holder], ground[other]);
    if (holder === 'bob') expectEqual((await ground.call(ids.hostId)).peer_media?.held, true, 'peer_media.held of the call object');
    await resumed(ground[holder], ground[other]);
    await countMedia(ground.alice, ground.bob);
  }
  await ground.over(other, ids);
};

export const checks = {
  'host called, host holds and resumes': holdAndResume('alice', 'alice', 'bob', 2),
  'host called, Matrix holds and resumes': holdAndResume('alice', 'bob', 'alice'),
  'Matrix called, host holds and resumes': holdAndResume('bob', 'alice', 'bob'),
  'Matrix called, Matrix holds and resumes': holdAndResume('bob', 'bob', 'alice', 2),

  'both hold, one after the other': async (ground) => {
    const { alice, bob } = ground;
    const ids = await ground.connected('bob');
    await countMedia(alice, bob);
    await onHold(alice, bob);
    await bob.do('setHold', true);
    await alice.until('being on hold, too', (s) => s.call?.peerHeld && s.call.held && stable(s));
    for (const phone of [alice, bob]) await untilQuiet(phone, 'audio');
    await alice.do('setHold', false);
    await bob.until('being off hold', (s) => s.call && !s.call.peerHeld && stable(s));
    expectEqual((await alice.state()).call.peerHeld, true, 'alice still being on hold');
    await resumed(bob, alice);
    await countMedia(alice, bob);
    await ground.over('alice', ids);
  },

  'both hold at the same moment': async (ground) => {
    const { alice, bob } = ground;
    for (const from of ['alice', 'bob']) {
      const ids = await ground.connected(from);
      await countMedia(alice, bob);
      await Promise.all([alice.do('setHold', true), bob.do('setHold', true)]);
      for (const phone of [alice, bob]) await phone.until('holding and being on hold', (s) => s.call?.held && s.call.peerHeld && stable(s));
      for (const phone of [alice, bob]) await untilQuiet(phone, 'audio');
      await Promise.all([alice.do('setHold', false), bob.do('setHold', false)]);
      for (const phone of [alice, bob]) await phone.until('not being on hold', (s) => s.call && !s.call.held && !s.call.peerHeld && stable(s));
      await countMedia(alice, bob);
      await ground.over('bob', ids);
    }
  },

  'a video call is held': async (ground) => {
    const { alice, bob } = ground;
    const ids = await ground.connected('alice', { video: true });
    await countMedia(alice, bob, { video: true });
    await onHold(alice, bob);
    await untilQuiet(alice, 'video');
    await resumed(alice, bob);
    await countMedia(alice, bob, { video: true });
    await onHold(bob, alice);
    await untilQuiet(bob, 'video');
    await resumed(bob, alice);
    await countMedia(alice, bob, { video: true });
    await ground.over('alice', ids);
  },

  'each mutes the microphone': async (ground) => {
    const { alice, bob } = ground;
    const ids = await ground.connected('alice');
    await countMedia(alice, bob);
    for (const [who, other] of [[alice, bob], [bob, alice]]) {
      await who.do('setMuted', true);
      await other.until(`knowing that ${who.name} is muted`, (s) => s.call?.peerMuted);
      await untilSilent(other);
      const { muted, peer_media: theirs } = await ground.call(ids.hostId);
      expectEqual([muted?.audio, theirs?.audio_muted], [who === alice, who === bob], "the call object's muted.audio and peer_media.audio_muted");
      await who.do('setMuted', false);
      await other.until(`knowing that ${who.name} is heard again`, (s) => s.call && !s.call.peerMuted);
      await countMedia(alice, bob);
    }
    await ground.over('bob', ids);
  },

  'each mutes the picture of a video call': async (ground) => {
    const { alice, bob } = ground;
    const ids = await ground.connected('bob', { video: true });
    await countMedia(alice, bob, { video: true });
    await alice.do('setVideoMuted', true);
    await bob.until("knowing that alice's picture is muted", (s) => s.call?.peerVideoMuted && !s.call.peerMuted);
    expectEqual((await ground.call(ids.hostId)).muted?.video, true, "the call object's muted.video");
    await alice.do('setVideoMuted', false);
    await bob.until("knowing that alice's picture is back", (s) => s.call && !s.call.peerVideoMuted);
    await untilReceived(bob, 'video');
    await bob.do('setVideo', false);
    await alice.until("knowing that bob's picture is muted", (s) => s.call?.peerVideoMuted && !s.call.peerMuted);
    await untilQuiet(alice, 'video');
    await bob.do('setVideo', true);
    await alice.until("knowing that bob's picture is back", (s) => s.call && !s.call.peerVideoMuted);
    await countMedia(alice, bob, { video: true });
    await ground.over('alice', ids);
  },

  'by keyboard on a narrow page': async (ground) => {
    const { alice, bob } = ground;
    const { page } = alice;
    const size = page.viewportSize();
    await page.setViewportSize({ width: 360, height: 700 });
    const ids = await ground.connected('alice');
    for (const [name, seen] of [['Mute', 'peerMuted'], ['Hold', 'peerHeld'], ['Video', 'feeds'], ['Share screen', 'peerScreen']]) {
      const button = page.getByRole('button', { name, exact: true });
      const before = (await bob.state()).call.feeds.length;
      await button.focus();
      await page.keyboard.press('Enter');
      await bob.until(`seeing "${name}"`, (s) => stable(s) && (seen === 'feeds' ? s.call.feeds.some((feed) => feed.video) : s.call[seen]));
      await alice.until('being done', stable);
      expectEqual(await button.getAttribute('aria-pressed'), 'true', `"${name}" pressed`);
      await page.keyboard.press('Enter'); // the focus has stayed
      await bob.until(`"${name}" being taken back`, (s) => stable(s) && (seen === 'feeds' ? !s.call.feeds.some((feed) => feed.video) : !s.call[seen]) && s.call.feeds.length === before);
      await alice.until('being done', stable);
    }
    expectEqual(await page.evaluate(() => document.documentElement.scrollWidth <= 360), true, 'no scrolling sideways');
    await page.getByRole('button', { name: 'Hang up', exact: true }).press('Enter');
    await ground.endedBy('alice', ids);
    await page.setViewportSize(size);
  },
};
