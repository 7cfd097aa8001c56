// SPDX-License-Identifier: Apache-2.0
//
// What the soak measures: latencies by kind, and a process once a second. Knows nothing of calls.

import { readFileSync, readdirSync } from 'node:fs';

export class Latencies {
  kinds = new Map();

  add(kind, ms) {
    if (!this.kinds.has(kind)) this.kinds.set(kind, []);
    this.kinds.get(kind).push(ms);
  }

  clear() {
    this.kinds.clear();
  }

  table() {
    const lines = [`  ${'ms'.padEnd(44)}${['count', 'p50', 'p95', 'p99', 'max'].map((head) => head.padStart(9)).join('')}`];
    for (const [kind, values] of [...this.kinds].sort()) {
      const sorted = Float64Array.from(values).sort();
      const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(1);
      lines.push(`  ${kind.padEnd(44)}${[sorted.length, at(0.5), at(0.95), at(0.99), at(1)].map((value) => String(value).padStart(9)).join('')}`);
    }
    return lines.join('\n');
  }
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

export class Watch {
  samples = []; // { second, rss (KiB), fds }

  constructor(pid) {
    this.pid = pid;
    this.begun = performance.now();
    this.timer = setInterval(() => this.sample(), 1000);
  }

  sample() {
    try {
      const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))[1]);
      const fds = readdirSync(`/proc/${this.pid}/fd`).length;
      this.samples.push({ second: (performance.now() - this.begun) / 1000, rss, fds });
    } catch {
      // It has ended; whoever waits for it says so.
    }
  }

  stop() {
    clearInterval(this.timer);
  }

  // The first and the second half of what came after the warm-up.
  halves(warmUp) {
    const rest = this.samples.filter(({ second }) => second >= warmUp);
    const middle = Math.floor(rest.length / 2);
    const of = (samples) => ({ rss: mean(samples.map(({ rss }) => rss)), fds: mean(samples.map(({ fds }) => fds)) });
    return { first: of(rest.slice(0, middle)), second: of(rest.slice(middle)), samples: rest.length };
  }
}
