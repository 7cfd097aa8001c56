// SPDX-License-Identifier: Apache-2.0
//
// node verify.mjs PEER: the owner's client, an OlmMachine of matrix-sdk-crypto-wasm, verifies the session of an account that is
// ours (the program PEER) by emoji. Whoever begins, both at once too; whoever confirms first; and with a no from either side.
// Prints what was done; exit code 0 only if both sides always came to the same.

import assert from 'node:assert/strict';
import { Homeserver } from './homeserver.mjs';
import { Ours, Theirs, loadWasm, wasm } from './sides.mjs';

const peer = process.argv[2];
const done = {};
const count = () => {};
await loadWasm();

class World {
  // The names of the devices decide whose start counts when both begin.
  static async make(device) {
    const world = new World();
    const server = (world.server = new Homeserver());
    world.theirs = await Theirs.make('@owner:test', device, server, count);
    world.ours = new Ours(peer, '@owner:test', server, count, 'BRIDGE');
    world.now = Date.now();
    await world.ours.ask({ do: 'clock', now: world.now });
    await world.ours.ask({ do: 'begin' });
    await world.settle();
    await world.theirs.track(['@owner:test']);
    await world.settle();
    return world;
  }
  async settle() { while ((await this.ours.settle()) | (await this.theirs.settle())); }
  bridge() { return this.theirs.machine.getDevice(new wasm.UserId('@owner:test'), new wasm.DeviceId('BRIDGE')); }
  look() { return this.ours.ask({ do: 'verifications', device: this.theirs.device }); }
  async view() { return (await this.look()).verifications.at(-1); }
  async judge(same) {
    await this.ours.ask({ do: 'judge', id: (await this.view()).id, same });
    await this.settle();
  }
  async weBegin() { // nobody else has for a while
    await this.ours.ask({ do: 'clock', now: (this.now += 6000) });
  }
  async perform(requests) {
    for (const request of requests) if (request) await this.theirs.perform(request);
  }

  async compare(who) {
    const [request, asked] = (await this.bridge()).requestVerification([wasm.VerificationMethod.SasV1]);
    await this.perform([asked]);
    await this.settle();
    assert.ok(request.isReady(), 'we are ready');
    let sas;
    let start;
    if (who !== 'we') [sas, start] = await request.startSas();
    if (who !== 'they') await this.weBegin();
    await this.perform([start]);
    await this.settle();
    // After a lost glare it is another one.
    sas = request.getVerification();
    await this.perform([sas.accept()]);
    await this.settle();
    const view = await this.view();
    assert.equal(view.state, 'compare');
    assert.ok(sas.canBePresented());
    assert.deepEqual(view.emoji, sas.emoji().map((one) => `${one.symbol} ${one.description}`));
    assert.deepEqual(view.decimals, [...sas.decimals()]);
    return { request, sas };
  }
  async theyConfirm(sas) {
    await this.perform(await sas.confirm());
    await this.settle();
  }

  async verified(who, first) {
    const { request, sas } = await this.compare(who);
    if (first === 'they') await this.theyConfirm(sas);
    await this.judge(true);
    if (first === 'we') await this.theyConfirm(sas);
    const { verifications, signed, trusted } = await this.look();
    assert.equal(verifications.at(-1).state, 'done');
    assert.ok(request.isDone(), 'they are done');
    const bridge = await this.bridge();
    assert.deepEqual([bridge.isCrossSignedByOwner(), bridge.isVerified(), signed, trusted], [true, true, true, true]);
    done[`${who} began, ${first} confirmed first`] = true;
  }
  async refused(who) {
    const { sas } = await this.compare('they');
    if (who === 'we') await this.judge(false);
    else await this.perform([sas.cancelWithCode('m.mismatched_sas')]);
    await this.settle();
    const { state, code } = await this.view();
    assert.deepEqual([state, code], ['cancelled', 'm.mismatched_sas']);
    assert.deepEqual([sas.isCancelled(), sas.cancelInfo().cancelCode()], [true, 'm.mismatched_sas']);
    done[`${who} said no`] = true;
  }
  close() {
    this.ours.close();
    this.theirs.close();
  }
}

for (const device of ['AAAA', 'OWNER']) {
  const world = await World.make(device);
  const before = await world.look();
  assert.deepEqual([before.signed, before.trusted, (await world.bridge()).isCrossSignedByOwner()], [false, false, false]);
  await world.refused('we');
  await world.refused('they');
  assert.deepEqual(await world.look().then(({ signed, trusted }) => [signed, trusted]), [false, false]);
  for (const who of ['they', 'we', 'both']) for (const first of ['they', 'we']) await world.verified(who, first);
  world.close();
}
for (const what of Object.keys(done)) console.log(`        ${what}`);
console.log('verified, and refused, by emoji');
