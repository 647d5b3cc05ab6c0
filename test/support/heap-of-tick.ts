/**
 * What a tick holds in memory at most: uploads one batch as given and merges it, and at each storage call collects
 * garbage and looks. Run by itself with --expose-gc; prints megabytes over what there was before the tick.
 */

import { NullSliceStore } from '../../bench/support/overlay-store.ts';
import { acceptDetections } from '../../src/ingest/accept.ts';
import { UNPACED } from '../../src/lib/cooperate.ts';
import { DEFAULT_BUDGET, type MergeContext } from '../../src/merge/context.ts';
import { tick } from '../../src/merge/tick.ts';
import { parseLabelLevels } from '../../src/policy/labels.ts';
import { MemoryObjectStore } from '../../src/storage/memory.ts';

const KINDS: Readonly<Record<string, (i: number) => object>> = {
  plain: () => ({}),
  sources: (i) => ({ source: `source-${i}` }),
  links: (i) => ({ link: `https://codes.example/receive/${i}`, project: 'alpha', source: 'feed' }),
  /** As many different sources and kinds as one upload may have, as long as they may be, and links until it is full. */
  most: (i) => ({
    source: `${i % 900}`.padStart(128, 's'),
    project: `${i % 19_000}`.padStart(128, 'p'),
    ...(i < 20_000 ? {} : { link: `https://codes.example/receive/${i}` }),
  }),
  wide: (i) => ({ source: `${i % 900}`.padStart(100, '源'), project: `${i % 19_000}`.padStart(100, '项') }),
};

function megabytes(): number {
  // The second waits for what the first one frees beside it, which would still be counted.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

async function main(kind: string, lines: number, uploads: number): Promise<void> {
  const objects = new MemoryObjectStore(() => 1_767_614_400_000);
  const line = KINDS[kind] ?? (() => ({}));
  let accepted = 0;
  let stored = 0;
  for (let u = 0; u < uploads; u++) {
    const text = Array.from({ length: lines }, (_, i) =>
      JSON.stringify({
        number: `+63917${String(1_000_000 + i * 7).padStart(7, '0')}`,
        observedAt: '2026-01-05',
        ...line(u * lines + i),
      }),
    ).join('\n');
    const bytes = new TextEncoder().encode(text);
    let id = 0;
    const result = await acceptDetections(
      {
        body: new Blob([bytes]).stream(),
        contentType: 'application/x-ndjson',
        tenant: 'default',
        key: 'key',
      },
      {
        objects,
        now: () => 1_767_614_400_000,
        randomId: () => `id${++id}-${u}`,
        labels: parseLabelLevels(undefined),
        pace: UNPACED,
      },
    ).catch((error: Error) => console.log(error.message));
    if (result?.kind === 'accepted') accepted += result.receipt.accepted;
    stored = (await objects.list('batches/waiting/')).objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }
  const before = megabytes();
  let most = 0;
  // Bytes that the store in memory takes are not the tick's.
  let written = 0;
  const look = () => {
    most = Math.max(most, megabytes() - before - written / 2 ** 20);
  };
  const watched = new Proxy(objects, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        look();
        const result: unknown = await Reflect.apply(value, target, args);
        if (name === 'put') written += (args[1] as Uint8Array).length;
        look();
        return result;
      };
    },
  });
  const context: MergeContext = {
    objects: watched,
    slices: new NullSliceStore(),
    now: () => 1_767_614_400_000,
    sleep: async () => {},
    randomId: () => Math.random().toString(36).slice(2),
    log: () => {},
    pace: UNPACED,
    budget: DEFAULT_BUDGET,
  };
  const started = performance.now();
  const result = await tick(context);
  const details = { accepted, ...result, storedMB: stored / 2 ** 20, writtenMB: written / 2 ** 20 };
  console.log(JSON.stringify({ kind, peakMB: most, ms: performance.now() - started, ...details }));
}

const [kind = 'plain', lines = '100000', uploads = '1'] = process.argv.slice(2);
await main(kind, Number(lines), Number(uploads));
