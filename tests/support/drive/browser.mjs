// SPDX-License-Identifier: Apache-2.0
//
// Headless Chromium with the two pages in it. Gives `Browser` (one process, a fresh profile, a page per phone) and `Phone`
// (a page's window.phone from here). Waits for states, never for time. Talks to loopback only.

import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { chromium } = createRequire(new URL('../web/package.json', import.meta.url))('playwright-core');

const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--disable-features=WebRtcHideLocalIpsWithMdns',
  '--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required',
];

export class Browser {
  static async launch() {
    const browser = new Browser();
    browser.chromium = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: flags, chromiumSandbox: false });
    browser.phones = [];
    return browser;
  }

  // `fields` go into the address' fragment, which signs the page in.
  async open(name, address, fields, { width = 1100, height = 800, locale = 'en-GB', colorScheme = 'light' } = {}) {
    const context = await this.chromium.newContext({ viewport: { width, height }, locale, colorScheme });
    const page = await context.newPage();
    const phone = new Phone(name, page);
    this.phones.push(phone);
    await page.goto(fields ? `${address}#${new URLSearchParams(fields)}` : address);
    if (fields) {
      await phone.until('being signed in and online', (s) => s.loggedIn && s.online, 30000).catch(async (error) => {
        throw new Error(`${error.message}; its page says: ${await page.locator('#login-error').textContent()}`);
      });
    }
    return phone;
  }

  // A page that is not a phone, for example the administrators'.
  async page(address, { width = 1100, height = 800, locale = 'en-GB' } = {}) {
    const context = await this.chromium.newContext({ viewport: { width, height }, locale });
    const page = await context.newPage();
    await page.goto(address);
    return page;
  }

  async saveEvidence(folder, prefix) {
    mkdirSync(folder, { recursive: true });
    for (const phone of this.phones) {
      const base = join(folder, `${prefix}-${phone.name}`);
      await phone.page.screenshot({ path: `${base}.png`, fullPage: true }).catch(() => {});
      const state = await phone.state().catch((error) => ({ error: error.message }));
      const entries = await phone.entries().catch(() => []);
      writeFileSync(`${base}.json`, JSON.stringify({ state, entries, console: phone.console }, null, 1));
    }
  }

  // A phone for the time of one check. A call that it still has is hung up.
  async during(name, address, fields, check) {
    const phone = await this.open(name, address, fields);
    try {
      return await check(phone);
    } finally {
      if (this.phones.includes(phone)) {
        const { call } = await phone.state();
        if (call) await phone.do(call.stage === 'ringing-in' ? 'ignore' : 'hangup');
        await this.closePhone(phone);
      }
    }
  }

  async closePhone(phone) {
    await this.beforeClosing?.(phone);
    this.phones.splice(this.phones.indexOf(phone), 1);
    await phone.page.context().close();
  }

  async closePhones() {
    for (const phone of this.phones.splice(0)) await phone.page.context().close();
  }

  async close() {
    await this.chromium.close();
  }
}

export class Phone {
  constructor(name, page) {
    this.name = name;
    this.page = page;
    this.console = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.console.push(`${message.type()}: ${message.text()}`.slice(0, 500));
    });
    page.on('pageerror', (error) => this.console.push(`uncaught: ${error.message}`));
  }

  // Runs a method of window.phone in the page.
  do(method, ...args) {
    return this.page.evaluate(([name, values]) => window.phone[name](...values), [method, args]);
  }

  // Sets a property of it, for example autoTransfer.
  set(name, value) {
    return this.page.evaluate(([key, wanted]) => { window.phone[key] = wanted; }, [name, value]);
  }

  state() { return this.do('state'); }
  stats() { return this.do('stats'); }
  entries() { return this.do('entries'); }

  async until(what, holds, timeout = 20000) {
    const deadline = Date.now() + timeout;
    for (;;) {
      const state = await this.state();
      if (holds(state)) return state;
      if (Date.now() > deadline) throw new Error(`${this.name}: waited ${timeout} ms for ${what}; its state: ${brief(state)}${this.console.length ? `; its console: ${this.console.slice(-3).join(' | ')}` : ''}`);
      await new Promise((again) => setTimeout(again, 25));
    }
  }

  stage(stage, timeout) {
    return this.until(`a call that is ${stage}`, (s) => s.call?.stage === stage, timeout);
  }

  // Waits for the end of the given call (or of any, when none is named) and gives its record: reason, by.
  async end(id, timeout) {
    const of = (s) => s.ended.findLast((e) => id === undefined || (e.id ?? e.callId) === id);
    return of(await this.until(`the end of the call ${id ?? ''}`, (s) => !s.call && of(s), timeout));
  }

  // Waits for an entry of the wire log.
  async entry(what, matches, timeout = 20000) {
    const deadline = Date.now() + timeout;
    for (;;) {
      const found = (await this.entries()).find(matches);
      if (found) return found;
      if (Date.now() > deadline) throw new Error(`${this.name}: waited ${timeout} ms for ${what} on the wire`);
      await new Promise((again) => setTimeout(again, 25));
    }
  }
}

function brief(state) {
  return JSON.stringify({ ...state, rooms: state.rooms?.length, conversations: state.conversations?.length, ended: state.ended?.slice(-2) });
}
