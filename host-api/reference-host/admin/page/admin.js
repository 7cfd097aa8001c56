// SPDX-License-Identifier: Apache-2.0
// The administrators' page: signs in, shows what is in force, changes it. Everything from the API is put into the page
// as text, never as markup. The token is kept for this browser tab only.
'use strict';
(() => {
  const $ = (id) => document.getElementById(id);
  const KEY = 'bridge-admin-token';
  let timer = null;
  let inForce = null;
  let dragging = false;

  document.documentElement.lang = LANGUAGE;
  document.querySelectorAll('[data-text]').forEach((node) => { node.textContent = text(node.dataset.text); });
  document.title = text('title');

  async function api(method, path, body) {
    const headers = { Authorization: `Bearer ${sessionStorage.getItem(KEY) || ''}` };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const answer = await fetch(`api/${path}`, { method, headers, body: body && JSON.stringify(body), cache: 'no-store' });
    const data = await answer.json().catch(() => ({}));
    if (!answer.ok) throw Object.assign(new Error(data.message || String(answer.status)), { status: answer.status });
    return data;
  }

  function showSignIn(message) {
    clearTimeout(timer);
    sessionStorage.removeItem(KEY);
    $('board').hidden = true;
    $('sign-out').hidden = true;
    $('sign-in').hidden = false;
    $('sign-in-error').textContent = message || '';
    $('token').value = '';
    $('token').focus();
  }

  function showRollout(rollout) {
    inForce = rollout;
    $('switch').setAttribute('aria-checked', String(rollout.enabled));
    $('switch-state').textContent = text(rollout.enabled ? 'on' : 'off');
    if (!dragging) {
      $('rollout').value = rollout.percent;
      showPercent(rollout.percent);
    }
    $('switch').disabled = $('rollout').disabled = $('rollback').disabled = false;
  }

  function showPercent(percent) {
    $('percent').textContent = text('percent', percent);
    $('rollout').setAttribute('aria-valuetext', text('percent', percent));
  }

  function showChecks(doctor) {
    $('ready').textContent = text(doctor.ready ? 'ready' : 'notReady');
    $('ready').className = `badge ${doctor.ready ? 'good' : 'bad'}`;
    $('checks').replaceChildren(...doctor.checks.map((check) => {
      const item = document.createElement('li');
      const badge = document.createElement('span');
      badge.className = `badge ${check.ok ? 'good' : check.required ? 'bad' : 'warn'}`;
      badge.textContent = text(check.ok ? 'ok' : check.required ? 'bad' : 'optional');
      const name = document.createElement('strong');
      name.textContent = check.name;
      const message = document.createElement('span');
      message.textContent = check.advice ? `${check.message}. ${check.advice}` : check.message;
      item.append(badge, name, message);
      return item;
    }));
  }

  function showCalls(calls) {
    $('count').textContent = String(calls.length);
    $('no-calls').hidden = calls.length > 0;
    $('calls').hidden = calls.length === 0;
    const columns = ['user', 'peer', 'direction', 'status', 'since'];
    $('calls').querySelector('tbody').replaceChildren(...calls.map((call) => {
      const row = document.createElement('tr');
      const values = [call.user, call.peer, text(call.direction), text(call.status),
        new Date(call.created_at).toLocaleTimeString(LANGUAGE)];
      row.append(...values.map((value, i) => {
        const cell = document.createElement('td');
        cell.dataset.label = text(columns[i]);
        cell.textContent = value;
        return cell;
      }));
      return row;
    }));
  }

  // Drawn anew only when something changed: the keyboard's place in it must not be lost every two seconds.
  let shownVerifications = '';
  function showVerifications(verifications) {
    const live = verifications.filter((one) => one.expires_at > Date.now());
    $('verifications').hidden = live.length === 0;
    if (JSON.stringify(live) === shownVerifications) return;
    shownVerifications = JSON.stringify(live);
    $('verification-list').replaceChildren(...live.map((one) => {
      const item = document.createElement('li');
      const who = document.createElement('strong');
      who.textContent = one.device;
      const state = document.createElement('span');
      state.textContent = text(`verify_${one.state}`, one.reason || '');
      const signs = document.createElement('span');
      signs.className = 'signs';
      signs.textContent = [...one.emoji.map((sign) => `${sign.emoji} ${sign.name}`), one.numbers.join(' ')].filter(Boolean).join(', ');
      item.append(who, state, signs);
      if (one.state !== 'compare') return item;
      for (const word of ['confirm', 'cancel']) {
        const button = document.createElement('button');
        button.type = 'button';
        button.className = word === 'confirm' ? '' : 'quiet';
        button.textContent = text(word === 'confirm' ? 'same' : 'different');
        button.setAttribute('aria-label', `${button.textContent}: ${one.device}`);
        button.addEventListener('click', async () => {
          item.querySelectorAll('button').forEach((other) => { other.disabled = true; });
          await api('POST', `verifications/${one.id}/${word}`).catch((error) => { state.textContent = text('failed', error.message); });
          refresh();
        });
        item.append(button);
      }
      return item;
    }));
  }

  async function refresh() {
    clearTimeout(timer);
    try {
      const [doctor, rollout, calls, verifications] = await Promise.all([
        api('GET', 'doctor'),
        api('GET', 'rollout').catch((error) => { if (error.status === 503) return null; throw error; }),
        api('GET', 'calls').catch((error) => { if (error.status === 503) return { calls: [] }; throw error; }),
        api('GET', 'verifications').catch((error) => { if (error.status === 503) return { verifications: [] }; throw error; }),
      ]);
      $('sign-in').hidden = true;
      $('board').hidden = false;
      $('sign-out').hidden = false;
      showChecks(doctor);
      showCalls(calls.calls);
      showVerifications(verifications.verifications);
      if (rollout) showRollout(rollout);
      else $('switch').disabled = $('rollout').disabled = $('rollback').disabled = true;
    } catch (error) {
      if (error.status === 401 || error.status === 403) { showSignIn(text('wrongToken')); return; }
      if ($('board').hidden) { showSignIn(text('unreachable')); return; }
      $('ready').textContent = text('unreachable');
      $('ready').className = 'badge bad';
    }
    timer = setTimeout(refresh, 2000);
  }

  async function change(method, path, body) {
    $('change').textContent = text('saving');
    try {
      showRollout(await api(method, path, body));
      $('change').textContent = text('saved');
    } catch (error) {
      $('change').textContent = text('failed', error.message);
      if (inForce) showRollout(inForce);
    }
  }

  $('sign-in').addEventListener('submit', (event) => {
    event.preventDefault();
    sessionStorage.setItem(KEY, $('token').value.trim());
    refresh();
  });
  $('sign-out').addEventListener('click', () => showSignIn());
  $('switch').addEventListener('click', () => {
    change('PUT', 'rollout', { enabled: $('switch').getAttribute('aria-checked') !== 'true' });
  });
  $('rollout').addEventListener('input', () => { dragging = true; showPercent($('rollout').value); });
  $('rollout').addEventListener('change', () => {
    dragging = false;
    change('PUT', 'rollout', { percent: Number($('rollout').value) });
  });
  $('rollback').addEventListener('click', () => change('POST', 'rollout/rollback'));

  if (sessionStorage.getItem(KEY)) refresh();
  else showSignIn();
})();
