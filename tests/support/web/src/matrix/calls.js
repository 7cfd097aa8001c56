// SPDX-License-Identifier: Apache-2.0
//
// The calls of the Matrix phone, as matrix-js-sdk makes them: one at the front, others on hold behind it. What the SDK does by
// itself (glare, expiry, politeness, ICE restarts) is left to it. The page's class builds on this one and gives `client`.

import * as sdk from 'matrix-js-sdk';
import { CallErrorCode, CallEvent, CallState } from 'matrix-js-sdk/lib/webrtc/call.js';
import { PitchMeter, rtpSummary } from '../common/media.js';

const stages = {
  [CallState.Fledgling]: 'placing', [CallState.WaitLocalMedia]: 'placing', [CallState.CreateOffer]: 'placing',
  [CallState.InviteSent]: 'ringing-out', [CallState.Ringing]: 'ringing-in', [CallState.CreateAnswer]: 'connecting',
  [CallState.Connecting]: 'connecting', [CallState.Connected]: 'connected',
};
const stageOf = (call) => stages[call.state] ?? 'placing';

// The SDK's isAudioMuted() also says whether there is a track at all; here the flags are wanted as the peer sent them.
const describeFeed = (feed) => ({
  id: feed.stream.id, purpose: feed.purpose ?? null, audio: feed.stream.getAudioTracks().length, video: feed.stream.getVideoTracks().length,
  audioMuted: Boolean(feed.audioMuted), videoMuted: Boolean(feed.videoMuted),
});

export class MatrixCalls extends EventTarget {
  call = null; // the one at the front
  calls = new Map(); // call -> {feed, track, meter}
  ended = [];

  changed() {
    this.dispatchEvent(new Event('change'));
  }

  // An incoming call that is not this user's to decide: a second one in the same room is left to the SDK's glare and otherwise
  // ignored, as Element Web does; one in another room finds the user busy.
  incoming(call) {
    if (this.transferee.awaits(call)) {
      this.track(call);
      return this.answer();
    }
    if (this.calls.size === 0) return this.track(call);
    if ([...this.calls.keys()].some((other) => other.roomId === call.roomId)) return undefined;
    return call.hangup(CallErrorCode.UserBusy, false);
  }

  track(call) {
    this.calls.set(call, {});
    this.call = call;
    for (const name of [CallEvent.State, CallEvent.RemoteHoldUnhold, CallEvent.LocalHoldUnhold, CallEvent.AssertedIdentityChanged]) call.on(name, () => this.changed());
    call.on(CallEvent.FeedsChanged, () => this.onFeeds(call));
    call.on(CallEvent.Error, (error) => console.warn('call', error.code, error.message));
    call.on(CallEvent.Hangup, () => this.finish(call));
    call.on(CallEvent.State, (state) => state === CallState.Ended && this.finish(call)); // a call whose invite could not be sent says only this
    call.on(CallEvent.Replaced, (successor) => {
      this.finish(call);
      this.track(successor);
    });
    this.onFeeds(call); // the successor of another call has its feeds already
  }

  onFeeds(call) {
    const known = this.calls.get(call);
    if (!known) return;
    for (const feed of call.getRemoteFeeds()) {
      feed.off('mute_state_changed', this.redraw);
      feed.on('mute_state_changed', this.redraw);
    }
    const feed = call.remoteUsermediaFeed;
    const [track] = feed?.stream.getAudioTracks() ?? [];
    if (track !== known.track) {
      known.meter?.close();
      known.meter = track ? new PitchMeter(feed.stream) : null;
      known.track = track;
    }
    this.changed();
  }

  redraw = () => this.changed();

  finish(call, reason) {
    if (!this.calls.has(call)) return;
    this.calls.get(call).meter?.close();
    this.calls.delete(call);
    if (this.call === call) this.call = [...this.calls.keys()].at(-1) ?? null;
    this.ended.push({
      callId: call.callId, roomId: call.roomId, peer: this.callPeer(call), direction: call.direction,
      reason: reason ?? call.hangupReason ?? 'user_hangup', by: reason ? 'local' : call.hangupParty, t: Date.now(),
    });
    this.changed();
  }

  callPeer(call) {
    const room = this.client.getRoom(call.roomId);
    return call.getOpponentMember()?.userId ?? (room ? this.peerOf(room) : call.roomId);
  }

  // ---- what the user does

  // With a call already: that one is put on hold and stays behind the new one. callId: only for a call that somebody announced.
  async place(roomId, { video = false, invitee, callId } = {}) {
    if (this.call?.state === CallState.Ringing && this.call.roomId === roomId) {
      await this.answer();
      return this.call?.callId;
    }
    if (!callId) {
      if (this.calls.size > 1 || (this.call && this.call.state !== CallState.Connected)) throw new Error('there is a call already');
      this.call?.setRemoteOnHold(true);
    }
    const call = sdk.createNewMatrixCall(this.client, roomId, invitee ? { invitee } : undefined);
    if (!call) throw new Error('this browser cannot make calls');
    if (callId) call.callId = callId;
    this.track(call);
    await (video ? call.placeVideoCall() : call.placeVoiceCall());
    return call.callId;
  }

