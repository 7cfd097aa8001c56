// SPDX-License-Identifier: Apache-2.0
//
// Encrypted calls through a homeserver that sends appservices nothing but events: no to-device messages, no device lists, no key
// counts. The bridge asks for all of it as the ghost's device, when a key is missing and before each call.

import { encryptionLine, requireEncrypted } from '../support/drive/encryption.mjs';
import { countMedia } from '../support/drive/media.mjs';
import { encryptedGround, wholeCall } from './encground.mjs';
import { expect } from './checks.mjs';

export const family = 'silent';
export const setUp = (options) => encryptedGround(options, { synapseExtra: 'experimental_features: {}\n' });

const call = (from, by) => async (ground) => (await wholeCall(ground, from, by)).lines.join('\n');

export const checks = {
  'host calls': call('alice', 'bob'),
  'Matrix calls': call('bob', 'alice'),

  'Matrix calls with a new room key': async (ground) => {
    await ground.bob.do('newRoomKey', ground.room);
    const { lines } = await wholeCall(ground, 'bob', 'alice');
    const metrics = await (await fetch(`${ground.bed.api}/metrics`)).text();
    const rescues = Number(/^matrix_voip_key_rescues_total (\d+)/m.exec(metrics)?.[1]);
    expect(rescues > 0, `keys came by themselves (${rescues} rescues): this homeserver is not silent`);
    return [...lines, `${rescues} times messages were fetched`].join('\n');
  },

  'a device that nobody tells of gets the keys of the next call': (ground) => ground.withDevice('tablet', {}, async (tablet) => {
    const { alice, bob, bed } = ground;
    const ids = await ground.hostRings();
    await tablet.stage('ringing-in');
    await tablet.do('answer');
    await Promise.all([alice.stage('connected'), tablet.stage('connected'), bob.end(ids.matrixId)]);
    await countMedia(alice, tablet);
    await alice.do('hangup');
    await tablet.end(ids.matrixId);
    return encryptionLine(tablet, await requireEncrypted(tablet, ids.matrixId, { from: [bed.ghost, bed.userId('bob')] }));
  }),
};
