// SPDX-License-Identifier: Apache-2.0
//
// The two sides of interop.mjs under one face: prepare, encrypt, open, rotate, settle. Both may be kept from getting their
// to-device messages (holdBack, lose), or get them twice or in another order.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const modules = join(dirname(fileURLToPath(import.meta.url)), '../../support/web/node_modules');
export let wasm;

export async function loadWasm() {
  wasm = await import(pathToFileURL(join(modules, '@matrix-org/matrix-sdk-crypto-wasm/node.mjs')).href);
  await wasm.initAsync();
}

class Side {
  holdBack = false;
  lose = false;
  twice = false;
  reorder = undefined;

  constructor(user, server, count) {
    Object.assign(this, { user, server, count });
  }

  // To-device messages that reach it now.
  incoming() {
    if (this.holdBack) return [];
    let messages = this.server.take(this.user, this.device);
    if (this.lose) return [];
    if (this.reorder) messages = this.reorder(messages);
    if (this.twice) messages = messages.flatMap((one) => [one, one]);
    return messages;
  }
  countOlm(whose, message) {
    for (const one of Object.values(message.content.ciphertext ?? {})) this.count(`${whose} ${one.type === 0 ? 'pre-key' : 'normal Olm'} messages`);
  }
}

export class Ours extends Side {
  #waiting = [];

  // With a device it is the session of an account, which the homeserver knows already; it may use the account's key backup.
  constructor(program, user, server, count, device, backup) {
    super(user, server, count);
    if (device) server.device(user, device);
    this.process = spawn(program, [user, ...(device ? [device] : []), ...(backup ? ['backup'] : [])], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.process.stdout }).on('line', (line) => this.#waiting.shift().resolve(JSON.parse(line)));
    this.process.on('exit', () => this.#waiting.forEach((one) => one.reject(new Error('our side is gone'))));
  }

  async ask(command) {
    const answer = await new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.process.stdin.write(`${JSON.stringify(command)}\n`);
    });
    assert.notEqual(answer.fault, 'unknown command');
    this.device = answer.device;
    this.complete = answer.complete;
    for (const note of answer.notes) this.count(`our note: ${note}`);
    return answer;
  }

  async #perform(request) {
    const { server, user } = this;
    switch (request.kind) {
      case 'make': server.device(user, request.id); return {};
      case 'drop': delete server.devices[user][request.id]; return {};
      case 'upload': return server.upload(user, this.device, request.body);
      case 'identity': return server.identity(user, request.body);
      case 'query': return server.query(user, request.body);
      case 'claim': return server.claim(request.body);
      case 'send': return server.send(user, request.type, request.txn, request.messages);
      case 'catch_up': return { next_batch: 's' };
      case 'find_backup': return server.backup && { version: server.backup.version, public_key: server.backup.publicKey }; // or no answer
      case 'back_up': return server.backUp(request.version, request.body);
    }
    throw new Error(request.kind);
  }

  async settle() {
    let moved = false;
    for (let again = true; again;) {
      again = false;
      for (const request of (await this.ask({ do: 'requests' })).requests) {
        again = true;
        const body = await this.#perform(request);
        if (body) await this.ask({ do: 'answered', request: request.request, body });
      }
      const changed = this.server.takeChanged(this.user, this.device);
      if (changed.length) {
        again = true;
        await this.ask({ do: 'changed', users: changed });
      }
      for (const message of this.incoming()) {
        again = true;
        this.countOlm('their', message);
        await this.ask({ do: 'to_device', message });
      }
      const known = this.server.device(this.user, this.device);
      await this.ask({ do: 'counts', one_time_keys: Object.keys(known.oneTime).length, fallback_unused: !known.fallbackUsed });
      moved ||= again;
    }
    return moved;
  }

  async prepare(room, members) {
    await this.ask({ do: 'rules', room, messages: 100 });
    await this.ask({ do: 'prepare', room, members });
  }
  async encrypt(room, members, type, content) {
    if ((await this.ask({ do: 'obstacle', room, members })).obstacle === 'keys') { // used up: another
      await this.prepare(room, members);
      while ((await this.settle()) | (await this.other.settle()));
    }
    assert.equal((await this.ask({ do: 'obstacle', room, members })).obstacle, '');
    return (await this.ask({ do: 'encrypt', room, members, type, content })).content;
  }
  async open(event) {
    const opened = await this.ask({ do: 'open', event });
    return { event: opened.how === 'opened' ? opened.event : undefined, reason: opened.reason };
  }
  async rotate(room, members) {
    // The room asks for a new session after each event; one is sent to use up the one that is there.
    const { obstacle } = await this.ask({ do: 'obstacle', room, members });
    if (!obstacle) await this.ask({ do: 'encrypt', room, members, type: 'm.call.hangup', content: {} });
    await this.ask({ do: 'rules', room, messages: 1 });
    await this.ask({ do: 'prepare', room, members });
    await this.ask({ do: 'rules', room, messages: 100 });
  }
  close() { this.process.stdin.end(); }
}

