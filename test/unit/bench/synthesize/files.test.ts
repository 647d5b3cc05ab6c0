import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type SynthesisOptions, synthesisOptions } from '../../../../bench/synthesize/layout.ts';
import { writeSynthetic } from '../../../../bench/synthesize/write.ts';
import { parseOptions } from '../../../../bench/synthesize.ts';
import { fortnightRows, inventoryRows } from '../../../support/synthetic.ts';

const root = mkdtempSync(join(tmpdir(), 'synthesize-'));
afterAll(() => rmSync(root, { recursive: true }));

async function written(name: string, options: SynthesisOptions): Promise<string[]> {
  const files = await writeSynthetic(options, join(root, name));
  return files.map(({ path }) => readFileSync(path, 'latin1'));
}

const sha256 = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex');
const day = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);
const instant = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000', '');

describe('writeSynthetic', () => {
  it('writes the same bytes for the same seed, on every machine', async () => {
    const texts = await written('same', synthesisOptions({ numbers: 20_000, seed: 7 }));
    expect(texts.map(sha256)).toEqual([
      '572e2b87010319a758cb4ccbdb0dcbac4207af5d068cac0ed98906fa9e7da02f',
      'ebbcb646dae478322f0202086d95f01943c154a70f4ba073d88f254501b8c321',
    ]);
  });

  it('writes other bytes for another seed', async () => {
    const [one, other] = [
      await written('one', synthesisOptions({ numbers: 2000, seed: 1 })),
      await written('other', synthesisOptions({ numbers: 2000, seed: 2 })),
    ];
    expect(one[0]).not.toBe(other[0]);
    expect(one[1]).not.toBe(other[1]);
  });

  it('writes the very rows of the generators', async () => {
    const options = synthesisOptions({ numbers: 5000, captured: 600 });
    const [inventory = '', fortnight = ''] = await written('rows', options);
    const rowTexts = Array.from(inventoryRows(options), (row) =>
      [
        `+${row.number}`,
        day(row.firstSeenAt),
        day(row.observedAt),
        row.sightings,
        row.label,
        row.channel,
        row.industry,
        row.project,
        row.source,
      ].join(),
    );
    expect(inventory.split('\n')).toEqual([
      'number,firstSeen,observedAt,sightings,label,channel,industry,project,source',
      ...rowTexts,
      '',
    ]);
    const captureTexts = Array.from(fortnightRows(options), (row) =>
      [
        `+${row.number}`,
        instant(row.observedAt),
        row.label,
        row.channel,
        row.industry,
        row.project,
        row.source,
        row.link,
      ].join(),
    );
    expect(fortnight.split('\n')).toEqual([
      'number,observedAt,label,channel,industry,project,source,link',
      ...captureTexts,
      '',
    ]);
  });

  it('writes only the file that is wanted, and says how far it is', async () => {
    const seen: unknown[] = [];
    const options = synthesisOptions({ numbers: 1000 });
    await writeSynthetic(options, join(root, 'only'), (...progress) => seen.push(progress), ['fortnight']);
    expect(readdirSync(join(root, 'only'))).toEqual(['fortnight.csv']);
    expect(seen).toEqual([['fortnight', 48, 48]]);
  });

  it.each([
    { numbers: 1 },
    { numbers: 3, captured: 3, firstTime: 0 },
    { numbers: 30, captured: 5000, firstTime: 4990 },
    { numbers: 3000, captured: 3000, firstTime: 0 },
    { numbers: 10, captured: 0 },
  ])('meets the counts of %o', (given) => {
    const options = synthesisOptions(given);
    const inventory = new Set(Array.from(inventoryRows(options), ({ number }) => number));
    const captured = new Set(Array.from(fortnightRows(options), ({ number }) => number));
    expect(inventory.size).toBe(options.numbers);
    expect(captured.size).toBe(options.captured);
    expect([...captured].filter((number) => !inventory.has(number)).length).toBe(options.firstTime);
  });

  it('refuses more numbers than the plans have room for', () => {
    const all = inventoryRows(synthesisOptions({ numbers: 100_000_000 }));
    expect(() => all.next()).toThrow('the number plans have no room for 100000000');
  });
});

describe('parseOptions', () => {
  it('scales the fortnight with the inventory', () => {
    const { options, folder, files } = parseOptions(['--numbers', '20870', '--seed', '3']) ?? {};
    expect(options).toEqual({ seed: 3, numbers: 20_870, captured: 996, firstTime: 487 });
    expect([folder, files]).toEqual(['.bench/synthetic', ['inventory', 'fortnight']]);
  });

  it.each([
    [['--numbers', '0'], 'expected --numbers as an integer from 1 to 100000000; found 0'],
    [['--numbers', '1e6'], '--numbers takes a whole number of at least 0, not "1e6"'],
    [['--numbers', ''], '--numbers takes a whole number of at least 0, not ""'],
    [['--seed', '4294967296'], 'expected --seed as an integer from 0 to 4294967295; found 4294967296'],
    [['--captured', '10000001'], 'expected --captured as an integer from 0 to 10000000'],
    [['--numbers', '10', '--captured', '20', '--first-time', '5'], 'expected --first-time as an integer from 10 to 20'],
    [['--first-time', '2', '--captured', '1'], 'expected --first-time as an integer from 0 to 1; found 2'],
    [['--only', 'both'], 'expected --only inventory or fortnight; found both'],
    [['--nubmers', '1'], "Unknown option '--nubmers'"],
    [['file.csv'], "Unexpected argument without an option's name"],
  ])('refuses %j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});
