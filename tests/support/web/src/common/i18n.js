// SPDX-License-Identifier: Apache-2.0
//
// The pages' words in English and German, chosen by the browser's language. `t(key, {name: value})` gives the text;
// `translate(root)` fills elements that carry data-i18n. A key that is missing shows itself, so that it is noticed.

const en = {
  matrixTitle: 'Matrix phone',
  matrixLead: 'A Matrix client (matrix-js-sdk, what Element Web is built on). Call a bridged user from here.',
  hostTitle: 'Softphone',
  hostLead: 'The phone of a user of the host. It talks only to the call service of the bridge.',
  signIn: 'Sign in', homeserver: 'Homeserver', user: 'User', password: 'Password', api: 'Call service', token: 'Token',
  signedInAs: 'Signed in as {user}', connectedTo: 'Call service {user}', signedOut: 'Not signed in', connecting: 'Connecting …', online: 'Online',
  offline: 'Connection lost, trying again …', signInFailed: 'Signing in failed: {message}',
  microphone: 'Use my microphone', microphoneHint: 'Off: the page sends a steady tone instead.',
  autoJoin: 'Join rooms I am invited to',
  contacts: 'Conversations', noContacts: 'No conversations yet. Start one below.', newContact: 'Matrix user',
  start: 'Start a conversation', voice: 'Call', video: 'Video call', voiceTo: 'Call {peer}', videoTo: 'Video call to {peer}',
  join: 'Accept invitation', joinTo: 'Accept the invitation from {peer}', invited: 'invited you', waitsForPeer: 'invited, has not joined yet',
  call: 'Call', noCall: 'No call', placing: 'Calling {peer} …', 'ringing-out': 'Ringing at {peer} …', 'ringing-in': '{peer} is calling',
  'ringing-in-video': '{peer} is calling with video', 'call-connecting': 'Connecting to {peer} …', connected: 'Talking to {peer}',
  interrupted: 'The connection to {peer} is interrupted …',
  answer: 'Answer', reject: 'Reject', hangUp: 'Hang up', mute: 'Mute', peerMuted: '{peer} has muted the microphone',
  ended: 'The call with {peer} has ended ({reason})', log: 'What was said on the wire', time: 'Time', hearing: 'Hearing a tone of {hertz} Hz',
  remoteMedia: 'Picture of the other side',
  'reason:user_hangup': 'hung up', 'reason:remote_hangup': 'the other side hung up', 'reason:rejected': 'rejected',
  'reason:invite_timeout': 'nobody answered', 'reason:ice_failed': 'no media connection', 'reason:ice_timeout': 'media connection lost',
  'reason:user_busy': 'busy', 'reason:answered_elsewhere': 'answered on another device', 'reason:replaced': 'replaced by another call',
  'reason:unavailable': 'Matrix cannot carry it now: {detail}', 'reason:failed': 'failed: {detail}', 'reason:user_media_failed': 'no microphone',
  'reason:unknown_error': 'an unknown error',
  hold: 'Hold', pauseVideo: 'Pause video', videoOn: 'Video', shareScreen: 'Share screen', transfer: 'Transfer', swap: 'Switch calls',
  onHold: 'On hold: {peer}', youHold: 'You have put {peer} on hold', peerHolds: '{peer} has put you on hold', sharing: 'You are sharing your screen',
  claims: 'Claims to be {name} (not verified)', transferTo: 'Transfer to (Matrix user)', transferNow: 'Transfer the call', connectBoth: 'Connect {peer} with {other}',
  transferAsked: '{peer} wants to connect you with {target}', acceptTransfer: 'Accept transfer', refuseTransfer: 'Refuse transfer',
  noTransfer: 'The other side cannot be transferred', sharedScreen: 'Shared screen of the other side', otherCall: 'The other call',
  'note:negotiationFailed': 'The other side did not answer the change ({detail})', 'note:rejectedLocally': 'One device of the other side cannot take the call ({detail})',
  'note:transferring': 'Asking to be connected with {detail} …', 'note:transferFailed': 'The transfer did not come about: {detail}',
  encryptedRoom: 'encrypted', plainRoom: 'not encrypted', encryptRooms: 'Encrypt new rooms', onlySigned: 'Deal with signed devices only',
  encryptedNoWarning: 'Encrypted, no warning', encryptedWithWarning: 'Encrypted, with a warning: {reason}', notEncrypted: 'Not encrypted',
  partlyEncrypted: 'Warning: only partly encrypted', unread: 'Could not read {count} encrypted events, the last from {peer}: {reason}',
  'shield:UNKNOWN': 'reason unknown', 'shield:UNVERIFIED_IDENTITY': 'the sender has not been verified', 'shield:UNSIGNED_DEVICE': 'sent by a device that its owner has not signed',
  'shield:UNKNOWN_DEVICE': 'sent by an unknown or deleted device', 'shield:AUTHENTICITY_NOT_GUARANTEED': 'it cannot be told who sent it',
  'shield:MISMATCHED_SENDER_KEY': 'the key belongs to another device', 'shield:SENT_IN_CLEAR': 'sent without encryption in an encrypted room',
  'shield:VERIFICATION_VIOLATION': 'the sender was verified and has a new identity', 'shield:MISMATCHED_SENDER': 'the device belongs to another user',
  'failure:MEGOLM_UNKNOWN_INBOUND_SESSION_ID': 'its key has not come', 'failure:MEGOLM_KEY_WITHHELD': 'the sender keeps the key back',
  'failure:MEGOLM_KEY_WITHHELD_FOR_UNVERIFIED_DEVICE': 'the sender keeps the key back, because this device is not signed',
  'failure:OLM_UNKNOWN_MESSAGE_INDEX': 'its key is only for later events', 'failure:HISTORICAL_MESSAGE_NO_KEY_BACKUP': 'sent before this device signed in',
  'failure:UNSIGNED_SENDER_DEVICE': 'sent by a device that its owner has not signed', 'failure:UNKNOWN_SENDER_DEVICE': 'sent by an unknown device',
  'failure:UNKNOWN_ERROR': 'reason unknown', callUnread: 'A call may have been missed: an encrypted event from {peer} could not be read ({reason})',
  'reason:transferred': 'transferred', 'reason:ignored': 'ignored here', 'reason:peer_left': 'the other side has left the conversation',
};