  async answer() {
    if (this.call?.state !== CallState.Ringing) throw new Error('nothing rings');
    await this.call.answer(true, this.call.type === 'video');
  }

  async reject() {
    if (this.call?.state !== CallState.Ringing) throw new Error('nothing rings');
    this.call.reject();
  }

  // Stops the ringing here and says nothing to anybody; other devices go on ringing.
  async ignore() {
    if (this.call?.state !== CallState.Ringing) throw new Error('nothing rings');
    this.finish(this.call, 'ignored');
  }

  async hangup() {
    if (!this.call) throw new Error('there is no call');
    this.call.hangup(CallErrorCode.UserHangup, false);
  }

  talking() {
    if (!this.call?.peerConn) throw new Error('there is no call');
    return this.call;
  }

  async setMuted(muted) {
    await this.talking().setMicrophoneMuted(muted);
    this.changed();
  }

  async setVideo(on) {
    await this.talking().setLocalVideoMuted(!on);
    this.changed();
  }

  async setHold(on) {
    this.talking().setRemoteOnHold(on);
    this.changed();
  }

  async setScreen(on) {
    await this.talking().setScreensharingEnabled(on);
    this.changed();
  }

  other() {
    return [...this.calls.keys()].find((call) => call !== this.call);
  }

  async swap() {
    const [front, behind] = [this.call, this.other()];
    if (!behind) throw new Error('there is no other call');
    front.setRemoteOnHold(true);
    this.call = behind;
    behind.setRemoteOnHold(false);
    this.changed();
  }

  async transfer(user) {
    const call = this.talking();
    if (!call.opponentCanBeTransferred()) throw new Error('the other side cannot be transferred');
    await call.transfer(user);
  }

  // The peer of the call behind is connected with the peer of the one at the front.
  async transferToOther() {
    const [target, call] = [this.talking(), this.other()];
    if (!call) throw new Error('there is no other call');
    await call.transferToCall(target);
  }

  // An event of the front call that the SDK itself does not send.
  async say(type, content) {
    const { call } = this;
    await this.client.sendEvent(call.roomId, type, { version: '1', call_id: call.callId, party_id: call.ourPartyId, ...content });
  }

  sendIdentity(identity) {
    return this.say('org.matrix.call.asserted_identity', { asserted_identity: identity });
  }

  // ---- what drivers and the page read

  viewCall(call) {
    const feed = call.remoteUsermediaFeed;
    const identity = call.getRemoteAssertedIdentity();
    return {
      peer: this.callPeer(call), name: identity?.displayName ?? identity?.id ?? null, stage: stageOf(call),
      video: stageOf(call) === 'ringing-in' ? call.type === 'video' : !call.isLocalVideoMuted() && call.hasLocalUserMediaVideoTrack,
      muted: call.isMicrophoneMuted(), held: call.isRemoteOnHold(), sharing: call.isScreensharing(), note: null,
      peerMuted: Boolean(feed?.audioMuted), peerHeld: Boolean(call.peerConn) && call.isLocalOnHold(), stream: feed?.stream ?? null,
      screen: call.remoteScreensharingStream ?? null, picture: Boolean(feed && !feed.isVideoMuted()), transferable: call.opponentCanBeTransferred(),
    };
  }

  describe(call) {
    const feed = call.remoteUsermediaFeed;
    const { stage, video, muted, held, sharing, peerHeld, transferable } = this.viewCall(call);
    return {
      callId: call.callId, roomId: call.roomId, peer: this.callPeer(call), direction: call.direction, stage, sdkState: call.state, video, muted, held, sharing, peerHeld,
      peerMuted: Boolean(feed?.audioMuted), peerVideoMuted: Boolean(feed?.videoMuted), peerScreen: Boolean(call.remoteScreensharingStream),
      isRemoteOnHold: call.isRemoteOnHold(), isLocalOnHold: Boolean(call.peerConn) && call.isLocalOnHold(), transferable,
      signalling: call.peerConn?.signalingState ?? null, identity: call.getRemoteAssertedIdentity() ?? null,
      feeds: call.getRemoteFeeds().map(describeFeed), ownFeeds: call.getLocalFeeds().map(describeFeed),
    };
  }

  async stats() {
    const { call } = this;
    const summary = await rtpSummary(call?.peerConn, { screen: call?.remoteScreensharingStream, ownScreen: call?.localScreensharingStream });
    return { ...summary, heardHertz: this.calls.get(call)?.meter?.read() ?? null, sentHertz: this.hertz };
  }
}
