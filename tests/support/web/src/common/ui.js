// SPDX-License-Identifier: Apache-2.0
//
// The part of a page that a person sees. Accepts a phone (an EventTarget that fires `change` and has `view()`, `log` and the
// actions) and shows it; passes clicks on. Both pages use it. Decides nothing about calls.
//
// view(): { user, service (user is a service's address), online, contacts: [{id, peer, note, invitation, callable, encrypted}],
//           call: null | {peer, name, stage, video, muted, videoMuted, held, sharing, peerMuted, peerHeld, stream, screen, picture,
//           transferable, note, security}, other: null | {peer, transferable}, transfer: null | {peer, target},
//           last: null | {peer, reason, by, security}, unread: null | {count, peer, failure} (Matrix), missed: null | {peer, reason} (host) }
// security: {encrypted, some, events, shield: none, grey or red, reason}, only where the page sees what was encrypted.
// stage: placing, ringing-out, ringing-in, connecting, connected, interrupted.

import { reasonText, t, translate } from './i18n.js';
import { Ringer } from './media.js';

const $ = (id) => document.getElementById(id);

function button(text, label, onclick) {
  const element = document.createElement('button');
  element.type = 'button';
  element.textContent = text;
  element.setAttribute('aria-label', label);
  element.onclick = onclick;
  return element;
}

function contactItem(contact, phone, report) {
  const item = document.createElement('li');
  const who = document.createElement('span');
  who.className = 'who';
  const name = document.createElement('strong');
  name.textContent = contact.peer;
  who.append(name);
  if (contact.note) {
    const note = document.createElement('span');
    note.className = 'quiet';
    note.textContent = t(contact.note);
    who.append(note);
  }
  if (contact.encrypted !== undefined) {
    const encryption = document.createElement('span');
    encryption.className = 'quiet';
    encryption.textContent = t(contact.encrypted ? 'encryptedRoom' : 'plainRoom');
    who.append(encryption);
  }
  const actions = document.createElement('span');
  actions.className = 'row';
  const peer = contact.peer;
  if (contact.invitation) {
    actions.append(button(t('join'), t('joinTo', { peer }), () => report(phone.join(contact.id))));
  } else {
    actions.append(
      button(t('voice'), t('voiceTo', { peer }), () => report(phone.place(contact.id, { video: false }))),
      button(t('video'), t('videoTo', { peer }), () => report(phone.place(contact.id, { video: true }))),
    );
    for (const element of actions.children) element.disabled = !contact.callable;
  }
  item.append(who, actions);
  return item;
}

// In plain words: was it encrypted, and would a client warn of it?
export function securityText(security) {
  if (!security?.events) return '';
  if (security.shield !== 'none') return t('encryptedWithWarning', { reason: t(`shield:${security.reason}`) });
  return t(security.encrypted ? 'encryptedNoWarning' : security.some ? 'partlyEncrypted' : 'notEncrypted');
}

function entrySecurity(entry) {
  if (entry.decrypted === false) return t(`failure:${entry.failure}`);
  return 'wireType' in entry ? securityText({ events: 1, encrypted: entry.encrypted, shield: entry.shield ?? 'none', reason: entry.shieldReason }) : '';
}

