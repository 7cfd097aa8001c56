// SPDX-License-Identifier: Apache-2.0
//
// The Matrix phone verifies another session of its own user by emoji, as a person does it in a client: asks, begins, shows, and is
// told by the driver whether the other side shows the same.

import { VerificationPhase, VerificationRequestEvent, VerifierEvent } from 'matrix-js-sdk/lib/crypto-api/index.js';

export class Verification {
  async ask(crypto, user, device) {
    this.shown = null;
    await crypto.getUserDeviceInfo([user], true);
    const request = (this.request = await crypto.requestDeviceVerification(user, device));
    await new Promise((ready, failed) => {
      const look = () => {
        if (request.phase === VerificationPhase.Ready) ready();
        if (request.phase === VerificationPhase.Cancelled) failed(new Error(request.cancellationCode));
      };
      request.on(VerificationRequestEvent.Change, look);
      look();
    });
    const verifier = await request.startVerification('m.sas.v1');
    verifier.on(VerifierEvent.ShowSas, (shown) => { this.shown = shown; });
    verifier.verify().catch(() => {}); // how it ended the request tells
  }

  async judge(same) {
    if (same) await this.shown.confirm();
    else this.shown.mismatch();
  }

  view() {
    return this.request && {
      phase: VerificationPhase[this.request.phase], code: this.request.cancellationCode, emoji: this.shown?.sas.emoji ?? null,
      numbers: this.shown?.sas.decimal ?? null,
    };
  }
}
