// SPDX-License-Identifier: Apache-2.0
//
// Transfers of the softphone, from all three sides: this user sends a peer to somebody else (`toUser`, `toCall`), or the peer
// asks this user to go over to somebody else (`onRequested`, `accept`, `refuse`). One request is open at a time. The bridge
// ends the old call once the new one stands.

import { repeatFor } from './call.js';

export class Transfers {
  request = null; // {callId, peer, target, mode}
  awaited = new Set(); // old calls whose replacement the other side will place

  constructor(phone) {
    this.phone = phone;
  }

  post(callId, how, body) {
    return this.phone.service.request('POST', `/calls/${callId}/${how}`, body, { repeatFor });
  }

  async toUser(call, user) {
    await this.post(call.id, 'transfer', { target_user: user });
    call.note = { key: 'transferring', detail: user };
    this.phone.changed();
  }

  // The peer of the call behind is connected with the peer of the one at the front.
  async toCall(call, target) {
    if (!call) throw new Error('there is no other call');
    await this.post(call.id, 'transfer', { target_call: target.id });
    target.note = { key: 'transferring', detail: call.peer };
    this.phone.changed();
  }

  async onRequested(call, data) {
    clearTimeout(this.timer);
    const request = (this.request = { callId: data.call_id, peer: call?.peer ?? '', target: data.target, mode: data.mode });
    this.timer = setTimeout(() => this.clear(request), data.expires_in_ms);
    this.phone.changed();
    if (this.phone.autoTransfer) this.accept().catch((error) => console.warn('transfer', error.code ?? error.message)); // not awaited: events go on
  }

  clear(request) {
    if (this.request !== request) return;
    clearTimeout(this.timer);
    this.request = null;
    this.phone.changed();
  }

  awaits(callId) {
    return this.awaited.delete(callId);
  }

  async accept() {
    const request = this.request;
    if (!request) throw new Error('no transfer is asked for');
    const { phone } = this;
    const old = phone.find(request.callId);
    this.clear(request);
    if (old) { // silent, but there until the new one stands
      old.leaving = true;
      old.applyTracks();
    }
    if (request.mode === 'await') {
      this.awaited.add(request.callId);
      await this.post(request.callId, 'transfer-accept', {});
      return null;
    }
    const call = phone.add({
      conversationId: null, peer: request.target.id ?? request.target.display_name ?? '', video: Boolean(old?.video), direction: 'outgoing', stage: 'placing', replaces: request.callId,
    });
    return phone.start(call, (offer) => this.post(request.callId, 'transfer-accept', offer));
  }

  async refuse() {
    const request = this.request;
    if (!request) throw new Error('no transfer is asked for');
    this.clear(request);
    await this.post(request.callId, 'transfer-reject', {});
  }

  // Both directions: what we asked of the peer, or what we were doing for it, did not come about. The old call is back.
  onFailed(call, data) {
    if (this.request?.callId === call.id) this.clear(this.request);
    this.awaited.delete(call.id);
    call.leaving = false;
    call.applyTracks();
    call.note = { key: 'transferFailed', detail: data.reason };
    if (call.held) call.setHold(false).catch((error) => console.warn('resume', error.code));
  }

  view() {
    return this.request && { peer: this.request.peer, target: this.request.target, mode: this.request.mode };
  }
}
