/**
 * Writes the golden vectors under test/golden/ that are not there yet: `kind-name.vVERSION.bin` and its content as
 * JSON. A vector that is there is never changed: if today's encoder would write other bytes, the format has changed,
 * and needs a new version with vectors of its own (docs/FORMAT.md, Versions). With --example, prints the worked example
 * instead.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { encodeSegment } from '../../src/format/segment.ts';
import { UNPACED } from '../../src/lib/cooperate.ts';
import { CASES } from '../unit/format/support/cases.ts';
import { CODECS, type Codec, type Contents, type Kind } from '../unit/format/support/content.ts';
import { describeSegment } from '../unit/format/support/describe-segment.ts';
import { EXAMPLE_RECORDS } from '../unit/format/support/example.ts';
import { recordColumns } from '../unit/format/support/plain.ts';

const DIRECTORY = resolve(import.meta.dirname, '../golden');

/** JSON with the elements of lists on lines of their own, down to the second level. */
function formatJson(content: unknown): string {
  if (Array.isArray(content)) return `${formatList(content)}\n`;
  const members = Object.entries(content as object).map(([name, value]) => {
    return ` ${JSON.stringify(name)}: ${Array.isArray(value) ? formatList(value) : JSON.stringify(value)}`;
  });
  return `{\n${members.join(',\n')}\n}\n`;
}

function formatList(list: readonly unknown[]): string {
  return list.length === 0 ? '[]' : `[\n${list.map((element) => `  ${JSON.stringify(element)}`).join(',\n')}\n ]`;
}

async function writeVector<K extends Kind>(kind: K, name: string, content: Contents[K]): Promise<void> {
  const codec: Codec<Contents[K]> = CODECS[kind];
  const path = resolve(DIRECTORY, `${kind}-${name}.v${codec.version}`);
  const bytes = await codec.encode(content);
  if (!existsSync(`${path}.bin`)) {
    writeFileSync(`${path}.bin`, bytes);
    writeFileSync(`${path}.json`, formatJson(content));
    console.log(`${path}.bin: ${bytes.length} bytes`);
  } else if (!readFileSync(`${path}.bin`).equals(bytes)) {
    process.exitCode = 1;
    console.error(`${path}.bin: the encoder writes other bytes now; that needs a new version, with new vectors`);
  }
}

async function main(): Promise<void> {
  if (process.argv.includes('--example')) {
    console.log(describeSegment((await encodeSegment(recordColumns(EXAMPLE_RECORDS), UNPACED)).file));
    return;
  }
  mkdirSync(DIRECTORY, { recursive: true });
  const { segment, ...others } = CASES;
  for (const [kind, cases] of Object.entries(others)) {
    for (const [name, content] of Object.entries(cases)) await writeVector(kind as Kind, name, content);
  }
  for (const [name, records] of Object.entries(segment)) {
    const { shape } = await encodeSegment(recordColumns(records), UNPACED);
    await writeVector('segment', name, { shape, records });
  }
}

if (import.meta.filename === process.argv[1]) await main();
