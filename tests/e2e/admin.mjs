// SPDX-License-Identifier: Apache-2.0
//
// The administrators' page, used as a person would, by the names that controls have: sign in, the switch "Matrix calls", the
// slider "Rollout", live calls. A change must be in force at once, survive a restart, and let live calls finish.
// Screenshots, wide and narrow, are kept in the output folder.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/drive/bed.mjs';
import { bridgeGround } from './ground.mjs';
import { expect } from './checks.mjs';

export const family = 'admin';

export async function setUp(options) {
  const ground = await bridgeGround(options);
  ground.out = options.out;
  mkdirSync(ground.out, { recursive: true });
  const recover = ground.recover.bind(ground);
  ground.recover = async () => {
    await recover();
    const page = await signIn(ground);
    await setSwitch(page, true);
    await setRollout(page, 100);
    await page.context().close();
  };
  return ground;
}

const theSwitch = (page) => page.getByRole('switch', { name: 'Matrix calls' });
const theSlider = (page) => page.getByRole('slider', { name: 'Rollout' });

async function signIn({ browser, bed }, size) {
  const page = await browser.page(`${bed.api}/admin/`, size);
  page.setDefaultTimeout(15000);
  const field = page.getByLabel(/token/i).first();
  await field.fill(bed.tokens.admin);
  await field.press('Enter');
  await theSwitch(page).waitFor();
  return page;
}

async function isOn(page) {
  return theSwitch(page).isChecked();
}

async function setSwitch(page, on) {
  if ((await isOn(page)) !== on) await theSwitch(page).press('Space');
  await eventually(`the switch to be ${on ? 'on' : 'off'}`, async () => (await isOn(page)) === on);
}

async function setRollout(page, percent) {
  await theSlider(page).fill(String(percent));
  await eventually(`the slider to stand at ${percent}`, async () => Number(await theSlider(page).inputValue()) === percent);
}

// What a call of the host's user meets now: it rings at bob's, or alice is told that it is unavailable.
async function tryCall(ground) {
  const before = (await ground.alice.state()).ended.length;
  const hostId = await ground.alice.do('place', ground.conversation);
  const outcome = await eventually('ringing or a refusal', async () => {
    const { ended } = await ground.alice.state();
    if (ended.length > before) return { reason: ended.at(-1).reason };
    const { call } = await ground.bob.state();
    return call?.stage === 'ringing-in' && { matrixId: call.callId };
  });
  if (outcome.reason) return outcome.reason;
  await ground.alice.do('hangup');
  await ground.endedBy('alice', { hostId, matrixId: outcome.matrixId });
  return 'rings';
}

// In force at once: but the click's own request needs its moment.
async function becomes(ground, what, matches) {
  let last;
  await eventually(`a call that is ${what}`, async () => matches((last = await tryCall(ground)))).catch((error) => {
    throw new Error(`${error.message}; the last one: ${last}`);
  });
  return last;
}
const refused = (result) => result.startsWith('unavailable: ');

export const checks = {
  'a wrong token does not sign in': async ({ browser, bed }) => {
    const page = await browser.page(`${bed.api}/admin/`);
    const field = page.getByLabel(/token/i).first();
    await field.fill('wrong');
    const answer = page.waitForResponse((r) => r.status() === 401 || r.status() === 403);
    await field.press('Enter');
    await answer;
    expect((await theSwitch(page).count()) === 0 || !(await theSwitch(page).isVisible()), 'the switch must not be shown');
    await page.context().close();
  },

  'pictures, wide and narrow, with a live call': async (ground) => {
    const ids = await ground.hostRings();
    await ground.answered(ground.bob);
    for (const [name, width, height] of [['wide', 1280, 800], ['narrow', 360, 740]]) {
      const page = await signIn(ground, { width, height });
      await page.getByText(ground.bed.userId('bob')).first().waitFor(); // the live call
      await page.screenshot({ path: join(ground.out, `admin-${name}.png`), fullPage: true });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overflow <= 0, `the ${name} page is ${overflow} px wider than its window`);
      await page.context().close();
    }
    await ground.alice.do('hangup');
    await ground.endedBy('alice', ids);
    return `in ${ground.out}`;
  },

  'switched off: new calls are refused, the live one finishes, it survives a restart': async (ground) => {
    const page = await signIn(ground);
    const ids = await ground.hostRings();
    await ground.answered(ground.bob);
    await setSwitch(page, false);
    await ground.alice.until('the live call going on', (s) => s.call?.stage === 'connected');
    await ground.alice.do('hangup');
    await ground.endedBy('alice', ids);
    const told = await becomes(ground, 'refused', refused);
    await ground.bed.stopBridge();
    await ground.bed.startBridge();
    await ground.alice.until('being connected again', (s) => s.online);
    expect(refused(await tryCall(ground)), 'a call after the restart must be refused, too');
    await page.context().close();
    const again = await signIn(ground);
    expect(!(await isOn(again)), 'the switch must stand at off after the restart');
    await setSwitch(again, true);
    await becomes(ground, 'ringing', (result) => result === 'rings');
    await again.context().close();
    return `alice was told '${told}'`;
  },

  'rollout 0 refuses, 100 lets through, without a restart': async (ground) => {
    const page = await signIn(ground);
    await setRollout(page, 0);
    const told = await becomes(ground, 'refused', refused);
    await page.context().close();
    const again = await signIn(ground);
    expect(Number(await theSlider(again).inputValue()) === 0, 'the slider must stand at 0 for the next administrator');
    await setRollout(again, 100);
    await becomes(ground, 'ringing', (result) => result === 'rings');
    await again.context().close();
    return `alice was told '${told}'`;
  },
};