export function mountUi(phone) {
  translate(document);
  const ringer = new Ringer();
  const report = (promise) => promise.then(() => ($('contact-error').textContent = ''), (error) => ($('contact-error').textContent = error.message));
  let shownContacts = '';
  let answerFocused = null;

  function showCall(call, last) {
    const status = call
      ? t({ connecting: 'call-connecting', 'ringing-in': call.video ? 'ringing-in-video' : 'ringing-in' }[call.stage] ?? call.stage, { peer: call.peer })
      : last ? t('ended', { peer: last.peer, reason: reasonText(last.reason, last.by) }) : t('noCall');
    if ($('call-status').textContent !== status) $('call-status').textContent = status; // said once by screen readers
    const rings = call?.stage === 'ringing-in';
    $('call-status').classList.toggle('rings', rings);
    $('answer').hidden = $('reject').hidden = !rings;
    $('hang-up').hidden = !call || rings;
    showControls(call);
    const detail = details(call);
    if ($('call-detail').textContent !== detail) $('call-detail').textContent = detail;
    document.title = rings ? `☎ ${status}` : t(document.body.classList.contains('host') ? 'hostTitle' : 'matrixTitle');
    if (rings) ringer.start();
    else ringer.stop();
    if (rings && answerFocused !== call.peer) $('answer').focus();
    answerFocused = rings ? call.peer : null;

    const stream = call?.stream ?? null;
    if ($('remote-audio').srcObject !== stream) {
      $('remote-audio').srcObject = stream;
      $('remote-audio').play?.().catch(() => {}); // refused before the first click; the element plays after it
    }
    $('remote-media').muted = true; // the sound comes from the audio element
    showPicture($('remote-media'), call?.picture ? stream : null);
    showPicture($('remote-screen'), call?.screen ?? null);
  }

  function showPicture(element, stream) {
    element.hidden = !stream;
    if (element.srcObject !== stream) element.srcObject = stream;
  }

  function showControls(call) {
    const talking = ['connected', 'interrupted'].includes(call?.stage);
    const pressed = { mute: call?.muted, hold: call?.held, video: call?.video, 'pause-video': call?.videoMuted, 'share-screen': call?.sharing };
    for (const [id, on] of Object.entries(pressed)) {
      $(id).hidden = !talking;
      $(id).setAttribute('aria-pressed', String(Boolean(on)));
    }
    $('pause-video').hidden = !talking || !call.video || !phone.setVideoMuted;
    $('transfer').hidden = !talking;
    $('transfer').disabled = !call?.transferable;
    $('transfer').title = call?.transferable ? '' : t('noTransfer');
    if (!talking || !call.transferable) openTransfer(false);
    if (!call) $('call-error').textContent = '';
  }

  function openTransfer(open) {
    $('transfer-form').hidden = !open;
    $('transfer').setAttribute('aria-expanded', String(open));
    if (open) $('transfer-user').focus();
  }

  function details(call) {
    const { peer } = call ?? {};
    const lines = [
      call?.name && t('claims', { name: call.name }), call?.held && t('youHold', { peer }), call?.peerHeld && t('peerHolds', { peer }),
      call?.peerMuted && t('peerMuted', { peer }), call?.sharing && t('sharing'), call?.note && t(`note:${call.note.key}`, { detail: call.note.detail }),
    ];
    return lines.filter(Boolean).join('\n');
  }

  function showOthers({ call, other, transfer }) {
    $('other-call').hidden = !other || !call;
    if (other && call) {
      $('other-call-text').textContent = t('onHold', { peer: other.peer });
      $('connect-both').textContent = t('connectBoth', { peer: other.peer, other: call.peer });
      $('connect-both').hidden = !other.transferable || call.stage !== 'connected';
      $('swap').disabled = call.stage !== 'connected';
    }
    const text = transfer ? t('transferAsked', { peer: transfer.peer, target: transfer.target.display_name ? `${transfer.target.display_name} (${transfer.target.id})` : transfer.target.id }) : '';
    if ($('transfer-request-text').textContent !== text) $('transfer-request-text').textContent = text;
    $('transfer-request').hidden = !transfer;
  }

  function show() {
    const view = phone.view();
    $('presence').textContent = view.user ? `${t(view.service ? 'connectedTo' : 'signedInAs', { user: view.user })} · ${t(view.online ? 'online' : 'offline')}` : t(view.connecting ? 'connecting' : 'signedOut');
    $('presence').classList.toggle('online', Boolean(view.user && view.online));
    $('login-card').hidden = Boolean(view.user);
    for (const id of ['contacts-card', 'call-card', 'log-card']) $(id).hidden = !view.user;
    // Drawn anew only when it differs, so that the keyboard's focus stays where it is.
    const { contacts } = view;
    const next = JSON.stringify(contacts);
    if (next !== shownContacts) {
      shownContacts = next;
      $('contacts').replaceChildren(...contacts.map((contact) => contactItem(contact, phone, report)));
    }
    $('no-contacts').hidden = view.contacts.length > 0;
    showCall(view.call, view.last);
    showOthers(view);
    showSecurity(view);
  }

  function showSecurity({ call, last, unread, missed }) {
    const security = (call ?? last)?.security;
    const lost = missed ? t('callUnread', { peer: missed.peer, reason: missed.reason })
      : unread ? t('unread', { count: unread.count, peer: unread.peer, reason: t(`failure:${unread.failure}`) }) : '';
    for (const [id, text] of [['call-security', securityText(security)], ['call-unread', lost]]) {
      if ($(id).textContent !== text) $(id).textContent = text;
    }
    $('call-security').classList.toggle('good', Boolean(security?.encrypted && security.shield === 'none'));
    $('call-security').classList.toggle('bad', Boolean(security && security.shield !== 'none'));
  }

  const arrowOf = (entry) => (entry.from === 'softphone' || entry.from === phone.userId ? '→ ' : '← ');
  const wordsOf = (entry) => [arrowOf(entry) + entry.label, entrySecurity(entry)].filter(Boolean).join(' · ');
  const items = new WeakMap();
  function showEntry(entry) {
    if (items.has(entry)) {
      items.get(entry).lastChild.textContent = wordsOf(entry);
      return;
    }
    const item = document.createElement('li');
    items.set(entry, item);
    const time = document.createElement('time');
    time.textContent = new Date(entry.t).toISOString().slice(11, 23);
    item.append(time, wordsOf(entry));
    $('log').append(item);
    while ($('log').children.length > 300) $('log').firstChild.remove();
    $('log').scrollTop = $('log').scrollHeight;
  }

  $('login').onsubmit = (event) => {
    event.preventDefault();
    $('login-error').textContent = '';
    const fields = Object.fromEntries(new FormData($('login')));
    phone.login(fields).catch((error) => ($('login-error').textContent = t('signInFailed', { message: error.message })));
  };
  $('new-contact').onsubmit = (event) => {
    event.preventDefault();
    const field = $('new-contact-id');
    report(phone.newContact(field.value.trim()).then(() => (field.value = '')));
  };
  $('answer').onclick = () => report(phone.answer());
  $('reject').onclick = () => report(phone.reject());
  $('hang-up').onclick = () => report(phone.hangup());
  const during = (promise) => promise.then(() => ($('call-error').textContent = ''), (error) => ($('call-error').textContent = error.message));
  const toggle = (id, act) => ($(id).onclick = () => during(act($(id).getAttribute('aria-pressed') !== 'true')));
  toggle('mute', (on) => phone.setMuted(on));
  toggle('hold', (on) => phone.setHold(on));
  toggle('video', (on) => phone.setVideo(on));
  toggle('pause-video', (on) => phone.setVideoMuted(on));
  toggle('share-screen', (on) => phone.setScreen(on));
  $('transfer').onclick = () => openTransfer($('transfer-form').hidden);
  $('transfer-form').onsubmit = (event) => {
    event.preventDefault();
    during(phone.transfer($('transfer-user').value.trim()).then(() => openTransfer(false)));
  };
  $('transfer-form').onkeydown = (event) => {
    if (event.key !== 'Escape') return;
    openTransfer(false);
    $('transfer').focus();
  };
  $('swap').onclick = () => during(phone.swap());
  $('connect-both').onclick = () => during(phone.transferToOther());
  $('accept-transfer').onclick = () => during(phone.acceptTransfer());
  $('refuse-transfer').onclick = () => during(phone.refuseTransfer());
  $('microphone').onchange = () => (phone.microphone = $('microphone').checked);
  if ($('auto-join')) $('auto-join').onchange = () => phone.setAutoJoin($('auto-join').checked);

  if ($('encrypt-rooms')) {
    $('encrypt-rooms').checked = phone.encryptRooms;
    $('encrypt-rooms').onchange = () => phone.setEncryptRooms($('encrypt-rooms').checked);
    $('only-signed').checked = phone.encryption.onlySigned;
    $('only-signed').onchange = () => phone.setOnlySigned($('only-signed').checked);
  }

  phone.addEventListener('change', show);
  phone.log.listeners.push(showEntry);
  show();

  // Fields may come in the fragment (which never reaches a server): #user=bob&password=... signs in at once.
  const given = new URLSearchParams(location.hash.slice(1));
  let complete = given.size > 0;
  for (const field of $('login').elements) {
    if (!field.name) continue;
    if (given.has(field.name)) field.value = given.get(field.name);
    if (!field.value) complete = false;
  }
  if (complete) $('login').requestSubmit();
}
