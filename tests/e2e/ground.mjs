// SPDX-License-Identifier: Apache-2.0
//
// The ground that the bridge's families stand on: the whole bed, both pages signed in, one conversation that Bob has joined.
// Gives the moves that the scenarios are written in. Every check must leave no call behind: `refresh` waits for that first.

import { Bed, eventually } from '../support/drive/bed.mjs';
import { Browser } from '../support/drive/browser.mjs';
import { expectEqual } from './checks.mjs';

export async function bridgeGround({ pagesDir, buildDir, say, database }) {
  const ground = new Ground();
  ground.bed = new Bed({ kind: 'e2e', pagesDir, buildDir, say, database });
  try {
    await ground.bed.start();
    ground.browser = await Browser.launch();
    ground.alice = await ground.browser.open('alice', ground.bed.softphonePage(), ground.bed.softphoneFields());
    ground.bob = await ground.browser.open('bob', ground.bed.matrixPage(), ground.bed.matrixFields('bob'));
    const made = await ground.alice.do('newContact', ground.bed.userId('bob'));
    ground.conversation = made.id;
    ground.room = made.room_id;
    await ground.bob.until('having joined the conversation', (s) => s.rooms.some((r) => r.roomId === ground.room && r.membership === 'join'));
  } catch (error) {
    if (error.message) error.message += `\n${ground.bed.tails(8)}`;
    await ground.close();
    throw error;
  }
  return ground;
}

class Ground {
  async close() {
    await this.browser?.close();
    await this.bed.stop();
  }

  async rest(path, { method = 'GET', body, token = this.bed.tokens.alice } = {}) {
    const response = await fetch(this.bed.api + path, {
      method, headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }, body: body && JSON.stringify(body),
    });
    return { status: response.status, body: await response.json().catch(() => null) };
  }

  async noLiveCalls() {
    await eventually('the bridge to have no live call', async () => {
      const { status, body } = await this.rest('/calls');
      return status === 200 && body.calls.length === 0;
    });
  }

  async refresh() {
    for (const phone of [this.alice, this.bob]) await phone.until('being online without a call', (s) => s.online && !s.call);
    await this.noLiveCalls();
  }

  // After a failure: everything runs again, nobody is in a call.
  async recover() {
    if (!(await this.bed.synapseRuns())) await this.bed.startSynapse();
    this.bed.resumeSynapse();
    if (!this.bed.bridgeRuns()) await this.bed.startBridge();
    for (const phone of [this.alice, this.bob]) if ((await phone.state()).call) await phone.do('hangup').catch(() => {});
    for (const call of (await this.rest('/calls')).body?.calls ?? []) await this.rest(`/calls/${call.id}/end`, { method: 'POST', body: {} });
  }

  // -- moves; each gives {hostId, matrixId}

  async hostRings(options = {}) {
    const hostId = await this.alice.do('place', this.conversation, options);
    const { call } = await this.bob.stage('ringing-in');
    return { hostId, matrixId: call.callId };
  }

  async matrixRings(options = {}) {
    const matrixId = await this.bob.do('place', options.room ?? this.room, options);
    const { call } = await this.alice.stage('ringing-in');
    return { hostId: call.id, matrixId };
  }

  async answered(callee) {
    await callee.do('answer');
    await Promise.all([this.alice.stage('connected'), this.bob.stage('connected')]);
  }

  // -- what both sides and the record must say in the end

  // by: who ended it, 'alice' or 'bob'. reasons: what alice's page, bob's page and the call's record say.
  async endedBy(by, { hostId, matrixId }, { hostReason, record } = {}) {
    const [host, matrix] = await Promise.all([this.alice.end(hostId), this.bob.end(matrixId)]);
    expectEqual(host.by, by === 'alice' ? 'local' : 'remote', "alice's page: who ended it");
    expectEqual(matrix.by, by === 'bob' ? 'local' : 'remote', "bob's page: who ended it");
    if (hostReason) expectEqual(host.reason, hostReason, "alice's page: the reason");
    await this.noLiveCalls();
    const { status, body } = await this.rest(`/calls/${hostId}`);
    expectEqual(status, 200, `GET /calls/${hostId}`);
    expectEqual(body.status, record ?? 'ended', "the call's status");
    expectEqual(body.matrix.call_id, matrixId, "the call's Matrix id");
    return body;
  }

  // The events of one type that one sender sent for a call, as bob's client received them.
  async sent(type, sender, matrixId) {
    return (await this.bob.entries()).filter((e) => e.type === type && e.from === sender && e.callId === matrixId);
  }

  arrives(type, sender, matrixId) {
    return this.bob.entry(`${type} from ${sender}`, (e) => e.type === type && e.from === sender && e.callId === matrixId);
  }
}