const de = {
  matrixTitle: 'Matrix-Telefon',
  matrixLead: 'Ein Matrix-Client (matrix-js-sdk, das auch Element Web benutzt). Rufen Sie von hier einen Nutzer hinter der Brücke an.',
  hostTitle: 'Softphone',
  hostLead: 'Das Telefon eines Nutzers der Gegenseite. Es spricht nur mit dem Anrufdienst der Brücke.',
  signIn: 'Anmelden', homeserver: 'Homeserver', user: 'Nutzer', password: 'Passwort', api: 'Anrufdienst', token: 'Token',
  signedInAs: 'Angemeldet als {user}', connectedTo: 'Anrufdienst {user}', signedOut: 'Nicht angemeldet', connecting: 'Verbindung wird aufgebaut …', online: 'Online',
  offline: 'Verbindung verloren, neuer Versuch …', signInFailed: 'Anmeldung fehlgeschlagen: {message}',
  microphone: 'Mein Mikrofon benutzen', microphoneHint: 'Aus: die Seite sendet stattdessen einen Dauerton.',
  autoJoin: 'Räumen beitreten, in die ich eingeladen werde',
  contacts: 'Unterhaltungen', noContacts: 'Noch keine Unterhaltung. Beginnen Sie unten eine.', newContact: 'Matrix-Nutzer',
  start: 'Unterhaltung beginnen', voice: 'Anrufen', video: 'Videoanruf', voiceTo: '{peer} anrufen', videoTo: 'Videoanruf an {peer}',
  join: 'Einladung annehmen', joinTo: 'Die Einladung von {peer} annehmen', invited: 'hat Sie eingeladen', waitsForPeer: 'eingeladen, noch nicht beigetreten',
  call: 'Anruf', noCall: 'Kein Anruf', placing: '{peer} wird angerufen …', 'ringing-out': 'Es klingelt bei {peer} …', 'ringing-in': '{peer} ruft an',
  'ringing-in-video': '{peer} ruft mit Video an', 'call-connecting': 'Verbindung zu {peer} wird aufgebaut …', connected: 'Im Gespräch mit {peer}',
  interrupted: 'Die Verbindung zu {peer} ist unterbrochen …',
  answer: 'Annehmen', reject: 'Ablehnen', hangUp: 'Auflegen', mute: 'Stumm', peerMuted: '{peer} hat das Mikrofon stummgeschaltet',
  ended: 'Das Gespräch mit {peer} ist beendet ({reason})', log: 'Was über die Leitung ging', time: 'Zeit', hearing: 'Ein Ton von {hertz} Hz ist zu hören',
  remoteMedia: 'Bild der Gegenseite',
  'reason:user_hangup': 'aufgelegt', 'reason:remote_hangup': 'die Gegenseite hat aufgelegt', 'reason:rejected': 'abgelehnt',
  'reason:invite_timeout': 'niemand hat abgenommen', 'reason:ice_failed': 'keine Medienverbindung', 'reason:ice_timeout': 'Medienverbindung verloren',
  'reason:user_busy': 'besetzt', 'reason:answered_elsewhere': 'auf einem anderen Gerät angenommen', 'reason:replaced': 'durch einen anderen Anruf ersetzt',
  'reason:unavailable': 'Matrix kann ihn gerade nicht übertragen: {detail}', 'reason:failed': 'gescheitert: {detail}', 'reason:user_media_failed': 'kein Mikrofon',
  'reason:unknown_error': 'ein unbekannter Fehler',
  hold: 'Halten', pauseVideo: 'Bild anhalten', videoOn: 'Video', shareScreen: 'Bildschirm teilen', transfer: 'Weiterleiten', swap: 'Gespräch wechseln',
  onHold: 'Gehalten: {peer}', youHold: 'Sie halten {peer}', peerHolds: '{peer} hält Sie', sharing: 'Sie teilen Ihren Bildschirm',
  claims: 'Nennt sich {name} (nicht geprüft)', transferTo: 'Weiterleiten an (Matrix-Nutzer)', transferNow: 'Gespräch weiterleiten', connectBoth: '{peer} mit {other} verbinden',
  transferAsked: '{peer} möchte Sie mit {target} verbinden', acceptTransfer: 'Verbinden lassen', refuseTransfer: 'Nicht verbinden',
  noTransfer: 'Die Gegenseite kann nicht weitergeleitet werden', sharedScreen: 'Geteilter Bildschirm der Gegenseite', otherCall: 'Das andere Gespräch',
  'note:negotiationFailed': 'Die Gegenseite hat auf die Änderung nicht geantwortet ({detail})', 'note:rejectedLocally': 'Ein Gerät der Gegenseite kann den Anruf nicht annehmen ({detail})',
  'note:transferring': 'Verbindung mit {detail} wird erbeten …', 'note:transferFailed': 'Die Weiterleitung kam nicht zustande: {detail}',
  encryptedRoom: 'verschlüsselt', plainRoom: 'nicht verschlüsselt', encryptRooms: 'Neue Räume verschlüsseln', onlySigned: 'Nur mit signierten Geräten',
  encryptedNoWarning: 'Verschlüsselt, keine Warnung', encryptedWithWarning: 'Verschlüsselt, mit Warnung: {reason}', notEncrypted: 'Nicht verschlüsselt',
  partlyEncrypted: 'Warnung: nur teilweise verschlüsselt', unread: '{count} verschlüsselte Ereignisse nicht lesbar, das letzte von {peer}: {reason}',
  'shield:UNKNOWN': 'Grund unbekannt', 'shield:UNVERIFIED_IDENTITY': 'der Absender ist nicht geprüft', 'shield:UNSIGNED_DEVICE': 'gesendet von einem Gerät, das sein Besitzer nicht signiert hat',
  'shield:UNKNOWN_DEVICE': 'gesendet von einem unbekannten oder gelöschten Gerät', 'shield:AUTHENTICITY_NOT_GUARANTEED': 'der Absender steht nicht fest',
  'shield:MISMATCHED_SENDER_KEY': 'der Schlüssel gehört einem anderen Gerät', 'shield:SENT_IN_CLEAR': 'unverschlüsselt in einen verschlüsselten Raum gesendet',
  'shield:VERIFICATION_VIOLATION': 'der Absender war geprüft und hat eine neue Identität', 'shield:MISMATCHED_SENDER': 'das Gerät gehört einem anderen Nutzer',
  'failure:MEGOLM_UNKNOWN_INBOUND_SESSION_ID': 'der Schlüssel ist nicht gekommen', 'failure:MEGOLM_KEY_WITHHELD': 'der Absender hält den Schlüssel zurück',
  'failure:MEGOLM_KEY_WITHHELD_FOR_UNVERIFIED_DEVICE': 'der Absender hält den Schlüssel zurück, weil dieses Gerät nicht signiert ist',
  'failure:OLM_UNKNOWN_MESSAGE_INDEX': 'der Schlüssel gilt nur für spätere Ereignisse', 'failure:HISTORICAL_MESSAGE_NO_KEY_BACKUP': 'gesendet, bevor dieses Gerät angemeldet war',
  'failure:UNSIGNED_SENDER_DEVICE': 'gesendet von einem Gerät, das sein Besitzer nicht signiert hat', 'failure:UNKNOWN_SENDER_DEVICE': 'gesendet von einem unbekannten Gerät',
  'failure:UNKNOWN_ERROR': 'Grund unbekannt', callUnread: 'Vielleicht ist ein Anruf entgangen: ein verschlüsseltes Ereignis von {peer} ist nicht lesbar ({reason})',
  'reason:transferred': 'weitergeleitet', 'reason:ignored': 'hier ignoriert', 'reason:peer_left': 'die Gegenseite hat die Unterhaltung verlassen',
};

const language = (navigator.languages ?? [navigator.language]).map((l) => l.slice(0, 2)).find((l) => l === 'de' || l === 'en') ?? 'en';
const words = language === 'de' ? de : en;

export function t(key, values = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// "unavailable: fallback" becomes the sentence for `unavailable` with its detail; an unknown reason is shown as it is.
export function reasonText(reason, by) {
  const [name, ...rest] = String(reason ?? 'unknown_error').split(': ');
  if (name === 'user_hangup' && by === 'remote') return t('reason:remote_hangup');
  return words[`reason:${name}`] ? t(`reason:${name}`, { detail: rest.join(': ') || name }) : String(reason);
}

export function translate(root) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll('[data-i18n]')) element.textContent = t(element.dataset.i18n);
  for (const element of root.querySelectorAll('[data-i18n-label]')) element.setAttribute('aria-label', t(element.dataset.i18nLabel));
}
