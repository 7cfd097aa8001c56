// SPDX-License-Identifier: Apache-2.0
//
// The ground that the bridge's families stand on: the whole bed, both pages signed in, one conversation that Bob has joined.
// Gives the moves that the scenarios are written in. Every check must leave no call behind: `refresh` waits for that first.
// With `users` beyond bob, each has a page of that name here and a conversation with the host in `conversations`. Rooms that the
// Matrix users make are encrypted with `encrypted` only; those of the bridge are as it makes them.

import { Bed, eventually } from '../support/drive/bed.mjs';
import { Browser } from '../support/drive/browser.mjs';
import { mendMedia } from '../support/drive/network.mjs';
import { expectEqual } from './checks.mjs';

const tones = { bob: 523, carol: 659 };

export async function bridgeGround({ pagesDir, buildDir, say, database }, { users = ['bob'], plugin = {}, encrypted = false, turn = false, synapseExtra } = {}) {
  const ground = new Ground();
  ground.bed = new Bed({ kind: 'e2e', pagesDir, buildDir, say, database, turn });
  ground.bed.plugin = plugin;
  ground.bed.synapseExtra = synapseExtra;
  ground.encrypted = encrypted;
  ground.conversations = {};
  ground.rooms = {};
  try {
    await ground.bed.start({ users });
    ground.browser = await Browser.launch();
    ground.alice = await ground.browser.open('alice', ground.bed.softphonePage(), ground.bed.softphoneFields());
    for (const user of users) {
      const page = (ground[user] = await ground.browser.open(user, ground.bed.matrixPage(), ground.fields(user)));
      const made = await ground.alice.do('newContact', ground.bed.userId(user));
      ground.conversations[user] = made.id;
      ground.rooms[user] = made.room_id;
      await page.until('having joined the conversation', (s) => s.rooms.some((r) => r.roomId === made.room_id && r.membership === 'join'));
    }
    ground.conversation = ground.conversations.bob;
    ground.room = ground.rooms.bob;
  } catch (error) {
    if (error.message) error.message += `\n${ground.bed.tails(8)}`;
    await ground.close();
    throw error;
  }
  return ground;
}

export class Ground {
  fields(user) {
    return { ...this.bed.matrixFields(user), tone: tones[user], encrypt: this.encrypted ? 'yes' : 'no' };
  }

  // Another device of bob for one check.
  withDevice(name, fields, check) {
    return this.browser.during(name, this.bed.matrixPage(), { ...this.fields('bob'), tone: 587, ...fields }, check);
  }

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

  // The host's conversation in a room that a Matrix user has made; the bridge may still be learning who is in it.
  conversationIn(room) {
    return eventually(`a conversation in ${room}`, async () => {
      const { status, body } = await this.rest('/conversations', { method: 'POST', body: { room_id: room } });
      if (status >= 300) throw new Error(`POST /conversations: HTTP ${status} ${body?.error}`);
      return body;
    });
  }

  async killAndRestart() {
    await this.bed.stopBridge('SIGKILL');
    await this.alice.until('noticing that the bridge is gone', (s) => !s.online);
    const since = Date.now();
    await this.bed.startBridge();
    await this.alice.until('being connected again', (s) => s.online);
    return since;
  }

  async noLiveCalls() {
    await eventually('the bridge to have no live call', async () => {
      const { status, body } = await this.rest('/calls');
      return status === 200 && body.calls.length === 0;
    });
  }

  async refresh() {
    for (const phone of this.browser.phones) await phone.until('being online without a call', (s) => s.online && !s.call);
    await this.noLiveCalls();
  }

  // After a failure: everything runs again, nobody is in a call.
  async recover() {
    if (!(await this.bed.synapseRuns())) await this.bed.startSynapse();
    this.bed.resumeSynapse();
    await mendMedia();
    if (!this.bed.bridgeRuns()) await this.bed.startBridge();
    for (const phone of this.browser.phones) {
      for (let state = await phone.state(); state.call; state = await phone.state()) await phone.do(state.call.stage === 'ringing-in' ? 'reject' : 'hangup').catch(() => {});
    }
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

  // A call that both are in. from: who places it, 'alice' or 'bob'. Gives its ids.
  async connected(from, options = {}) {
    const ids = from === 'alice' ? await this.hostRings(options) : await this.matrixRings(options);
    await this.answered(from === 'alice' ? this.bob : this.alice);
    return ids;
  }

  // The call is over: hung up by one of both, and everybody knows.
  async over(by, ids) {
    await this[by].do('hangup');
    return this.endedBy(by, ids);
  }

  async call(hostId) {
    const { status, body } = await this.rest(`/calls/${hostId}`);
    expectEqual(status, 200, `GET /calls/${hostId}`);
    return body;
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