export class Theirs extends Side {
  static async make(user, device, server, count) {
    const side = new Theirs(user, server, count);
    side.device = device;
    side.machine = await wasm.OlmMachine.initialize(new wasm.UserId(user), new wasm.DeviceId(device));
    await side.settle();
    const bootstrap = await side.machine.bootstrapCrossSigning(true);
    if (bootstrap.uploadKeysRequest) await side.#perform(bootstrap.uploadKeysRequest);
    server.identity(user, JSON.parse(bootstrap.uploadSigningKeysRequest.body));
    await side.#perform(bootstrap.uploadSignaturesRequest);
    return side;
  }

  perform(request) { return this.#perform(request); }

  // Each call takes one away.
  get trust() { return new wasm.DecryptionSettings(wasm.TrustRequirement.CrossSigned); }

  async #perform(request) {
    const { server, user, device } = this;
    const { RequestType } = wasm;
    const body = JSON.parse(request.body);
    const answers = {
      [RequestType.KeysUpload]: () => server.upload(user, device, body),
      [RequestType.KeysQuery]: () => server.query(user, body),
      [RequestType.KeysClaim]: () => server.claim(body),
      [RequestType.ToDevice]: () => server.send(user, request.event_type, request.txn_id, body.messages),
      [RequestType.SignatureUpload]: () => server.signatures(body.signed_keys ?? body),
    };
    const answer = answers[request.type]();
    if (request.id) await this.machine.markRequestAsSent(request.id, request.type, JSON.stringify(answer));
  }

  async settle() {
    let moved = false;
    for (let again = true; again;) {
      again = false;
      const messages = this.incoming();
      for (const message of messages) this.countOlm('our', message);
      const changed = this.server.takeChanged(this.user, this.device);
      const known = this.server.device(this.user, this.device);
      if (messages.length || changed.length) again = true;
      const users = changed.map((one) => new wasm.UserId(one));
      await this.machine.receiveSyncChanges(JSON.stringify(messages), new wasm.DeviceLists(users, []),
        new Map([['signed_curve25519', Object.keys(known.oneTime).length]]), new Set(known.fallbackUsed ? [] : ['signed_curve25519']), this.trust);
      for (const request of await this.machine.outgoingRequests()) {
        again = true;
        await this.#perform(request);
      }
      moved ||= again;
    }
    return moved;
  }

  // As a client does with the members of an encrypted room.
  async track(members) {
    await this.machine.updateTrackedUsers(members.map((one) => new wasm.UserId(one)));
    await this.settle();
  }
  async prepare(room, members) {
    const users = () => members.map((one) => new wasm.UserId(one));
    await this.track(members);
    const claim = await this.machine.getMissingSessions(users());
    if (claim) await this.#perform(claim);
    const settings = new wasm.EncryptionSettings();
    settings.sharingStrategy = wasm.CollectStrategy.identityBasedStrategy(); // only devices that their owner signed
    const requests = await this.machine.shareRoomKey(new wasm.RoomId(room), users(), settings);
    for (const request of requests) await this.#perform(request);
    return requests.length > 0;
  }
  async encrypt(room, members, type, content) {
    if (await this.prepare(room, members)) while ((await this.settle()) | (await this.other.settle())); // the old one was used up
    return JSON.parse(await this.machine.encryptRoomEvent(new wasm.RoomId(room), type, JSON.stringify(content)));
  }
  async open(event) {
    try {
      const opened = await this.machine.decryptRoomEvent(JSON.stringify(event), new wasm.RoomId(event.room_id), this.trust);
      assert.equal(opened.shieldState(false).color, wasm.ShieldColor.None, 'no shield');
      return { event: JSON.parse(opened.event) };
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return { reason: `${error.code}: ${error.description ?? error.message}` };
    }
  }
  async rotate(room) { await this.machine.invalidateGroupSession(new wasm.RoomId(room)); }
  exported() { return this.machine.exportRoomKeys(() => true); }
  close() { this.machine.close(); }
}
