// SPDX-License-Identifier: Apache-2.0
// The page's texts by language. The switch and the slider keep their English names: tests and guides rely on them.
'use strict';
const TEXTS = {
  en: {
    title: 'Matrix calls: administration', signIn: 'Sign in', signOut: 'Sign out', token: 'Admin token',
    wrongToken: 'This token is not the administrator\'s.', unreachable: 'The host does not answer.',
    service: 'Service', on: 'on', off: 'off',
    switchHint: 'Off: live calls finish, new ones go the host\'s own way.',
    rolloutHint: 'Share of the users whose calls go through Matrix. A user once in stays in as it grows.',
    rollBack: 'Undo last change', saving: 'Saving…', saved: 'In force.', failed: 'Not changed: {0}',
    readiness: 'Readiness', ready: 'ready', notReady: 'not ready', ok: 'ok', bad: 'failing', optional: 'optional',
    liveCalls: 'Live calls', noCalls: 'No call is live.', user: 'User', peer: 'Peer', direction: 'Direction',
    status: 'Status', since: 'Since', incoming: 'incoming', outgoing: 'outgoing', ringing: 'ringing',
    connecting: 'connecting', connected: 'connected', percent: '{0} %',
    verifications: 'Verification of the bridge\'s session',
    verifyHint: 'Compare with what the other session shows, in the same order.', same: 'They are the same',
    different: 'They differ', verify_waiting: 'asks to verify the bridge', verify_compare: 'shows:',
    verify_confirmed: 'confirmed here, not yet there', verify_done: 'verified', verify_cancelled: 'cancelled: {0}',
  },
  de: {
    title: 'Matrix-Anrufe: Verwaltung', signIn: 'Anmelden', signOut: 'Abmelden', token: 'Verwaltungs-Token',
    wrongToken: 'Das ist nicht das Token der Verwaltung.', unreachable: 'Der Host antwortet nicht.',
    service: 'Dienst', on: 'an', off: 'aus',
    switchHint: 'Aus: laufende Anrufe gehen zu Ende, neue nehmen den eigenen Weg des Hosts.',
    rolloutHint: 'Anteil der Nutzer, deren Anrufe über Matrix gehen. Wer einmal dabei ist, bleibt beim Erhöhen dabei.',
    rollBack: 'Letzte Änderung zurücknehmen', saving: 'Wird gespeichert …', saved: 'In Kraft.',
    failed: 'Nicht geändert: {0}',
    readiness: 'Bereitschaft', ready: 'bereit', notReady: 'nicht bereit', ok: 'gut', bad: 'gestört',
    optional: 'nicht nötig', liveCalls: 'Laufende Anrufe', noCalls: 'Kein Anruf läuft.', user: 'Nutzer',
    peer: 'Gegenüber', direction: 'Richtung', status: 'Zustand', since: 'Seit', incoming: 'eingehend',
    outgoing: 'ausgehend', ringing: 'klingelt', connecting: 'verbindet', connected: 'verbunden', percent: '{0} %',
    verifications: 'Verifizierung der Sitzung der Bridge',
    verifyHint: 'Vergleichen Sie mit dem, was die andere Sitzung zeigt, in derselben Reihenfolge.',
    same: 'Sie sind gleich', different: 'Sie sind verschieden', verify_waiting: 'will die Bridge verifizieren',
    verify_compare: 'zeigt:', verify_confirmed: 'hier bestätigt, dort noch nicht', verify_done: 'verifiziert',
    verify_cancelled: 'abgebrochen: {0}',
  },
};
const LANGUAGE = (navigator.language || 'en').toLowerCase().startsWith('de') ? 'de' : 'en';

function text(key, ...values) {
  const pattern = TEXTS[LANGUAGE][key] || TEXTS.en[key] || key;
  return values.reduce((out, value, i) => out.replace(`{${i}}`, value), pattern);
}
