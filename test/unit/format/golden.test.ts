/** Golden vectors: bytes and their content, of every version there has been (docs/FORMAT.md, Versions). */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/lib/bytes.ts';
import { CASES } from './support/cases.ts';
import { CODECS, type Codec, type Kind } from './support/content.ts';
import { offsets, readField, readNumbers } from './support/reference.ts';

const DIRECTORY = resolve(import.meta.dirname, '../../golden');
const files = readdirSync(DIRECTORY);
const names = files.filter((file) => file.endsWith('.bin')).map((file) => file.slice(0, -'.bin'.length));

function readBytes(name: string): Bytes {
  return new Uint8Array(readFileSync(resolve(DIRECTORY, `${name}.bin`)));
}

/** Content of whatever kind: `never`, since the codec at hand is for one kind and the compiler cannot tell which. */
function readContent(name: string): never {
  return JSON.parse(readFileSync(resolve(DIRECTORY, `${name}.json`), 'utf8')) as never;
}

test('every vector has both halves, and every case and kind its vector', () => {
  expect(files.toSorted()).toEqual(names.flatMap((name) => [`${name}.bin`, `${name}.json`]).sort());
  for (const [kind, cases] of Object.entries(CASES)) {
    const { version } = CODECS[kind as Kind];
    for (const name of Object.keys(cases)) expect(names).toContain(`${kind}-${name}.v${version}`);
  }
});

describe.each(names)('%s', (name) => {
  const [kind = '', version] = [name.slice(0, name.indexOf('-')), Number(name.slice(name.lastIndexOf('.v') + 2))];
  const codec: Codec<never> = CODECS[kind as Kind];

  test('is decoded to its content', async () => {
    expect(await codec.decode(readBytes(name))).toEqual(codec.expected(readContent(name)));
  });

  // What earlier versions wrote is only read.
  if (version !== codec.version) return;
  test('is what the encoder writes, byte for byte', async () => {
    expect(await codec.encode(readContent(name))).toEqual(readBytes(name));
  });
});

describe('what the vectors cover', () => {
  const columns = names.filter((name) => name.startsWith('numbers-')).map((name) => readNumbers(readBytes(name)));

  test('each coding of partitions, several groups, a span over 2^32, the largest number', () => {
    const codecs = new Set(columns.flatMap(({ partitionInfo }) => partitionInfo.map((info) => info >>> 27)));
    expect(codecs).toContain(31);
    expect(codecs).toContain(30);
    expect([...codecs].filter((codec) => codec < 30).length).toBeGreaterThan(1);
    expect(columns.some(({ groupBase, partitionInfo }) => partitionInfo.length > 16 && groupBase.length > 1)).toBe(
      true,
    );
    expect(columns.some(({ groupBase }) => (groupBase.at(-1) ?? 0) - (groupBase[0] ?? 0) > 2 ** 32)).toBe(true);
    const lasts = columns.map((column) => {
      const [group, partition] = [column.groupBase.length - 1, column.partitionBase.length - 1];
      const base = (column.groupBase[group] ?? 0) + (column.partitionBase[partition] ?? 0);
      return base + 1 + (offsets(column, group, partition).at(-1) ?? -1);
    });
    expect(lasts).toContain(999_999_999_999_999);
  });

  test('exceptions in several fields, widths of 0 and 32, many profiles', () => {
    const heads = names
      .filter((name) => name.startsWith('verdicts-'))
      .flatMap((name) => {
        const view = new DataView(readBytes(name).buffer);
        return [0, 1, 2, 3].map((field) => ({
          field,
          width: view.getUint16(40 + field * 16, true),
          exceptions: view.getUint32(44 + field * 16, true),
        }));
      });
    expect(new Set(heads.filter(({ exceptions }) => exceptions > 0).map(({ field }) => field))).toEqual(
      new Set([0, 2, 3]),
    );
    const widths = heads.map(({ width }) => width);
    expect(widths).toContain(0);
    expect(widths).toContain(32);
    const several = readBytes('verdicts-several-profiles.v1');
    expect(readField(several, 0, 26)).toBeGreaterThan(9);
  });
});
