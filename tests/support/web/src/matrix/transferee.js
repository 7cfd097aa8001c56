// SPDX-License-Identifier: Apache-2.0
//
// The side of a transfer that matrix-js-sdk does not have: a peer says m.call.replaces, and this client goes over to somebody
// else. With `create_call` it places a call with that id to the target user in their direct room, with `await_call` it answers
// the call of that id when it comes. The old call is hung up once the new one stands.

import { CallErrorCode, CallEvent, CallState } from 'matrix-js-sdk/lib/webrtc/call.js';

export class Transferee {
  awaited = new Map(); // call id -> the old call

  constructor(phone) {
    this.phone = phone;
  }

  async onEvent(event) {
    if (event.getType() !== 'm.call.replaces' || event.getSender() === this.phone.client.getUserId()) return;
    const content = event.getContent();
    const old = [...this.phone.calls.keys()].find((call) => call.callId === content.call_id && call.roomId === event.getRoomId());
    // Only from the one this user talks to, and only once the call stands.
    if (!old || old.getOpponentMember()?.userId !== event.getSender() || old.opponentPartyId !== content.party_id || old.state !== CallState.Connected) return;
    const target = content.target_user?.id;
    if (!this.phone.autoTransfer) {
      await old.sendVoipEvent('m.call.reject_replacement', { replacement_id: content.replacement_id });
    } else if (content.await_call) {
      this.awaited.set(content.await_call, old);
    } else if (content.create_call && target) {
      const roomId = content.target_room ?? this.phone.directRoom(target) ?? await this.phone.createDirectRoom(target);
      const placed = this.phone.place(roomId, { invitee: target, callId: content.create_call });
      this.whenConnected(this.phone.call, old);
      await placed;
    }
  }

  // Whether this incoming call is the one that was announced; from now on it takes the old one's place.
  awaits(call) {
    const old = this.awaited.get(call.callId);
    if (!old) return false;
    this.awaited.delete(call.callId);
    this.whenConnected(call, old);
    return true;
  }

  whenConnected(call, old) {
    const look = () => {
      if (call.state !== CallState.Connected) return;
      call.off(CallEvent.State, look);
      old.hangup(CallErrorCode.UserHangup, false);
    };
    call.on(CallEvent.State, look);
  }
}
