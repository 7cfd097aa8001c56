// SPDX-License-Identifier: Apache-2.0
//
// For drivers that search what was written for what must not be: remembers the secrets that this page's calls have used. Those
// are the fingerprints and ICE passwords of every session description, of both sides, and the TURN passwords. Gives
// [{kind, value}]; writes nothing down itself.

const found = new Map();
const note = (kind, value) => value && found.set(value, kind);

function noteSdp(sdp = '') {
  for (const [, value] of sdp.matchAll(/^a=fingerprint:\S+ (\S+)/gim)) note('SDP fingerprint', value);
  for (const [, value] of sdp.matchAll(/^a=ice-pwd:(\S+)/gim)) note('ICE password', value);
}

function noteServers(configuration) {
  for (const server of configuration?.iceServers ?? []) note('TURN password', server.credential);
}

export function watchConnections() {
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration, ...others) {
      noteServers(configuration);
      super(configuration, ...others);
    }

    setConfiguration(configuration) {
      noteServers(configuration);
      return super.setConfiguration(configuration);
    }

    async createOffer(...options) {
      const made = await super.createOffer(...options);
      noteSdp(made?.sdp);
      return made;
    }

    async createAnswer(...options) {
      const made = await super.createAnswer(...options);
      noteSdp(made?.sdp);
      return made;
    }

    async setLocalDescription(...description) {
      await super.setLocalDescription(...description);
      noteSdp(this.localDescription?.sdp);
    }

    async setRemoteDescription(description) {
      noteSdp(description?.sdp);
      return super.setRemoteDescription(description);
    }
  };
}

export const secretsSeen = () => [...found].map(([value, kind]) => ({ kind, value }));
